"""One small module for each recogniser of an identifier, or for each family of them."""

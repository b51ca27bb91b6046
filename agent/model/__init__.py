"""The nouns that two or more engines share: frozen facts, no input or output, no clock."""

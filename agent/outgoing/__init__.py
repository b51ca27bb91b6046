"""What goes out of the house: exports handed back to whom they belong, encrypted, with a list and hashes."""

"""What we know about items: facts and keyed hashes, never a personal value."""

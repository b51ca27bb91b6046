"""The encrypted store of what was taken off the shares, and the keys that make it readable, or for ever unreadable."""

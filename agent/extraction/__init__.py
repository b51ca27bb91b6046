"""Bytes to text with locations, in a process of its own."""

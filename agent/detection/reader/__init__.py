"""A small transformer that reads a text as a whole, asked where the quicker models doubt (ADR 0020)."""

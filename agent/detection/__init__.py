"""Text to findings."""

"""Runs the same work over many documents, side by side."""

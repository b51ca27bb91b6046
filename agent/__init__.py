"""Finds personal data, knows when each record must go and why, and proves what was done."""

__version__ = "0.1.0"

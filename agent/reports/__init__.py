"""Rows to documents for people: HTML, CSV, JSON."""

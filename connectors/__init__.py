"""Adapters to the places where documents lie. This package knows nothing of `agent`."""

"""Certificates of destruction: what was destroyed, under which rule, by whom, with the log's own proof of it."""

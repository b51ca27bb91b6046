"""Rows of values under headings, written so that each value stands behind the word that says what it is."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST_HEADING = 60


def headings(row: Sequence[str]) -> list[str]:
    """The headings in the first row of a table, or none if it does not look like headings."""
    given = [value.strip() for value in row]
    named = [value for value in given if value]
    looks = len(named) >= 2 and len(named) == len(set(named)) and all(_may_head(value) for value in named)
    return given if looks else []


def _may_head(value: str) -> bool:
    return len(value) <= _LONGEST_HEADING and not any(char.isdigit() or char == "@" for char in value)


def labelled(heading: str, value: str) -> str:
    """The value behind its heading, if it has one."""
    return f"{heading}: {value}" if heading and heading != value else value

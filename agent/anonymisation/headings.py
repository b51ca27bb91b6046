"""The headings of a table's columns: told to whoever searches a cell, since a number alone says little."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST = 60


def headings(row: Sequence[str]) -> list[str]:
    """The headings in a table's first row; none if it does not look like headings."""
    given = [value.strip() for value in row]
    named = [value for value in given if value]
    looks = len(named) >= 2 and len(named) == len(set(named)) and all(_may_head(value) for value in named)
    return given if looks else []


def _may_head(value: str) -> bool:
    return len(value) <= _LONGEST and not any(char.isdigit() or char == "@" for char in value)

"""Where a number that its label gave away stands again without one: in a list, a log, the foot of a page."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from agent.model.finding import Span

# Of these types a number says by itself hardly what it is, so that each mention needs the word before it.
_TYPES = frozenset({"EMPLOYEE_ID", "CASE_REFERENCE", "UK_PASSPORT", "UK_UTR", "UK_BANK_ACCOUNT", "UK_DRIVING_LICENCE"})
_SURE = 0.7
_LESS_SURE = 0.6
_SHORTEST = 5  # characters; a shorter one is too likely to be something else


def found_again(text: str, spans: Sequence[Span]) -> list[Span]:
    """The other places of values of `spans` in the text, each surely of the same type; none overlaps a given span."""
    types = {
        text[span.start : span.end]: span.entity_type
        for span in spans
        if span.entity_type in _TYPES and span.score >= _SURE and span.end - span.start >= _SHORTEST
    }
    values = sorted((value for value in types if any(char.isdigit() for char in value)), key=lambda value: -len(value))
    if not values:
        return []
    pattern = regex.compile(rf"(?<![\w/-])(?:{'|'.join(map(regex.escape, values))})(?![\w/-])")
    taken = sorted((span.start, span.end) for span in spans)
    return [
        Span(types[found[0]], found.start(), found.end(), _LESS_SURE, why="again")
        for found in pattern.finditer(text)
        if not any(start < found.end() and found.start() < end for start, end in taken)
    ]

"""Where a number that its label gave away stands again without one: in a list, a log, the foot of a page; and where
another one of its series stands."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from agent.model.finding import Span

# Of these types a number says by itself hardly what it is, so that each mention needs the word before it.
_TYPES = frozenset({"EMPLOYEE_ID", "CASE_REFERENCE", "UK_PASSPORT", "UK_UTR", "UK_BANK_ACCOUNT", "UK_DRIVING_LICENCE"})
# The same letters and as many digits are of the same sort. A staff number is told by a name beside it so often that
# one must be surer of it before one believes the others.
_SERIES = {"EMPLOYEE_ID": 0.7, "CASE_REFERENCE": 0.5}
_MEMBERS = 2  # of a series that must be known
_SURE = 0.7
_LESS_SURE = 0.6
_SHORTEST = 5  # characters; a shorter one is too likely to be something else


def found_again(text: str, spans: Sequence[Span]) -> list[Span]:
    """The other places of values of `spans` in the text, each surely of the same type; none overlaps a given span."""
    types: dict[str, str] = {}
    series: dict[tuple[str, str], set[str]] = {}
    for span in spans:
        value = text[span.start : span.end]
        if span.score >= _SERIES.get(span.entity_type, 1.0) and _IN_SERIES.fullmatch(value):
            series.setdefault((_series(value), span.entity_type), set()).add(value)
        known = span.entity_type in _TYPES and span.score >= _SURE and len(value) >= _SHORTEST
        if known and any(char.isdigit() for char in value):
            types[regex.escape(value)] = span.entity_type
    types.update(key for key, values in series.items() if len(values) >= _MEMBERS)
    if not types:
        return []
    named = sorted(types, key=lambda expression: -len(expression))
    pattern = regex.compile(rf"(?<![\w/-])(?:{'|'.join(f'({expression})' for expression in named)})(?![\w/-])")
    taken = sorted((span.start, span.end) for span in spans)
    return [
        Span(types[named[(found.lastindex or 1) - 1]], found.start(), found.end(), _LESS_SURE, why="again")
        for found in pattern.finditer(text)
        if not any(start < found.end() and found.start() < end for start, end in taken)
    ]


_IN_SERIES = regex.compile(r"[A-Z]{1,5}[-/. ]?\d{2,7}(?:[-/]\d{1,4})*|[A-Z]{1,3}\d{2}-\d{2,4}")


def _series(value: str) -> str:
    """The expression that others of its series match: what is before the last run of digits, and as many digits."""
    head = value.rstrip("0123456789")
    return regex.escape(head) + r"\d{" + str(len(value) - len(head)) + "}"

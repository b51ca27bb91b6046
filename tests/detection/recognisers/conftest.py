"""Rows in which what must be found is marked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from presidio_analyzer import EntityRecognizer

REPORTED = 0.4


def _check(recogniser: EntityRecognizer, row: str) -> None:
    parts = row.replace("⟧", "⟦").split("⟦")
    text = "".join(parts)
    wanted, position = set(), 0
    for number, part in enumerate(parts):
        if number % 2:
            wanted.add((position, position + len(part)))
        position += len(part)
    results = recogniser.analyze(text, recogniser.supported_entities, None)
    found = {(each.start, each.end) for each in results if each.score >= REPORTED}
    outermost = {span for span in found if not any(a <= span[0] and span[1] <= b and (a, b) != span for a, b in found)}
    assert outermost == wanted, f"{row!r} gave {sorted(text[a:b] for a, b in outermost)}"


@pytest.fixture(scope="session")
def check() -> Callable[[EntityRecognizer, str], None]:
    """Fails unless a recogniser tells, at the usual score, exactly what stands between ⟦ and ⟧ in a row."""
    return _check

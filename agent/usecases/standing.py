"""How items stand, brought up to date: only those are decided on about which something has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date

from agent.catalogue.standing import Stood
from agent.catalogue.store import Catalogue
from agent.usecases.evaluate import Evaluated, Evaluation, Terms

_BLOCK = 2_000

# Told how many items have been decided on since it was called last.
Advance = Callable[[int], None]


def basis(terms: Terms) -> str:
    """What standings depend on beside facts; when it changes, every item is decided on anew.

    It is the same in every process that has the same terms.
    """
    return hashlib.sha256(f"1\0{_written(terms.schedule)}\0{_written(terms.storage)}".encode()).hexdigest()


def _written(value: object) -> str:
    """The value with all that it consists of; what has no order is put into one, which `repr` does not do."""
    match value:
        case tuple():
            return f"({','.join(map(_written, value))})"
        case frozenset():
            return f"{{{','.join(sorted(map(_written, value)))}}}"
        case Mapping():
            return f"{{{','.join(sorted(f'{_written(key)}:{_written(one)}' for key, one in value.items()))}}}"
        case _ if is_dataclass(value):
            parts = ",".join(_written(getattr(value, part.name)) for part in fields(value))
            return f"{type(value).__name__}({parts})"
        case _:
            return repr(value)


def bring_up_to_date(catalogue: Catalogue, terms: Terms, today: date, advance: Advance | None = None) -> int:
    """Decides on every item about which something has changed, and tells how many these were.

    Each block is kept as it is done, so that an interrupted run goes on where it was. Memory does not grow with the
    number of items.
    """
    on = basis(terms)
    count = 0
    undisturbed = False
    while not undisturbed:
        undisturbed = True
        mark = catalogue.state_mark()
        catalogue.standings.begin(on)
        evaluation = Evaluation(catalogue, terms, today)
        for block in catalogue.undecided(today, _BLOCK, terms.schedule.captured_types):
            if not catalogue.standings.keep([_stood(evaluation.of(record)) for record in block], mark):
                undisturbed = False  # somebody recorded a fact meanwhile: what was decided may be out of date already
                break
            count += len(block)
            if advance is not None:
                advance(len(block))
    return count


def _stood(evaluated: Evaluated) -> Stood:
    held = frozenset(hold.number for hold in evaluated.holds) - frozenset(evaluated.record.holds)
    return Stood(evaluated.record.item_id, evaluated.decision, evaluated.keys, held)

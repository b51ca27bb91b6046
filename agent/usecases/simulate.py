"""The estate on another day or under another schedule, beside how it stands now: what would change, before it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from agent.catalogue.store import Catalogue
from agent.model.decision import Decision, DecisionState
from agent.model.record import Record
from agent.usecases.evaluate import Evaluation, Terms

_EVERY = 1_000

# Told how many items have been looked at since it was called last.
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """One item, how it stands and how it would."""

    record: Record
    before: Decision
    after: Decision

    @property
    def changed(self) -> bool:
        """Whether anything that people act on would be another."""
        return acted_on(self.before) != acted_on(self.after)

    @property
    def becomes_due(self) -> bool:
        return self.after.state is DecisionState.DUE and self.before.state is not DecisionState.DUE

    @property
    def no_longer_due(self) -> bool:
        return self.before.state is DecisionState.DUE and self.after.state is not DecisionState.DUE

    @property
    def changes_date(self) -> bool:
        return self.before.due_on != self.after.due_on


def acted_on(decision: Decision) -> tuple[object, ...]:
    """What of a decision people act on; the rest says why."""
    return decision.state, decision.class_id, decision.outcome, decision.due_on


@dataclass(slots=True)
class Changes:
    """Counts over a comparison; items, unless said otherwise. `due_bytes` is what would be due."""

    items: int = 0
    changed: int = 0
    becomes_due: int = 0
    no_longer_due: int = 0
    changes_date: int = 0
    changes_class: int = 0
    due_bytes: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    due_by_class: Counter[str] = field(default_factory=Counter)
    due_by_outcome: Counter[str] = field(default_factory=Counter)

    def count(self, compared: Compared) -> None:
        """Counts one more item."""
        before, after = compared.before, compared.after
        self.items += 1
        self.changed += compared.changed
        self.becomes_due += compared.becomes_due
        self.no_longer_due += compared.no_longer_due
        self.changes_date += compared.changes_date
        self.changes_class += before.class_id != after.class_id
        self.before[before.state] += 1
        self.after[after.state] += 1
        if after.state is DecisionState.DUE:
            self.due_bytes += compared.record.size_bytes
            self.due_by_class[after.placement or after.class_id or ""] += 1
            self.due_by_outcome[str(after.outcome)] += 1


class Comparison:
    """Every live item twice: under `now` as of `today`, and under `then` as of `day`. Iterating again computes anew."""

    def __init__(self, catalogue: Catalogue, now: Terms, today: date, then: Terms, day: date) -> None:
        self._catalogue = catalogue
        self._identified = now.schedule.captured_types | then.schedule.captured_types
        self._now = Evaluation(catalogue, now, today)
        self._then = Evaluation(catalogue, then, day)

    def __iter__(self) -> Iterator[Compared]:
        for _, record in self._catalogue.records(self._identified):
            yield Compared(record, self._now.of(record).decision, self._then.of(record).decision)

    def changes(self, shown: int, advance: Advance) -> tuple[Changes, list[Compared]]:
        """The counts, and the first `shown` items that would change; memory does not grow with the estate."""
        changes = Changes()
        first: list[Compared] = []
        for number, compared in enumerate(self, start=1):
            changes.count(compared)
            if compared.changed and len(first) < shown:
                first.append(compared)
            if number % _EVERY == 0:
                advance(_EVERY)
        advance(changes.items % _EVERY)
        return changes, first

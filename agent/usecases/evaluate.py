"""Facts and schedule to decisions, for one item or for all of them. Nothing computed here is stored as truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from agent.catalogue.store import Catalogue
from agent.classification.classify import Classifier
from agent.model.decision import Assignment, Decision, DecisionState
from agent.model.record import Record
from agent.model.schedule import RetentionSchedule
from agent.retention.decide import decide


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One item with its facts, its classes and the decision on a given day."""

    record: Record
    assignments: tuple[Assignment, ...]
    decision: Decision


class Evaluation:
    """Every live item of the catalogue under one schedule, as of one day. Iterating again computes anew."""

    def __init__(self, catalogue: Catalogue, schedule: RetentionSchedule, as_of: date) -> None:
        self._catalogue = catalogue
        self._schedule = schedule
        self._classifier = Classifier(schedule)
        self._as_of = as_of

    def __iter__(self) -> Iterator[Evaluated]:
        for _, record in self._catalogue.records():
            yield self.of(record)

    def of(self, record: Record) -> Evaluated:
        assignments = self._classifier.classify(record)
        return Evaluated(record, assignments, decide(record, assignments, self._schedule, (), self._as_of))


@dataclass(slots=True)
class Totals:
    """Counts over an evaluation: items, unless said otherwise."""

    classes: Counter[str] = field(default_factory=Counter)
    classes_due: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    with_personal_data: int = 0


def total(evaluated: Iterable[Evaluated]) -> Totals:
    """The counts. `findings` counts distinct values per item and entity type."""
    totals = Totals()
    for entry in evaluated:
        totals.states[entry.decision.state] += 1
        totals.classes.update(assignment.class_id for assignment in entry.assignments)
        if entry.decision.state is DecisionState.DUE and entry.decision.class_id:
            totals.classes_due[entry.decision.class_id] += 1
        totals.findings.update(entry.record.findings)
        totals.categories.update(category.value for category in entry.record.categories)
        totals.with_personal_data += bool(entry.record.categories)
    return totals

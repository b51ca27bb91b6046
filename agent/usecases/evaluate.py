"""Facts and schedule to decisions, for one item or for all of them. Nothing computed here is stored as truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from agent.catalogue.store import Catalogue
from agent.classification.classify import Classifier
from agent.model.condition import StorageKind
from agent.model.decision import (
    CLASS_MARK,
    LABELLED_MARK,
    Assignment,
    Circumstances,
    Decision,
    DecisionState,
    ReasonCode,
)
from agent.model.event import Event
from agent.model.hold import Hold
from agent.model.key import HIDDEN, NAMED_AS, KeyForm
from agent.model.record import Record
from agent.model.review import ReviewFacts
from agent.model.schedule import RetentionSchedule
from agent.model.sharing import OUTSIDE, sharing_in
from agent.retention.decide import decide
from agent.retention.reviews import reassigned
from agent.usecases.hold_scope import scope_test

_NOT_REVIEWED = ReviewFacts()


@dataclass(frozen=True, slots=True)
class Terms:
    """What is decided by, beside the facts of the catalogue: the schedule, how keys are kept, and what sort of place
    each share is, by its name in small letters."""

    schedule: RetentionSchedule
    form: KeyForm
    storage: Mapping[str, frozenset[StorageKind]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One item with its facts, its classes (keys as they are kept) and the decision on a given day."""

    record: Record
    assignments: tuple[Assignment, ...]
    decision: Decision
    holds: tuple[Hold, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """The names of the item's keys with their values as they are kept."""
        return frozenset(pair for assignment in self.assignments for pair in assignment.keys.items())


class Events:
    """What has happened, by what it happened to."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._behind: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in events:
            self._behind[event.key, event.value].append(event)

    def of(self, keys: Iterable[tuple[str, str]]) -> list[Event]:
        """The events about any of these keys, as they are kept."""
        return [event for pair in keys for event in self._behind.get(pair, ())]


class Evaluation:
    """Every live item of the catalogue under one schedule, as of one day. Iterating again computes anew.

    `events` stand in for those in force, to see what would be; holds and what reviews have decided are always those of
    the catalogue.
    """

    def __init__(self, catalogue: Catalogue, terms: Terms, as_of: date, events: Sequence[Event] | None = None) -> None:
        self._catalogue = catalogue
        self._schedule = terms.schedule
        self._classifier = Classifier(terms.schedule, terms.storage)
        self._as_of = as_of
        in_force = catalogue.events.in_force() if events is None else events
        self._form = _form_for(in_force, terms.form)
        self._events = Events(replace(event, value=self._form.of(event.key, event.value)) for event in in_force)
        standing = [hold for hold in catalogue.holds.all() if hold.lifted_at is None]
        self._holds = [(hold, scope_test(catalogue, hold, terms.schedule, terms.storage)) for hold in standing]
        self._reviewed = catalogue.reviews.facts(terms.schedule.time_zone)

    @property
    def identified(self) -> frozenset[str]:
        """The entity types whose identities the records must bring along."""
        return self._schedule.captured_types

    def __iter__(self) -> Iterator[Evaluated]:
        for _, record in self._catalogue.records(self._schedule.captured_types):
            yield self.of(record)

    def of(self, record: Record, reviewed: ReviewFacts | None = None) -> Evaluated:
        """The evaluation of one item. `reviewed` stands in for what reviews have decided about it."""
        decided = self.reviewed(record.item_id) if reviewed is None else reviewed
        found = self._classify(record)
        assignments = self._as_reviewed(record, found, decided)
        # Whatever a review has said, a hold covers what it would have covered without it too.
        covering = found if assignments is found else (*assignments, *found)
        keys = {pair for assignment in assignments for pair in assignment.keys.items()}
        holds = tuple(
            hold
            for hold, scope in self._holds
            if hold.number in record.holds or scope.covers(record, record.item_id, covering)
        )
        misplaced = () if record.in_vault else self._classifier.misplaced(record)
        circumstances = Circumstances(holds, misplaced, decided.extended_until)
        events = tuple(self._events.of(sorted(keys))) if keys else ()
        decision = decide(_labelled(record, decided), assignments, self._schedule, events, self._as_of, circumstances)
        return Evaluated(record, assignments, decision, holds, events)

    def reviewed(self, item_id: int) -> ReviewFacts:
        """What reviews had decided about the item when this evaluation began."""
        return self._reviewed.get(item_id, _NOT_REVIEWED)

    def _classify(self, record: Record) -> tuple[Assignment, ...]:
        return tuple(
            replace(assignment, keys=self._form.of_all(assignment.keys)) if assignment.keys else assignment
            for assignment in self._classifier.classify(record)
        )

    def _as_reviewed(
        self, record: Record, found: tuple[Assignment, ...], decided: ReviewFacts
    ) -> tuple[Assignment, ...]:
        """The classes after a review has put the item into one, unless the schedule has that class no longer."""
        if decided.assigned is None or decided.assigned[0] not in self._schedule.by_id:
            return found
        class_id, on = decided.assigned
        own = next(
            one
            for one in self._classify(replace(record, marks={**record.marks, CLASS_MARK: class_id}))
            if one.class_id == class_id
        )
        return reassigned(found, own, on, self._schedule)


def _labelled(record: Record, decided: ReviewFacts) -> Record:
    """A review that assigns a class labels the item on that day, unless something at the source tells another one."""
    if decided.assigned is None:
        return record
    return replace(record, marks={LABELLED_MARK: decided.assigned[1].isoformat(), **record.marks})


def _form_for(events: Sequence[Event], form: KeyForm) -> KeyForm:
    """The form in which items and events meet: what was hidden once, under another schedule, cannot be shown again."""
    hidden = {event.key: NAMED_AS for event in events if event.value.startswith(HIDDEN)}
    return form if hidden.keys() <= form.personal.keys() else replace(form, personal={**hidden, **form.personal})


@dataclass(slots=True)
class Totals:
    """Counts over an evaluation: items, unless said otherwise."""

    classes: Counter[str] = field(default_factory=Counter)
    classes_due: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    with_personal_data: int = 0
    misplaced: int = 0
    to_quarantine: int = 0
    shared: Counter[str] = field(default_factory=Counter)
    shared_with_personal_data: int = 0


def total(evaluated: Iterable[Evaluated]) -> Totals:
    """The counts. `findings` counts distinct values per item and entity type; of what is shared, only that counts which
    is shared beyond the organisation."""
    totals = Totals()
    for entry in evaluated:
        totals.states[entry.decision.state] += 1
        totals.classes.update(assignment.class_id for assignment in entry.assignments)
        if entry.decision.state is DecisionState.DUE and entry.decision.class_id:
            totals.classes_due[entry.decision.class_id] += 1
        totals.findings.update(entry.record.findings)
        totals.categories.update(category.value for category in entry.record.categories)
        totals.with_personal_data += bool(entry.record.categories)
        totals.misplaced += any(reason.code is ReasonCode.PLACEMENT for reason in entry.decision.reasons)
        totals.to_quarantine += entry.decision.placement is not None
        sharing = sharing_in(entry.record.marks)
        if sharing in OUTSIDE:
            totals.shared[sharing] += 1
            totals.shared_with_personal_data += bool(entry.record.categories)
    return totals

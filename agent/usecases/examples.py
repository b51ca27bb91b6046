"""The examples that stand beside a schedule's classes, tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from agent.classification.classify import Classifier
from agent.model.categories import ENTITY_CATEGORIES
from agent.model.decision import LABELS_MARK, Circumstances, Decision
from agent.model.event import Event
from agent.model.finding import JUDGED_CATEGORIES, CategoryVerdict, DataCategory, Verdict
from agent.model.key import normalise_key
from agent.model.outcome import Outcome, OutcomeKind
from agent.model.record import Record
from agent.model.schedule import Example, RetentionClass, RetentionSchedule
from agent.retention.decide import decide

_SURE = 0.9


@dataclass(frozen=True, slots=True)
class Tried:
    """One example on one day: what was expected, and the decision. It is right if the state is the one expected and
    the class that it stands beside rules (a placement rule may move the item all the same)."""

    class_id: str
    example: Example
    day: date
    expected: str
    decision: Decision

    @property
    def right(self) -> bool:
        if self.decision.state != self.expected:
            return False
        return self.expected == "unclassified" or self.decision.class_id == self.class_id


def try_examples(schedule: RetentionSchedule) -> Iterator[Tried]:
    """Every example on every day that it names, in the order of the schedule."""
    for retention_class in schedule.classes:
        for example in retention_class.examples:
            yield from _tried(schedule, retention_class, example)


def _tried(schedule: RetentionSchedule, retention_class: RetentionClass, example: Example) -> Iterator[Tried]:
    classifier = Classifier(schedule, {example.share.casefold(): example.stored_in})
    record = _record(example)
    assignments = classifier.classify(record)
    circumstances = Circumstances(misplaced=classifier.misplaced(record))
    events = [Event(type_, key, normalise_key(value), on) for type_, key, value, on in example.events]
    for day, expected in example.states:
        decision = decide(record, assignments, schedule, events, day, circumstances)
        yield Tried(retention_class.id, example, day, expected, decision)


def _record(example: Example) -> Record:
    judged = [DataCategory(word) for word in example.findings if word in set(JUDGED_CATEGORIES)]
    return Record(
        share=example.share,
        path=example.path,
        format="unknown",  # the kind of file is told by the path's ending
        size_bytes=1,
        modified_at=_noon(example.modified),
        first_seen_at=_noon(example.found),
        outcome=Outcome(OutcomeKind.SCANNED),
        created_at=_noon(example.created),
        accessed_at=_noon(example.modified),
        findings=Counter(map(_entity_type, example.findings)),
        marks={LABELS_MARK: ", ".join(example.labels)} if example.labels else {},
        verdict=Verdict(
            tuple(CategoryVerdict(category, _SURE) for category in judged),
            ((str(example.content), _SURE),) if example.content else (),
        ),
        copies=example.copies,
    )


def _entity_type(word: str) -> str:
    """The entity type, or any of the data category."""
    if word in ENTITY_CATEGORIES:
        return word
    return next(entity_type for entity_type, category in ENTITY_CATEGORIES.items() if category == word)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

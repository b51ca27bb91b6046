"""What events change, before they are accepted: how the items behind their keys stand now and would stand then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import date

from agent.catalogue.store import Catalogue
from agent.classification.classify import Classifier
from agent.model.decision import Decision
from agent.model.event import Event
from agent.model.record import Record
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.simulate import acted_on

MOST_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """One item that would stand differently."""

    share: str
    path: str
    before: Decision
    after: Decision


@dataclass(slots=True)
class Preview:
    """What would change as of a day.

    `behind` counts the items with one of the keys, `changed` those that would stand differently; `changes` are the
    first of these, `MOST_CHANGES` at the most. `turns` counts them by their state before and after.
    """

    as_of: date
    behind: int = 0
    changed: int = 0
    changes: list[Change] = field(default_factory=list)
    turns: Counter[tuple[str, str]] = field(default_factory=Counter)


def behind(catalogue: Catalogue, terms: Terms, keys: Set[tuple[str, str]]) -> Iterator[Record]:
    """The live items that have one of these keys (name and value, as it is kept).

    Goes once through the catalogue, whatever the number of keys, and asks nothing of an item but its classes.
    """
    classifier = Classifier(terms.schedule, terms.storage)
    for _, record in catalogue.records(terms.schedule.captured_types):
        own = (assignment.keys for assignment in classifier.classify(record) if assignment.keys)
        if any(key in keys for captured in own for key in terms.form.of_all(captured).items()):
            yield record


def preview(
    catalogue: Catalogue, terms: Terms, as_of: date, added: Sequence[Event], ended: Collection[Event]
) -> Preview:
    """What changes when events come to be in force and others cease to be. Nothing is recorded."""
    standing = catalogue.events.in_force()
    now = Evaluation(catalogue, terms, as_of, standing)
    then = Evaluation(catalogue, terms, as_of, [*(event for event in standing if event not in ended), *added])
    found = Preview(as_of)
    for record in behind(catalogue, terms, {(event.key, event.value) for event in (*added, *ended)}):
        found.behind += 1
        before, after = now.of(record).decision, then.of(record).decision
        if acted_on(before) == acted_on(after):
            continue
        found.changed += 1
        found.turns[before.state, after.state] += 1
        if len(found.changes) < MOST_CHANGES:
            found.changes.append(Change(record.share, record.path, before, after))
    return found

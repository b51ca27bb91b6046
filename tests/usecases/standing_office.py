"""An office whose files stand in every way, and what may happen to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

from agent.catalogue.base import ItemResult, Recorded
from agent.catalogue.events import NewEvent
from agent.catalogue.store import Catalogue
from agent.detection.identity import FindingIdentity
from agent.model.condition import StorageKind
from agent.model.decision import DecisionState
from agent.model.event import Event
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.key import KeyForm
from agent.model.record import Record
from agent.retention.loader import load_schedule
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.holds import Holds
from agent.usecases.standing import bring_up_to_date
from connectors.base import FolderGone, Gone
from tests.catalogue.conftest import a_result, ref_of, version
from tests.catalogue.empty import empty_at

TODAY = date(2026, 6, 1)
SCHEDULE = """\
id: standing
title: Standing
version: "1"
organisation: Example Ltd
time_zone: Europe/London
placement:
  - id: no-drives
    title: No case files on drives
    mandate: A policy.
    applies_when: {all_of: [{stored_in: local_drive}, {path: "Cases/**"}]}
    then: quarantine
classes:
"""
CLASSES = {
    "staff": """\
    applies_when: {path: "Staff/{person}/**"}
    keys: [person]
    trigger: {event: left, key: person}
    period: P1Y
    outcome: review
""",
    "letter": """\
    applies_when: {path: "Cases/{case}/Letters/{document}.*"}
    keys: [case, document]
    trigger: {event: closed, key: case}
    period: none
    unless:
      - same_content_as: Cases/*/Report/**
      - label: used
      - {event: used, key: document}
    otherwise: report
    outcome: destroy
""",
    "report": """\
    applies_when: {path: "Cases/{case}/Report/**"}
    keys: [case]
    trigger: {event: closed, key: case}
    period: P6M
    outcome: destroy
""",
    "other": """\
    applies_when: {path: "Other/**"}
    trigger: modified
    period: P5Y
    outcome: destroy
""",
    "arrived": """\
    applies_when: {path: "New/**"}
    trigger: created
    period: P1M
    outcome: destroy
""",
}
SCHEDULE += "".join(
    f"  - id: {class_id}\n    title: {class_id}\n    mandate: A law.\n    scope_notes: All of it.\n{text}"
    for class_id, text in CLASSES.items()
)
OTHER_SCHEDULE = SCHEDULE.replace("period: P5Y", "period: P4Y").replace(
    "time_zone:", "personal_keys: [person, case]\ntime_zone:"
)
STORAGE = {"laptop": frozenset({StorageKind.LOCAL_DRIVE})}


def terms(text: str = SCHEDULE) -> Terms:
    schedule = load_schedule(text, "s.yaml")
    return Terms(schedule, KeyForm(schedule.hidden_keys, FindingIdentity(b"k" * 32).of), STORAGE)


class Office:
    """A catalogue, the day it is, and the terms."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.today = TODAY
        self.terms = terms()
        self._names = count(1)

    # What happens

    def scan(self, *results: Recorded, share: str = "office") -> None:
        """A whole pass that tells these results."""
        at = datetime(2026, 1, 1, tzinfo=UTC)
        known = self.catalogue.ensure_share(share, f"/srv/{share}", share)
        current = self.catalogue.begin_pass(known, version(), at)
        self.catalogue.commit(current, results, b"", len(results), 1, at)
        self.catalogue.end_pass(current, at)

    def file(self, *paths: str, share: str = "office", **facts: Any) -> None:
        """Files as a scan finds them, all with these facts."""
        self.scan(*(found(path, **facts) for path in paths), share=share)

    def remove(self, path: str, share: str = "office") -> None:
        self.scan(Gone(ref_of(path.encode())), share=share)

    def remove_folder(self, path: str, share: str = "office") -> None:
        self.scan(FolderGone(path.encode()), share=share)

    def happen(self, type_: str, key: str, value: str, on: date) -> int:
        event = Event(type_, key, self.terms.form.of(key, value), on)
        (recorded,) = self.catalogue.events.add([NewEvent(event, "test")], self._now(), "me")
        return recorded.number

    def correct(self, number: int, on: date) -> None:
        old = self.catalogue.events.standing(number).event
        self.catalogue.events.correct(number, replace(old, on=on), self._now(), "me", "why")

    def withdraw(self, number: int) -> None:
        self.catalogue.events.withdraw(number, self._now(), "me", "why")

    def hold(self, scope: HoldScope, **days: date | None) -> int:
        new = Hold(
            0, f"hold {next(self._names)}", HoldKind.LEGAL_HOLD, scope, "a reason", "", "me", self._now(), **days
        )
        holds = Holds(self.catalogue, self.terms)
        everything = scope == HoldScope()
        return holds.place(holds.work_out(new, everything=everything, progress=_ignore), _ignore).number

    def lift(self, number: int) -> None:
        self.catalogue.holds.lift(number, "me", "why", self._now(), None)

    def _now(self) -> datetime:
        return datetime(self.today.year, self.today.month, self.today.day, 9, tzinfo=UTC)

    # What is asked

    def decide(self) -> int:
        """How many items had to be decided on anew."""
        return bring_up_to_date(self.catalogue, self.terms, self.today)

    def kept(self) -> dict[tuple[str, str], tuple[object, ...]]:
        """How every item stands by what is kept."""
        standings = self.catalogue.standings
        rows = [one for state in DecisionState for one in standings.of_state(state)]
        due = {one.item_id for one in standings.due(self.today)}
        return {
            (one.share, str(one.ref)): (
                "due" if one.item_id in due else str(one.state),
                one.class_id,
                one.outcome,
                one.due_on,
            )
            for one in rows
        }

    def computed(self) -> dict[tuple[str, str], tuple[object, ...]]:
        """How every item stands by deciding on all of them."""
        return {
            (entry.record.share, entry.record.path): (
                str(entry.decision.state),
                entry.decision.class_id,
                entry.decision.outcome,
                entry.decision.due_on,
            )
            for entry in Evaluation(self.catalogue, self.terms, self.today)
        }

    def record(self, path: str) -> Record:
        return next(record for _, record in self.catalogue.records() if record.path == path)


@contextmanager
def an_office(path: Path) -> Iterator[Office]:
    with Catalogue.open(empty_at(path)) as catalogue:
        yield Office(catalogue)


def found(path: str, content: str = "", modified: date = date(2020, 1, 1), **facts: Any) -> ItemResult:
    """A file as a scan finds it; files of the same `content`, if it is given, have the same bytes."""
    created = facts.pop("created", modified)
    marks = facts.pop("marks", {})
    result = a_result(path.encode(), content_hash=content.encode() or None, **facts)
    assert result.item is not None
    item = replace(result.item, modified_at=_noon(modified), created_at=_noon(created), marks=marks)
    return replace(result, item=item)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _ignore(items: int) -> None:
    """Progress that nobody looks at."""

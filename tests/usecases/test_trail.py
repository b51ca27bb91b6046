"""The audit trail: whoever changes what was recorded, in the catalogue or in the log, is found out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from agent.audit.log import AuditLog
from agent.audit.verify import verify
from agent.catalogue.events import NewEvent
from agent.catalogue.store import Catalogue
from agent.keys import derive
from agent.model.event import Event
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.usecases.trail import Trail
from tests.catalogue.empty import empty_at

MASTER = b"m" * 32
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LEFT = Event("employment_ended", "person", "#" + "ab" * 16, date(2026, 2, 28))
HOLD = Hold(0, "Claim", HoldKind.LEGAL_HOLD, HoldScope(classes=("payroll",)), "a claim", "", "ann", NOW)


def trail() -> Trail:
    return Trail.derived(lambda purpose: derive(MASTER, purpose), "records.example.org/audit")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(empty_at(path), create=False, witness=trail()) as catalogue:
        (first,) = catalogue.events.add([NewEvent(LEFT, "test")], NOW, "ann")
        catalogue.events.correct(first.number, Event(*_parts(date(2026, 2, 27))), NOW, "bob", "the day was wrong")
        (other,) = catalogue.events.add([NewEvent(Event("left", "case", "17", NOW.date()), "test")], NOW, "ann")
        catalogue.events.withdraw(other.number, NOW, "ann", "it was not so")
        held = catalogue.holds.place(HOLD, ())
        catalogue.holds.lift(held.number, "bob", "it is over", NOW, None)
        yield catalogue


def _parts(on: date) -> tuple[str, str, str, date]:
    return LEFT.type, LEFT.key, LEFT.value, on


def said(catalogue: Catalogue) -> list[str]:
    with catalogue.connected() as connection:
        return list(trail().disagreements(catalogue, AuditLog(connection)))


def test_what_others_record_meanwhile_is_no_disagreement(
    catalogue: Catalogue, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = Trail._compared
    recorded: list[int] = []

    def while_others_record(self: Trail, other: Catalogue, log: AuditLog) -> Iterator[str]:
        found = compared(self, other, log)
        if len(recorded) < 3:  # after the log was read, and before the facts are
            next(found, None)
            with Catalogue.open(path, witness=trail()) as busy:
                busy.events.add([NewEvent(Event("left", "case", f"{len(recorded)}", NOW.date()), "test")], NOW, "ann")
            recorded.append(1)
            yield "The audit log knows nothing of an event in the catalogue."
        yield from found

    monkeypatch.setattr(Trail, "_compared", while_others_record)

    assert said(catalogue) == []
    assert len(recorded) == 3


def tamper(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)


def test_every_act_leaves_entries_under_a_checkpoint(catalogue: Catalogue) -> None:
    with catalogue.connected() as connection:
        log = AuditLog(connection)
        kinds = [leaf.kind.value for _, leaf in log.entries()]
        told = verify(connection, [trail().signing_key.verifier])
    assert kinds == [
        "event_recorded", "event_corrected", "event_corrected", "event_recorded", "event_withdrawn",
        "hold_placed", "hold_lifted",
    ]  # fmt: skip
    assert (told.good, told.size, told.covered) == (True, 7, 7)
    assert said(catalogue) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE event SET on_day = on_day + 1 WHERE id = 2", "Event 2 is not as it was when it was recorded."),
        ("UPDATE event SET recorded_by = 'eve' WHERE id = 1", "Event 1 is not as it was when it was recorded."),
        ("UPDATE event SET ended_why = 'x' WHERE id = 1", "Event 1, that it ended, is not as it was"),
        ("UPDATE hold SET reason = 'x'", "Hold 1 is not as it was when it was recorded."),
        ("UPDATE hold SET lifted_by = 'eve'", "Hold 1, that it ended, is not as it was"),
        ("UPDATE hold SET lifted_at = NULL", "Hold 1 ended, says the log, but the catalogue does not know it."),
        ("DELETE FROM event WHERE id = 3", "Event 3 was recorded, says the log, but the catalogue does not know it."),
        (
            "INSERT INTO event (type, key, value, on_day, recorded_at, recorded_by, origin, note, state) "
            "VALUES ('left', 'case', '18', 700000, 0, 'eve', 'command', '', 'in_force')",
            "The audit log knows nothing of event 4 in the catalogue.",
        ),
    ],
)
def test_a_change_behind_the_back_of_the_log_is_found(
    catalogue: Catalogue, path: Path, change: str, sentence: str
) -> None:
    tamper(path, change)
    assert any(one.startswith(sentence) for one in said(catalogue)), said(catalogue)


def test_what_cannot_be_logged_is_not_recorded(path: Path) -> None:
    def refuse(connection: object, facts: object) -> None:
        raise RuntimeError("the log cannot be written")

    with Catalogue.open(empty_at(path), create=False, witness=refuse) as catalogue:
        with pytest.raises(RuntimeError):
            catalogue.events.add([NewEvent(LEFT, "test")], NOW, "ann")
        with pytest.raises(RuntimeError):
            catalogue.holds.place(HOLD, ())
        assert (catalogue.events.in_force(), catalogue.holds.all()) == ((), ())


def test_the_log_holds_no_name_and_no_value(catalogue: Catalogue) -> None:
    with catalogue.connected() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM audit_leaf").scalars().all()
    written = b"".join(rows)
    assert rows
    for word in (b"ann", b"bob", b"Claim", b'17"', b"ab" * 16, b"wrong"):
        assert word not in written, word

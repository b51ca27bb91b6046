"""Events are recorded whole or not at all, and what was recorded is never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy

from agent.catalogue.events import NewEvent, import_origin
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.event import Event, EventState, RecordedEvent
from tests.catalogue.conftest import a_pass, a_result

AT = datetime(2026, 6, 1, 12, 30, 15, 123456, tzinfo=UTC)
LEFT = Event("employment_ended", "person", "#" + "ab" * 16, date(2024, 2, 29))
CLOSED = Event("case_closed", "case", "2026-17", date(2026, 1, 31))


def _add(catalogue: Catalogue, *events: Event, origin: str = "command") -> tuple[RecordedEvent, ...]:
    return catalogue.events.add([NewEvent(event, origin, "a note") for event in events], AT, "ann")


def test_an_event_is_read_back_as_it_was_recorded(catalogue: Catalogue, path: Path) -> None:
    recorded = _add(catalogue, LEFT, CLOSED)
    assert recorded == (
        RecordedEvent(1, LEFT, AT, "ann", "command", "a note"),
        RecordedEvent(2, CLOSED, AT, "ann", "command", "a note"),
    )
    catalogue.close()
    with Catalogue.open(path, create=False) as again:
        assert tuple(again.events.all()) == recorded
        assert again.events.in_force() == (LEFT, CLOSED)
        assert again.events.get(2) == again.events.standing(2) == recorded[1]
        assert again.events.get(3) is None


def test_events_are_told_by_type_and_by_key(catalogue: Catalogue) -> None:
    other = replace(CLOSED, value="2026-18")
    warned = replace(LEFT, type="warning_expired")
    _add(catalogue, LEFT, CLOSED, other, warned)
    assert [one.event for one in catalogue.events.all(type="case_closed")] == [CLOSED, other]
    assert [one.event for one in catalogue.events.of("case", "2026-18")] == [other]
    assert [one.event for one in catalogue.events.all(type="warning_expired", key=("person", LEFT.value))] == [warned]
    assert catalogue.events.of("person", "2026-18") == ()


def test_no_event_is_a_fact_like_any(catalogue: Catalogue) -> None:
    before = catalogue.state_mark()
    assert _add(catalogue) == ()
    assert catalogue.state_mark() == before


def test_a_corrected_event_stays_on_record_and_another_one_stands(catalogue: Catalogue) -> None:
    _add(catalogue, CLOSED, LEFT)
    later, right = AT + timedelta(days=1), replace(LEFT, on=date(2024, 3, 31))
    corrected = catalogue.events.correct(2, right, later, "bob", "a slip")
    assert corrected == RecordedEvent(3, right, later, "bob", "command", "a note", corrects=2)
    assert catalogue.events.get(3) == corrected
    assert catalogue.events.get(2) == RecordedEvent(
        2, LEFT, AT, "ann", "command", "a note", EventState.CORRECTED, None, later, "bob", "a slip"
    )
    assert catalogue.events.in_force() == (CLOSED, right)
    assert [one.number for one in catalogue.events.of("person", LEFT.value)] == [2, 3]
    assert [one.number for one in catalogue.events.all(only_in_force=True)] == [1, 3]


def test_a_withdrawn_event_stays_on_record_and_does_not_count(catalogue: Catalogue) -> None:
    _add(catalogue, LEFT)
    withdrawn = catalogue.events.withdraw(1, AT, "bob", "stayed on")
    assert withdrawn == RecordedEvent(
        1, LEFT, AT, "ann", "command", "a note", EventState.WITHDRAWN, None, AT, "bob", "stayed on"
    )
    assert catalogue.events.in_force() == ()
    assert [one.number for one in _add(catalogue, LEFT)] == [2], "what was withdrawn may happen after all"


def test_only_an_event_in_force_can_be_corrected_or_withdrawn(catalogue: Catalogue) -> None:
    _add(catalogue, LEFT, CLOSED)
    catalogue.events.withdraw(1, AT, "bob", "no")
    catalogue.events.correct(2, replace(CLOSED, on=date(2026, 2, 1)), AT, "bob", "no")
    for number, said in (
        (1, "Event number 1 was withdrawn on 2026-06-01 by bob. Only"),
        (2, "Event number 2 was corrected on 2026-06-01 by bob; number 3 stands in its place. Only"),
        (9, "There is no event number 9."),
    ):
        with pytest.raises(UsageError, match=said):
            catalogue.events.withdraw(number, AT, "bob", "why")
        with pytest.raises(UsageError, match=said):
            catalogue.events.correct(number, LEFT, AT, "bob", "why")
        with pytest.raises(UsageError, match=said):
            catalogue.events.standing(number)
    assert len(tuple(catalogue.events.all())) == 3


def test_nothing_is_recorded_if_one_is_recorded_already(catalogue: Catalogue) -> None:
    _add(catalogue, LEFT)
    with pytest.raises(UsageError) as told:
        _add(catalogue, CLOSED, LEFT)
    assert str(told.value) == (
        'The event "employment_ended" of person #abababab… on 2024-02-29 is recorded already, as event number 1. '
        "Nothing was changed."
    )
    assert catalogue.events.in_force() == (LEFT,)


def test_nothing_is_recorded_if_one_is_told_twice(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="is to be recorded 2 times"):
        _add(catalogue, LEFT, CLOSED, LEFT)
    assert catalogue.events.in_force() == ()


def test_a_correction_to_what_stands_already_changes_nothing(catalogue: Catalogue) -> None:
    other = replace(LEFT, on=date(2025, 1, 1))
    _add(catalogue, LEFT, other)
    for new in (LEFT, other):
        with pytest.raises(UsageError, match="is recorded already"):
            catalogue.events.correct(1, new, AT, "bob", "why")
    assert catalogue.events.in_force() == (LEFT, other)


def test_the_same_on_another_day_or_to_another_or_of_another_type_is_another_event(catalogue: Catalogue) -> None:
    _add(catalogue, LEFT)
    others = [
        replace(LEFT, on=date(2024, 3, 1)),
        replace(LEFT, value="#" + "cd" * 16),
        replace(LEFT, key="employee"),
        replace(LEFT, type="left"),
    ]
    assert catalogue.events.already([*others, LEFT]) == {LEFT: 1}
    _add(catalogue, *others)
    assert len(catalogue.events.in_force()) == 5


def test_many_events_are_asked_for_and_told_whole(catalogue: Catalogue) -> None:
    """More than one statement asks for, and more than one block tells."""
    events = [Event("case_closed", "case", f"{number}", date(2020, 1, 1)) for number in range(2500)]
    _add(catalogue, *events)
    assert catalogue.events.in_force() == tuple(events)
    assert catalogue.events.already([LEFT, *events]) == {event: number for number, event in enumerate(events, 1)}


def test_what_a_file_brought_is_known_by_its_contents(catalogue: Catalogue) -> None:
    one, other = "a" * 64, "b" * 64
    misleading = f"x sha256:{other} line .csv"
    catalogue.events.add(
        [NewEvent(LEFT, import_origin("l.csv", one, 12)), NewEvent(CLOSED, import_origin(misleading, one, 3))],
        AT,
        "ann",
    )
    assert catalogue.events.imported(one) == (2, 2)
    catalogue.events.withdraw(1, AT, "ann", "no")
    assert catalogue.events.imported(one) == (2, 1)
    assert catalogue.events.imported(other) == (0, 0)
    recorded = catalogue.events.get(1)
    assert recorded is not None
    assert recorded.origin == f"import l.csv sha256:{one} line 12"


def _stand(catalogue: Catalogue, **keys: str) -> None:
    """Every item stands somehow, and has the key `person` of that value."""
    database = catalogue._database.connection
    for (number,) in database.exec_driver_sql("SELECT id FROM item").all():
        database.exec_driver_sql("INSERT INTO standing (item_id, state) VALUES (?, 'waiting')", (number,))
    for number, value in enumerate(keys.values(), 1):
        database.exec_driver_sql("INSERT INTO item_key VALUES (?, 'person', ?)", (number, value))


def _standing(catalogue: Catalogue) -> list[int]:
    rows = catalogue._database.connection.exec_driver_sql("SELECT item_id FROM standing ORDER BY item_id")
    return [number for (number,) in rows]


def test_items_behind_a_key_that_is_touched_are_decided_anew(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"), a_result(b"b"), a_result(b"c"))
    _stand(catalogue, a="#aa", b="#bb", c="#cc")
    mark = catalogue.state_mark()
    _add(catalogue, replace(LEFT, value="#aa"))
    assert _standing(catalogue) == [2, 3]
    assert catalogue.state_mark() != mark, "summaries computed before are no longer true"


def test_a_correction_touches_the_old_key_and_the_new_one(catalogue: Catalogue) -> None:
    _add(catalogue, replace(LEFT, value="#aa"))
    a_pass(catalogue, a_result(b"a"), a_result(b"b"), a_result(b"c"))
    _stand(catalogue, a="#aa", b="#bb", c="#cc")
    catalogue.events.correct(1, replace(LEFT, value="#bb"), AT, "bob", "the other one")
    assert _standing(catalogue) == [3]


def test_a_withdrawal_touches_its_key(catalogue: Catalogue) -> None:
    _add(catalogue, replace(LEFT, value="#aa"))
    a_pass(catalogue, a_result(b"a"), a_result(b"b"))
    _stand(catalogue, a="#aa", b="#bb")
    mark = catalogue.state_mark()
    catalogue.events.withdraw(1, AT, "bob", "no")
    assert _standing(catalogue) == [2]
    assert catalogue.state_mark() != mark


def test_a_refused_act_touches_nothing(catalogue: Catalogue) -> None:
    _add(catalogue, replace(LEFT, value="#aa"))
    a_pass(catalogue, a_result(b"a"), a_result(b"b"))
    _stand(catalogue, a="#aa", b="#bb")
    mark = catalogue.state_mark()
    with pytest.raises(UsageError):
        _add(catalogue, replace(LEFT, value="#bb"), replace(LEFT, value="#aa"))
    assert (_standing(catalogue), catalogue.state_mark()) == ([1, 2], mark)


def test_events_are_found_by_their_index(catalogue: Catalogue) -> None:
    """A file of a hundred thousand events asks for each of them among all that there are."""
    asked = []
    database = catalogue._database.connection
    sqlalchemy.event.listen(database, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
    catalogue.events.already([LEFT, CLOSED])
    ((statement, values),) = asked
    plan = [step[-1] for step in database.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert any("ix_event_key_value" in step for step in plan), plan
    assert not any(step.startswith("SCAN e") for step in plan), plan

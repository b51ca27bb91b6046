"""A hold covers what every part of its scope holds for, and within a part one is enough."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.classification.classify import condition_test
from agent.classification.scopes import ScopeTest
from agent.model.condition import AllOf, Condition, FindingPresent, Not, PathMatches, PathPattern, StorageKind, StoredIn
from agent.model.decision import Assignment
from agent.model.hold import HoldScope
from tests.retention.factories import a_record, an_assignment

LONDON = ZoneInfo("Europe/London")
JANE, JOE = b"j" * 16, b"o" * 16
HR = PathMatches((PathPattern("HR/**"),))


def covers(
    scope: HoldScope,
    *assignments: Assignment,
    condition: Condition | None = None,
    items: frozenset[int] = frozenset(),
    item_id: int = 7,
    **facts: Any,
) -> bool:
    return ScopeTest(scope, condition, items, LONDON).covers(a_record(**facts), item_id, assignments)


def test_a_scope_without_any_part_covers_everything() -> None:
    assert covers(HoldScope())
    assert covers(HoldScope(), an_assignment("payroll", case="7"))


def test_a_condition_covers_what_it_holds_for() -> None:
    scope = HoldScope("path: HR/**\n")
    assert covers(scope, condition=HR, path="hr/a/b.txt")
    assert not covers(scope, condition=HR, path="Pay/b.txt")
    assert covers(scope, condition=Not(HR), path="Pay/b.txt")
    both = AllOf((HR, FindingPresent("UK_NINO")))
    assert not covers(scope, condition=both, path="HR/a")
    assert covers(scope, condition=both, path="HR/a", findings={"UK_NINO": 1})


def test_a_condition_on_the_place_of_storage_is_told_what_sort_of_place_each_share_is() -> None:
    storage = {"office": frozenset({StorageKind.LOCAL_DRIVE})}
    condition = StoredIn((StorageKind.LOCAL_DRIVE, StorageKind.CLOUD))
    test = ScopeTest(HoldScope("stored_in: local_drive\n"), condition, frozenset(), LONDON, storage)
    assert test.covers(a_record(share="Office"), 1, ())
    assert not test.covers(a_record(share="other"), 1, ())
    assert condition_test(condition, storage)(a_record(share="OFFICE"))
    assert not condition_test(condition)(a_record(share="office"))


def test_one_class_of_those_named_is_enough() -> None:
    scope = HoldScope(classes=("payroll", "recruitment"))
    assert covers(scope, an_assignment("letters"), an_assignment("recruitment"))
    assert not covers(scope, an_assignment("letters"))
    assert not covers(scope)


def test_one_key_of_those_named_is_enough_and_its_value_must_be_the_same() -> None:
    scope = HoldScope(keys=(("case", "2026-17"), ("contract", "9")))
    assert covers(scope, an_assignment("letters"), an_assignment("cases", case="2026-17", contract="8"))
    assert covers(scope, an_assignment("cases", case="2026-18", contract="9"))
    assert not covers(scope, an_assignment("cases", case="9", contract="2026-17"))
    assert not covers(scope, an_assignment("letters"))


def test_a_person_is_covered_where_found_and_where_a_key_names_them() -> None:
    scope = HoldScope(persons=(JANE, JOE))
    assert covers(scope, items=frozenset({7}))
    assert not covers(scope, items=frozenset({8}))
    assert covers(scope, an_assignment("letters"), an_assignment("personnel-file", person="#" + JOE.hex()))
    assert not covers(scope, an_assignment("personnel-file", person="#" + (b"x" * 16).hex()))
    assert not covers(scope, an_assignment("personnel-file", person=JOE.hex()))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2020, 6, 30, 22, 59, tzinfo=UTC), date(2020, 6, 30)),
        (datetime(2020, 6, 30, 23, 0, tzinfo=UTC), date(2020, 7, 1)),  # in London it is midnight
        (datetime(2020, 12, 31, 23, 59, tzinfo=UTC), date(2020, 12, 31)),
        (datetime.min.replace(tzinfo=UTC), date.min),
        (datetime.max.replace(tzinfo=UTC), date.max),
    ],
)
def test_the_day_of_last_modification_is_that_of_the_schedules_time_zone(moment: datetime, day: date) -> None:
    record = {"modified_at": moment, "created_at": None}
    assert covers(HoldScope(dated_from=day), **record)
    assert covers(HoldScope(dated_until=day), **record)
    assert covers(HoldScope(dated_from=day, dated_until=day), **record)
    if day < date.max:
        assert not covers(HoldScope(dated_from=date.fromordinal(day.toordinal() + 1)), **record)
    if day > date.min:
        assert not covers(HoldScope(dated_until=date.fromordinal(day.toordinal() - 1)), **record)


def test_the_end_of_the_calendar_has_no_other_time_zone() -> None:
    test = ScopeTest(HoldScope(dated_from=date.max), None, frozenset(), ZoneInfo("Pacific/Auckland"))
    assert test.covers(a_record(modified_at=datetime.max.replace(tzinfo=UTC), created_at=None), 1, ())


_PARTS: dict[str, dict[str, Any]] = {
    "classes": {"classes": ("cases",)},
    "keys": {"keys": (("case", "7"),)},
    "persons": {"persons": (JANE,)},
    "dated": {"dated_from": date(2015, 1, 1), "dated_until": date(2015, 12, 31)},
}


@given(given_parts=st.sets(st.sampled_from([*_PARTS, "condition"])), missed=st.sampled_from([*_PARTS, "condition"]))
def test_every_part_that_is_given_must_hold(given_parts: set[str], missed: str) -> None:
    """An item for which all parts but one hold is covered just if that one is not asked for."""
    scope = HoldScope(**{name: value for part in given_parts & set(_PARTS) for name, value in _PARTS[part].items()})
    assignment = Assignment(
        "letters" if missed == "classes" else "cases",
        {"case": "8" if missed == "keys" else "7"},
        0.9,
        "",
        explicit=False,
    )
    covered = covers(
        scope,
        assignment,
        condition=HR if "condition" in given_parts else None,
        items=frozenset() if missed == "persons" else frozenset({7}),
        path="Pay/a" if missed == "condition" else "HR/a",
        modified_at=datetime(2016 if missed == "dated" else 2015, 4, 3, tzinfo=UTC),
    )
    assert covered == (missed not in given_parts)

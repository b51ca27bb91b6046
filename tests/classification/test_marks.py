"""What a source tells of an item by its marks, asked for by name."""

from __future__ import annotations

import pytest

from agent.classification.classify import condition_test
from agent.model.condition import AllOf, FindingPresent, MarkIs, Not
from agent.model.finding import DataCategory
from agent.model.record import Record
from agent.retention.conditions import parse_condition
from tests.classification.test_labels import bearing

OUTSIDE = MarkIs("sharing", ("anonymous", "external"))


@pytest.mark.parametrize("sharing", ["anonymous", "external", " Anonymous "])
def test_a_mark_with_one_of_the_values_counts(sharing: str) -> None:
    assert condition_test(OUTSIDE)(bearing(sharing=sharing))


@pytest.mark.parametrize("marks", [{"sharing": "people"}, {"sharing": ""}, {"editor": "anonymous"}, {}])
def test_another_value_and_another_mark_do_not(marks: dict[str, str]) -> None:
    assert not condition_test(OUTSIDE)(bearing(**marks))


def test_without_values_any_will_do() -> None:
    held = condition_test(MarkIs("Column:Case"))
    assert held(bearing(**{"column:case": "C-12"}))
    assert not held(bearing(sharing="people"))


def test_where_it_is_shared_so_and_holds_health_data() -> None:
    together = condition_test(AllOf((OUTSIDE, FindingPresent(DataCategory.HEALTH), Not(MarkIs("record", ("yes",))))))
    shared: Record = bearing(sharing="external")
    assert not together(shared)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("mark: sharing\nis: [anonymous, external]\n", OUTSIDE),
        ("mark: sharing\nis: anonymous\n", MarkIs("sharing", ("anonymous",))),
        ("mark: column:Case\n", MarkIs("column:Case")),
    ],
)
def test_it_is_written_by_name_with_the_values_beside_it(text: str, condition: MarkIs) -> None:
    assert parse_condition(text, "scope") == condition

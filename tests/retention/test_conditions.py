"""A condition that stands alone, as in the scope of a hold."""

from __future__ import annotations

import pytest

from agent.model.condition import AllOf, FileKind, FileKindIs, PathMatches, PathPattern
from agent.retention.conditions import parse_condition
from agent.retention.problems import ScheduleError


def test_a_condition_is_read_as_in_a_schedule() -> None:
    text = "all_of:\n  - path: ['HR/**', '**/cases/**']\n  - file_kind: pdf\n"
    paths = PathMatches((PathPattern("HR/**"), PathPattern("**/cases/**")))
    assert parse_condition(text, "--query") == AllOf((paths, FileKindIs((FileKind.PDF,))))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path: HR/{person}/**", "--query:1:1: {person} can capture nothing here. Write * in its"),
        ("path: HR//b", "--query:1:7: path: Two slashes"),
        ("pathh: HR/**", 'There is no field "pathh" here. Did you mean "path"?'),
        ("{}", "This condition says nothing"),
        ("payroll", "Here stands text, but a group of fields is needed"),
        ("[path]", "A list of conditions needs to say how many must hold"),
        ("path: [", "--query:1:"),
        ("path: *x", "--query:1:"),
    ],
)
def test_what_is_wrong_with_it_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_condition(text, "--query")
    assert told in str(caught.value)


def test_every_key_captured_in_vain_is_told() -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_condition("any_of:\n  - path: '{case}/**'\n  - path: 'HR/{person}'\n", "--query")
    assert [problem.sentence.split()[0] for problem in caught.value.problems] == ["{case}", "{person}"]

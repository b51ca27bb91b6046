"""The examples beside a schedule's classes are tried as if their items lay in a catalogue."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent.model.decision import DecisionState
from agent.retention.fields import FINDINGS
from agent.retention.loader import load_schedule
from agent.usecases.examples import Tried, try_examples
from tests.usecases.event_office import SCHEDULE

POLICIES = Path(__file__).parents[2] / "config" / "policies"
CLASS = """\
  - id: tried
    title: Tried
    mandate: A law.
    scope_notes: All.
    applies_when: {condition}
    trigger: {trigger}
    period: P1Y
    outcome: destroy
    examples:
      - item: {{path: Tried/a.docx, {item}}}
        states: {{{states}}}
"""


def tried(
    item: str = "share: s",
    states: str = "2030-01-01: due",
    condition: str = "{path: Tried/**}",
    trigger: str = "modified",
    head: str = "",
) -> list[Tried]:
    text = SCHEDULE.replace("classes:\n", head + "classes:\n")
    text += CLASS.format(item=item, states=states, condition=condition, trigger=trigger)
    return list(try_examples(load_schedule(text, "office.yaml")))


def test_each_day_of_each_example_is_tried_in_the_order_of_the_schedule() -> None:
    states = "2021-06-02: due, 2021-06-01: keep, 2020-05-01: unclassified"
    on_the_day, early, wrong = tried("modified: 2020-06-01", states)
    assert (on_the_day.day, on_the_day.expected, on_the_day.right) == (date(2021, 6, 2), "due", True)
    assert (early.day, early.decision.state, early.right) == (date(2021, 6, 1), DecisionState.KEEP, True)
    assert (wrong.expected, wrong.decision.state, wrong.right) == ("unclassified", DecisionState.BLOCKED, False)
    assert (wrong.class_id, wrong.example.path, wrong.example.line) == ("tried", "Tried/a.docx", 47)


def test_an_example_is_wrong_if_another_class_rules_though_the_state_is_the_one_expected() -> None:
    text = SCHEDULE + CLASS.format(
        item="share: s", states="2030-01-01: due", condition="{path: Tried/**}", trigger="modified"
    )
    longer = CLASS.replace("id: tried", "id: longer").replace("P1Y", "P5Y").partition("    examples:")[0]
    text += longer.format(condition="{path: '**'}", trigger="modified")
    (one,) = try_examples(load_schedule(text, "office.yaml"))
    assert (one.decision.state, one.decision.class_id, one.right) == (DecisionState.DUE, "longer", False)


def test_an_example_outside_every_class_is_right_where_it_says_so() -> None:
    (one,) = tried(states="2030-01-01: unclassified", condition="{path: Elsewhere/**}")
    assert one.right


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ("share: HR", "{share: hr}"),
        ("labels: [final, x]", "{label: FINAL}"),
        ("copies: [Reports/1/a.docx]", '{same_content_as: "Reports/**"}'),
        ("stored_in: [cloud, outside_uk]", "{stored_in: outside_uk}"),
        ("content: payroll", "{content: payroll}"),
        ("findings: [UK_NINO]", "{finding: UK_NINO}"),
        ("findings: [UK_NINO]", "{finding: identification_number}"),
        ("findings: [PERSON, PERSON, PERSON]", "{finding: PERSON, at_least: 3}"),
        ("modified: 2020-01-01", "{file_kind: document}"),
    ],
)
def test_an_example_shows_whatever_a_condition_asks_for(item: str, condition: str) -> None:
    (one,) = tried(item, condition=condition)
    assert one.right
    (without,) = tried("share: other", condition=condition.replace("file_kind: document", "file_kind: mail"))
    assert without.decision.state is DecisionState.UNCLASSIFIED


@pytest.mark.parametrize("word", sorted(FINDINGS))
def test_every_word_for_what_can_be_found_may_stand_in_an_example(word: str) -> None:
    (one,) = tried(f"findings: [{word}]", condition=f"{{finding: {word}}}")
    assert one.right


@pytest.mark.parametrize(
    ("trigger", "item"),
    [
        ("modified", "modified: 2028-01-01, created: 2028-01-01"),
        ("created", "created: 2028-01-01"),
        ("accessed", "modified: 2028-01-01"),
        ("found", "modified: 2020-01-01, found: 2028-01-01"),
    ],
)
def test_each_date_of_an_example_is_the_day_written_there(trigger: str, item: str) -> None:
    early, on_the_day = tried(item, "2029-01-01: keep, 2029-01-02: due", trigger=trigger)
    assert early.right
    assert on_the_day.right


def test_the_file_kind_of_an_example_is_told_by_its_ending_alone() -> None:
    text = CLASS.replace("Tried/a.docx", "Tried/pdf").format(
        item="share: s", states="2030-01-01: unclassified", condition="{file_kind: pdf}", trigger="modified"
    )
    (one,) = try_examples(load_schedule(SCHEDULE + text, "office.yaml"))
    assert one.right


def test_events_reach_an_example_however_they_spell_what_they_are_about() -> None:
    example = (
        "    examples:\n      - item: {path: Cases/2019-14 A/b.docx}\n"
        "        events: [{event: case_closed, key: case, value: ' 2019-14  a', date: 2019-07-15}]\n"
        "        states: {2019-07-14: waiting, 2020-07-15: keep, 2020-07-16: due}\n"
    )
    text = SCHEDULE.replace("    outcome: destroy\n", "    outcome: destroy\n" + example)
    assert [one.right for one in try_examples(load_schedule(text, "office.yaml"))] == [True] * 3


def test_a_placement_rule_moves_an_example_whose_class_rules_all_the_same() -> None:
    head = (
        "placement: [{id: no-drives, title: None here, mandate: A law., then: quarantine, "
        "applies_when: {stored_in: local_drive}}]\n"
    )
    (one,) = tried("stored_in: [local_drive]", "2020-01-02: due", head=head)
    assert (one.decision.placement, one.decision.class_id, one.right) == ("no-drives", "tried", True)


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_of_a_shipped_schedule_comes_out_as_it_says(path: Path) -> None:
    wrong = [
        f"line {one.example.line}: on {one.day} {one.expected}, but {one.decision.state}"
        for one in try_examples(load_schedule(path.read_text(), path.name))
        if not one.right
    ]
    assert wrong == []

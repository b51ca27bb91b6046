"""The examples beside a class are read in full, and every mistake in them told with its place."""

from __future__ import annotations

from datetime import date

import pytest

from agent.model.condition import StorageKind
from agent.model.record_kind import RecordKind
from agent.model.schedule import Example
from agent.retention.loader import load_schedule
from tests.retention.test_loader import NOT_QUOTED, PAY
from tests.retention.test_pack_loader import A_LIST, A_NAME, EMPTY, PLACES, more, told
from tests.retention.test_schema import accepted

A_DAY = "Write a day here, as year, month and day: 2026-03-31."


def example(text: str) -> str:
    return more(f"    examples: [{{{text}}}]\n")


def test_examples_are_read_with_their_days() -> None:
    text = more(
        "    examples:\n"
        "      - item: {path: a.txt}\n        states: {2026-03-01: keep}\n"
        "      - item:\n          {path: b.txt, share: hr, created: 2019-01-02, found: 2019-01-05,\n"
        "           findings: [UK_NINO, health], content: payroll, stored_in: [cloud], labels: [final],\n"
        "           copies: [c/d.txt]}\n"
        "        events: [{event: closed, key: case, value: 7/1, date: 2020-02-29}]\n"
        '        states: {2026-03-01: due, "2026-03-02": unclassified}\n'
        "      - item: {path: c.txt, modified: 2018-01-02}\n        states: {2026-03-01: waiting}\n"
    )
    plain, full, modified = load_schedule(text, "s.yaml").classes[0].examples
    usual = date(2020, 1, 2)
    kept = ((date(2026, 3, 1), "keep"),)
    assert plain == Example("a.txt", "share", usual, usual, usual, (), None, (), (), frozenset(), (), kept, 17)
    assert full == Example(
        "b.txt", "hr", date(2019, 1, 2), date(2019, 1, 2), date(2019, 1, 5), ("UK_NINO", "health"), RecordKind.PAYROLL,
        ("final",), ("c/d.txt",), frozenset({StorageKind.CLOUD}), (("closed", "case", "7/1", date(2020, 2, 29)),),
        ((date(2026, 3, 1), "due"), (date(2026, 3, 2), "unclassified")), 19,
    )  # fmt: skip
    assert (modified.modified, modified.created, modified.found) == (date(2018, 1, 2),) * 3


# fmt: off
AT = f"{PAY}.examples[1]"
KEPT = "states: {2026-03-01: keep}"
BAD_EXAMPLES = [
    ("", [
        f'16:16: {AT}: The field "item" is missing. The item.',
        f'16:16: {AT}: The field "states" is missing. Days, and how the item stands on each: keep, waiting, due, '
        "blocked or unclassified."]),
    (f"item: a.txt, {KEPT}", [
        f"16:23: {AT}.item: Here stands text, but a group of fields is needed, with: path."]),
    (f"item: {{share: hr}}, {KEPT}", [
        f'16:23: {AT}.item: The field "path" is missing. The item\'s path in its share.']),
    (f'item: {{path: "", share: 7}}, {KEPT}', [
        f"16:30: {AT}.item.path: This text is empty. Write something, or leave the field out if it may be.",
        f'16:41: {AT}.item.share: 7 {NOT_QUOTED}: "7".']),
    (f"item: {{path: a, modified: 2026-02-31}}, {KEPT}", [
        f"16:43: {AT}.item.modified: There is no 2026-02-31 in the calendar."]),
    (f"item: {{path: a, created: 1/2/2026, found: [soon]}}, {KEPT}", [
        f"16:42: {AT}.item.created: {A_DAY}", f"16:59: {AT}.item.found: {A_DAY}"]),
    (f"item: {{path: a, findings: [UK_NINNO], content: pay, stored_in: [moon]}}, {KEPT}", [
        f'16:44: {AT}.item.findings[1]: "UK_NINNO" is not an entity type or data category that can be found. '
        'Did you mean "UK_NINO"?',
        f'16:64: {AT}.item.content: "pay" is not a kind of record. Did you mean "payroll"?',
        f'16:81: {AT}.item.stored_in[1]: "moon" is not a sort of place. {PLACES}']),
    (f"item: {{path: a, labels: x, copies: []}}, {KEPT}", [
        f"16:41: {AT}.item.labels: {A_LIST}", f"16:52: {AT}.item.copies: {EMPTY}"]),
    ("item: {path: a}, states: {2026-02-31: keep, 2026-03-01: kept, x: due}", [
        f"16:43: {AT}.states: There is no 2026-02-31 in the calendar.",
        f'16:73: {AT}.states.2026-03-01: "kept" is not a state. Did you mean "keep"?',
        f"16:79: {AT}.states: {A_DAY}"]),
    ("item: {path: a}, states: {}", [
        f"16:42: {AT}.states: Write at least one line here, with a colon between its two parts."]),
    ("item: {path: a}, states: [keep]", [
        f"16:42: {AT}.states: Write at least one line here, with a colon between its two parts."]),
    ("item: {path: a}, states: {2026-03-01: keep, 2026-03-01: due}", [
        f'16:61: {AT}.states: "2026-03-01" is given twice, first on line 16. Keep one of them.']),
    ("item: {path: a}, states: {? [a] : keep, 2026-03-01: [due]}", [
        f"16:45: {AT}.states: {A_DAY}",
        f"16:69: {AT}.states.2026-03-01: Here stands a list, but text is needed."]),
    (f"item: {{path: a}}, events: [], {KEPT}", [f"16:42: {AT}.events: {EMPTY}"]),
    (f"item: {{path: a}}, events: [left, {{event: Left, key: p, value: 7, date: 2026-13-01}}], {KEPT}", [
        f"16:43: {AT}.events[1]: Here stands text, but a group of fields is needed, with: event, key, value, date.",
        f'16:57: {AT}.events[2].event: "Left" cannot be used here. {A_NAME}',
        f'16:78: {AT}.events[2].value: 7 {NOT_QUOTED}: "7".',
        f"16:87: {AT}.events[2].date: There is no 2026-13-01 in the calendar."]),
    (f"item: {{path: a}}, events: [{{event: left, key: p}}], {KEPT}", [
        f'16:43: {AT}.events[1]: The field "date" is missing. The day on which it happened.',
        f'16:43: {AT}.events[1]: The field "value" is missing. Which person, case or other matter the event is '
        "about."]),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), BAD_EXAMPLES)
def test_a_bad_example_is_told_with_its_place(text: str, expected: list[str]) -> None:
    assert told(example(text), expected)


def test_an_example_that_is_no_group_is_told() -> None:
    said = f"16:16: {AT}: Here stands text, but a group of fields is needed, with: item, states."
    assert told(more("    examples: [one]\n"), [said])
    assert told(more("    examples: []\n"), [f"16:15: {PAY}.examples: {EMPTY}"])


# What a calendar has, and what stands twice in one group, YAML itself must not be asked.
OF_SHAPE = [
    text
    for text, expected in BAD_EXAMPLES
    if not any(words in " ".join(expected) for words in ("in the calendar", "given twice", "states: Write a day"))
]


@pytest.mark.parametrize("text", OF_SHAPE)
def test_the_schema_refuses_an_example_that_is_wrong_by_its_shape(text: str) -> None:
    assert not accepted(example(text))

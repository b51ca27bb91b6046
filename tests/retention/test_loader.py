from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ConfigurationError, ExitCode
from agent.model.condition import (
    AllOf,
    AnyOf,
    ContentIs,
    FileKind,
    FileKindIs,
    FindingPresent,
    Not,
    PathMatches,
    PathPattern,
    ShareIs,
)
from agent.model.finding import DataCategory
from agent.model.record_kind import RecordKind
from agent.model.schedule import (
    AgeTrigger,
    Combination,
    Combined,
    Countdown,
    CutOff,
    Disposition,
    EventTrigger,
    Officer,
    Period,
    RecordDate,
)
from agent.retention.loader import load_schedule
from agent.retention.problems import ScheduleError

HEAD = """\
id: office
title: Our schedule
version: "1"
organisation: Example Ltd
time_zone: Europe/London
classes:
"""
CLASS = """\
  - id: payroll
    title: Payroll
    mandate: A law.
    scope_notes: All of it.
    applies_when:
      path: "**/payroll/**"
    trigger: modified
    period: P6Y
    outcome: review
"""
GOOD = HEAD + CLASS


def complaint(text: str) -> str:
    with pytest.raises(ScheduleError) as caught:
        load_schedule(text, "s.yaml")
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_schedule_is_read_in_full() -> None:
    text = changed(
        "classes:\n", "officers:\n  - {role: DPO, name: Ada Example, contact: dpo@example.com}\nclasses:\n"
    ) + (
        "  - id: case-file\n    title: Case\n    mandate: A law.\n    scope_notes: All of it.\n"
        "    applies_when:\n      all_of:\n"
        "        - any_of:\n            - path: ['cases/{case}/**', '{case}.zip']\n            - share: [Cases, Old]\n"
        "        - not:\n            file_kind: image\n"
        "        - {finding: CREDIT_CARD, at_least: 3}\n        - finding: health\n"
        "    keys: [case]\n    trigger: {event: case_closed, key: case}\n    period: none\n    outcome: destroy\n"
        "  - id: deed\n    title: Deeds\n    mandate: A law.\n    scope_notes: All of it.\n"
        "    applies_when: {share: deeds}\n    outcome: retain_permanently\n"
    )
    schedule = load_schedule(text, "s.yaml")
    assert (schedule.id, schedule.title, schedule.version) == ("office", "Our schedule", "1")
    assert (schedule.organisation, schedule.time_zone) == ("Example Ltd", ZoneInfo("Europe/London"))
    assert schedule.officers == (Officer("DPO", "Ada Example", "dpo@example.com"),)
    payroll, case, deed = schedule.classes
    assert (payroll.id, payroll.title, payroll.mandate, payroll.scope_notes) == (
        "payroll", "Payroll", "A law.", "All of it.",
    )  # fmt: skip
    assert payroll.applies_when == PathMatches((PathPattern("**/payroll/**"),))
    assert (payroll.trigger, payroll.period, payroll.outcome, payroll.keys) == (
        RecordDate.MODIFIED, Period(years=6), Disposition.REVIEW, (),
    )  # fmt: skip
    assert case.applies_when == AllOf(
        (
            AnyOf(
                (PathMatches((PathPattern("cases/{case}/**"), PathPattern("{case}.zip"))), ShareIs(("Cases", "Old")))
            ),
            Not(FileKindIs((FileKind.IMAGE,))),
            FindingPresent("CREDIT_CARD", 3),
            FindingPresent(DataCategory.HEALTH, 1),
        )
    )
    assert (case.keys, case.trigger, case.period) == (("case",), EventTrigger("case_closed", "case"), None)
    assert (deed.trigger, deed.period, deed.outcome) == (None, None, Disposition.RETAIN_PERMANENTLY)
    assert schedule.by_id["deed"] is deed


WRITE = "Write P, then numbers with Y, M, W or D: P6Y is six years, P6M six months, P6Y1M both, P2W two weeks."
PAY = "classes[payroll]"
NOT_QUOTED = "is read as a number, but text is needed. Put it in quotes"

BAD_FIELDS = [
    ("    period: P6Y\n", "    perod: P6Y\n", [
        f'7:5: {PAY}: The field "period" is missing. How long after the trigger: P6Y is six years, P6M six months, '
        'P6Y1M both, P2W two weeks; "none" for at once. Left out with retain_permanently.',
        f'14:5: {PAY}: There is no field "perod" here. Did you mean "period"?']),
    ("version: \"1\"\n", "version: 1.0\n", [f'3:10: version: 1.0 {NOT_QUOTED}: "1.0".']),
    ("id: office", "id: 2019", [f'1:5: id: 2019 {NOT_QUOTED}: "2019".']),
    ("id: payroll", "id: 2019", [f'7:9: classes[1].id: 2019 {NOT_QUOTED}: "2019".']),
    ("id: payroll", "id: Pay Roll", [
        '7:9: classes[1].id: "Pay Roll" cannot be used here. Use small letters and digits, in parts joined by hyphens, '
        "beginning with a letter: personnel-file."]),
    ("title: Payroll", "title: yes", [
        f'8:12: {PAY}.title: yes is read as yes or no, but text is needed. Put it in quotes: "yes".']),
    ("title: Payroll", "title:", [f"8:11: {PAY}.title: Here stands nothing, but text is needed."]),
    ("title: Payroll", 'title: " "', [
        f"8:12: {PAY}.title: This text is empty. Write something, or leave the field out if it may be."]),
    ("title: Payroll", "title: [a]", [f"8:12: {PAY}.title: Here stands a list, but text is needed."]),
    ("title: Payroll", "title: !!python/name:os.system", [
        f"8:12: {PAY}.title: Here stands something unknown to YAML, but text is needed."]),
    ("period: P6Y", "period: P6X", [f'14:13: {PAY}.period: "P6X" is not a period. {WRITE}']),
    ("period: P6Y", "period: 6 years", [f'14:13: {PAY}.period: "6 years" is not a period. {WRITE}']),
    ("period: P6Y", "period: -P6Y", [
        f'14:13: {PAY}.period: "-P6Y" is negative; a period can only run forwards. {WRITE}']),
    ("period: P6Y", "period: P0D", [
        f"14:13: {PAY}.period: A period of zero is no period. "
        'Write "period: none" if items are due as soon as the clock starts.']),
    ("period: P6Y", "period: PT6H", [
        f'14:13: {PAY}.period: "PT6H" counts hours, minutes or seconds; '
        f"a retention period counts whole days at least. {WRITE}"]),
    ("period: P6Y", "period: P1.5Y", [f'14:13: {PAY}.period: "P1.5Y" has a fraction; a half year is P6M. {WRITE}']),
    ("period: P6Y", "period: p6y", [f'14:13: {PAY}.period: "p6y" is written in small letters. Write "P6Y".']),
    ("period: P6Y", "period: P5000Y", [
        f"14:13: {PAY}.period: A period of more than 500 years is surely a slip. "
        'Use "outcome: retain_permanently" for records that are never to go.']),
    ("period: P6Y", "period: P" + "9" * 30 + "Y", [
        f"14:13: {PAY}.period: This period has more digits than any period needs. {WRITE}"]),
    ("period: P6Y", "period: none", [
        f"14:13: {PAY}.period: Without a period every item would be due on the day it is saved. "
        "Give a period, or let an event start the clock."]),
    ("period: P6Y", "period: 6", [f'14:13: {PAY}.period: 6 {NOT_QUOTED}: "6".']),
    ("trigger: modified", "trigger: modifed", [
        f'13:14: {PAY}.trigger: "modifed" is not a trigger. Did you mean "modified"? For an event write two fields '
        "below it, event and key, such as: event: employment_ended, key: person."]),
    ("trigger: modified", "trigger: {event: left, key: person}", [
        f'13:33: {PAY}.trigger.key: The event refers to the key "person", which this class does not have. '
        "Capture {person} in a path pattern and list it under keys, or no event can ever reach an item."]),
    ("trigger: modified", "trigger: {event: left}", [
        f'13:14: {PAY}.trigger: The field "key" is missing. '
        "The key that says whom or what the event is about; one of the class's keys."]),
    ("trigger: modified", "trigger: {event: Left Us, key: p}", [
        f'13:22: {PAY}.trigger.event: "Left Us" cannot be used here. Use small letters, digits and underscores, '
        "beginning with a letter: employment_ended.",
        f'13:36: {PAY}.trigger.key: The event refers to the key "p", which this class does not have. '
        "Capture {p} in a path pattern and list it under keys, or no event can ever reach an item."]),
    ("    trigger: modified\n    period: P6Y\n", "    trigger: {first_of: [{trigger: modified, period: P1Y}]}\n", [
        f"13:25: {PAY}.trigger.first_of: One trigger alone needs no first_of. "
        "Write it as the trigger itself, or add another."]),
    ("modified\n", "{last_of: [{trigger: modified, period: P1Y}, {trigger: created, period: P2Y}]}\n", [
        f"14:13: {PAY}.period: Each trigger that is combined has a period of its own. "
        'Move "period" down to the triggers it is for.']),
    ("    period: P6Y\n", "    period: P6Y\n    cut_off: end_of_taxyear\n", [
        f'15:14: {PAY}.cut_off: "end_of_taxyear" is not a cut-off. Did you mean "end_of_tax_year"?']),
    ("trigger: modified", "trigger: {age: 18, key: person}", [
        f'13:29: {PAY}.trigger.key: The age is that of the key "person", which this class does not have. '
        "Capture {person} in a path pattern and list it under keys, or no event can ever reach an item."]),
    ("    trigger: modified\n", "", [
        f'7:5: {PAY}: The field "trigger" is missing. What starts the clock: a date of the item\'s own, or an event. '
        "Left out with retain_permanently."]),
    ("outcome: review", "outcome: delete", [
        f'15:14: {PAY}.outcome: "delete" is not an outcome. '
        "Use one of: anonymise, destroy, hand_back, minimise, quarantine, retain_permanently, review, thin."]),
    ("outcome: review", "outcome: retain_permanently", [
        f'13:14: {PAY}.trigger: A class that retains permanently has no trigger. '
        'Take out "trigger" or change the outcome.',
        f'14:13: {PAY}.period: A class that retains permanently has no period. '
        'Take out "period" or change the outcome.']),
    ("    outcome: review\n", "    outcome: review\n    outcome: destroy\n", [
        f'16:5: {PAY}: The field "outcome" is given twice, first on line 15. Keep one of them.']),
    ("    outcome: review\n", "    outcome: review\n" + CLASS, [
        f'16:9: {PAY}.id: The class "payroll" is already defined on line 7. Give each its own id.']),
    ("    outcome: review\n", "    outcome: review\n  - payroll\n", [
        "16:5: classes[2]: Here stands text, but a group of fields is needed, with: id, title, mandate, scope_notes, "
        "applies_when, outcome."]),
    ("    trigger: modified\n", "    keys: [person]\n    trigger: modified\n", [
        f'13:12: {PAY}.keys[1]: The key "person" is never captured. '
        "Put {person} into a path pattern of this class, or take the key out."]),
    ("    trigger: modified\n", "    keys: []\n    trigger: modified\n", [
        f"13:11: {PAY}.keys: This list is empty. Put at least one line into it, or leave the field out if it may be."]),
    ("**/payroll/**", "{year}/payroll/**", [
        f'12:7: {PAY}.applies_when: {{year}} is captured, but "year" is not among the keys of this class. '
        "Add it to keys, or write * in its place."]),
    ("time_zone: Europe/London", "time_zone: Europe/Lundon", [
        '5:12: time_zone: "Europe/Lundon" is not a time zone. Did you mean "Europe/London"?']),
    ("time_zone: Europe/London", "time_zone: ../../etc/passwd", [
        '5:12: time_zone: "../../etc/passwd" is not a time zone. Write region and city, as in Europe/London.']),
    ("time_zone: Europe/London", "time_zone: Europe", [
        '5:12: time_zone: "Europe" is not a time zone. Did you mean "Europe/Rome"?']),
    ("organisation: Example Ltd\n", "organisation: Example Ltd\nofficers: [{role: DPO, name: Ada}]\n", [
        '5:12: officers[1]: The field "contact" is missing. How to reach them.']),
    ("time_zone: Europe/London", "time_zone: 0", [f'5:12: time_zone: 0 {NOT_QUOTED}: "0".']),
    ("organisation: Example Ltd\n", "organisation: Example Ltd\nofficers: [Ada]\n", [
        "5:12: officers[1]: Here stands text, but a group of fields is needed, with: role, name, contact."]),
    ("title: Our schedule\n", "", ["1:1: The field \"title\" is missing. The schedule's name for people."]),
    ("time_zone: Europe/London\n", "<<: {time_zone: Europe/London}\n", [
        '1:1: The field "time_zone" is missing. The time zone in which a time becomes a date, '
        "for example Europe/London.",
        '5:1: There is no field "<<" here. Use one of: '
        "classes, id, officers, organisation, personal_keys, placement, recipients, references, special_categories, "
        "supervisory_authority, time_zone, title, version."]),
]  # fmt: skip

AT = f"{PAY}.applies_when"
BAD_CONDITIONS = [
    ('path: "payroll\\\\**"', f"12:13: {AT}.path: A path pattern has / between folders, never a backslash."),
    ("path: /payroll/**", f"12:13: {AT}.path: A path pattern begins inside the share, without a slash. "
     "Write ** in front to mean any folder."),
    ("path: payroll/", f'12:13: {AT}.path: This pattern ends with a slash. '
     'Write "payroll/**" for everything in that folder.'),
    ("path: [a, a//b]", f"12:17: {AT}.path[2]: Two slashes stand side by side in this pattern. Take one out."),
    ("path: a/../b", f"12:13: {AT}.path: A path pattern cannot contain the folders . or .., "
     "because no path in a share has them."),
    ("path: a/pay**", f"12:13: {AT}.path: ** stands for whole folders and needs slashes around it. "
     "Within a name, write a single *."),
    ("path: a/{Person}", f"12:13: {AT}.path: The braces in this pattern do not hold the name of a key. "
     "Write {person}, in small letters."),
    ("path: a/{one}{two}", f"12:13: {AT}.path: Two keys stand side by side with nothing to tell them apart. "
     "Put a separator between them."),
    ("path: a/{one}/{one}", f"12:13: {AT}.path: {{one}} stands twice in one pattern. Write * in place of one of them."),
    ("path: []", f"12:13: {AT}.path: This list is empty. "
     "Put at least one line into it, or leave the field out if it may be."),
    ("path: 2019", f'12:13: {AT}.path: 2019 {NOT_QUOTED}: "2019".'),
    ("not: {file_kind: pfd}", f'12:24: {AT}.not.file_kind: "pfd" is not a file kind. Did you mean "pdf"?'),
    ("file_kind: pfd", f'12:18: {AT}.file_kind: "pfd" is not a file kind. Did you mean "pdf"?'),
    ("content: pay-roll", f'12:16: {AT}.content: "pay-roll" is not a kind of record. Did you mean "payroll"?'),
    ("finding: credit_card", f'12:16: {AT}.finding: "credit_card" is not an entity type or data category that can be '
     'found. Did you mean "CREDIT_CARD"?'),
    ("finding: helth", f'12:16: {AT}.finding: "helth" is not an entity type or data category that can be found. '
     'Did you mean "health"?'),
    ("{finding: health, at_least: 0}", f"12:35: {AT}.at_least: Write a whole number here, 1 or more."),
    ("{finding: health, at_least: many}", f"12:35: {AT}.at_least: Write a whole number here, 1 or more."),
    ("{share: hr, at_least: 2}", f'12:29: {AT}.at_least: "at_least" counts findings and stands only beside "finding".'),
    ("{share: hr, is: a}", f'12:23: {AT}.is: "is" says what a mark may be and stands only beside "mark".'),
    ("{mark: record, is: yes}", f'12:26: {AT}.is: yes is read as yes or no, but text is needed. '
     'Put it in quotes: "yes".'),
    ("{share: hr, path: a}", f"12:7: {AT}: path and share stand side by side. Put them as a list under all_of if every "
     "one must hold, under any_of if one is enough."),
    ("- share: hr", f'12:7: {AT}: A list of conditions needs to say how many must hold. '
     'Put "any_of:" or "all_of:" above it.'),
    ("{}", f"12:7: {AT}: This condition says nothing. "
     "Write one of: path, share, stored_in, label, mark, same_content_as, file_kind, content, finding, all_of, any_of, "
     "not."),
    ("any_of: {share: hr}", f"12:15: {AT}.any_of: Here stands a group of fields, but a list is needed: "
     "begin each of its lines with a hyphen."),
    ("any_of: [{shares: hr}]", f'12:17: {AT}.any_of[1]: There is no field "shares" here. Did you mean "share"?'),
    ("not: {shares: hr}", f'12:13: {AT}.not: There is no field "shares" here. Did you mean "share"?'),
    ('not: {path: "a/{one}/**"}', f'12:12: {AT}.not: {{one}} under "not" can capture nothing, since nothing matches '
     "there. Write * in its place."),
]  # fmt: skip


def test_combined_triggers_and_a_wrong_countdown_are_told_together() -> None:
    said = complaint(
        changed(
            "    trigger: modified\n    period: P6Y\n",
            "    trigger:\n      first_of: [modified, {trigger: {age: 200, key: P}, period: none}]\n"
            "      all_of: [{period: P1Y}, {trigger: accessed, period: none}]\n",
        )
    )
    for sentence in (
        "first_of and all_of stand side by side. Keep one of them.",
        "Here stands text, but a group of fields is needed, with: trigger, period.",
        "Nobody reaches the age of 200. Write a number up to 150.",
        'The field "trigger" is missing.',
        "Without a period every item would be due on the day it is saved.",
    ):
        assert sentence in said
    assert 'The field "event" is missing' in complaint(changed("trigger: modified", "trigger: {key: p}"))


def test_combined_triggers_and_what_content_looks_like_are_read() -> None:
    text = changed(
        "    trigger: modified\n    period: P6Y\n",
        "    keys: [person]\n    trigger:\n      all_of:\n"
        "        - {trigger: {age: 18, key: person}, period: P6Y+P1Y}\n"
        "        - {trigger: labelled, period: P1M, cut_off: end_of_school_year}\n",
    ).replace('path: "**/payroll/**"', 'all_of: [{path: "**/{person}/**"}, {content: [payroll, sickness]}]')
    (payroll,) = load_schedule(text, "s.yaml").classes
    assert payroll.trigger == Combined(
        Combination.ALL_OF,
        (
            Countdown(AgeTrigger(18, "person"), Period(years=6, plus=Period(years=1))),
            Countdown(RecordDate.LABELLED, Period(months=1), CutOff.SCHOOL_YEAR),
        ),
    )
    assert (payroll.period, payroll.cut_off) == (None, None)
    assert payroll.applies_when == AllOf(
        (
            PathMatches((PathPattern("**/{person}/**"),)),
            ContentIs((RecordKind.PAYROLL, RecordKind.SICKNESS)),
        )
    )


@pytest.mark.parametrize("trigger", ["{age: 0, key: p}", "{age: 18}", "[modified]", "{last_of: []}"])
def test_a_trigger_that_cannot_be_read_is_refused(trigger: str) -> None:
    assert "classes[payroll].trigger" in complaint(changed("trigger: modified", f"trigger: {trigger}"))


@pytest.mark.parametrize(("old", "new", "expected"), BAD_FIELDS)
def test_a_bad_field_is_told_with_its_place_and_what_to_do(old: str, new: str, expected: list[str]) -> None:
    said = complaint(changed(old, new)).splitlines()
    assert said == [f"s.yaml:{line}" for line in expected]


@pytest.mark.parametrize(("condition", "expected"), BAD_CONDITIONS)
def test_a_bad_condition_is_told_with_its_place_and_what_to_do(condition: str, expected: str) -> None:
    said = complaint(changed('path: "**/payroll/**"', condition))
    assert sorted(said.splitlines()) == sorted(f"s.yaml:{expected}".splitlines())


BAD_FILES = [
    ("", "1:1: The file is empty. Begin with the fields id, title and version."),
    ("# only a comment\n", "1:1: The file is empty. Begin with the fields id, title and version."),
    ("- a\n", "1:1: Here stands a list, but a group of fields is needed, with: "
     "id, title, version, organisation, time_zone, classes."),
    (HEAD + "  []\n", "7:3: classes: This list is empty. Put at least one line into it, "
     "or leave the field out if it may be."),
    (HEAD, "6:9: classes: Here stands nothing, but a list is needed: begin each of its lines with a hyphen."),
    (HEAD.replace("classes:\n", ""), '1:1: The field "classes" is missing. The retention classes.'),
    ("id: a\n\ttitle: b\n", "2:1: A tab stands here. Use spaces to indent; YAML does not allow tabs."),
    ("title:\tPay: all of it\n", "1:7: A tab stands here. Use spaces to indent; YAML does not allow tabs."),
    ("title: Pay: all of it\n", "1:11: There is a colon too many, or the line is indented too far. "
     "Put text that has a colon and a space in it into quotes, and align the line with those above."),
    ("id: a\ntitle\nversion: b\n", "3:1: A colon is missing after the name of a field, or a space after the colon."),
    ("path: **/payroll/**\n", "1:8: A text that begins with * must be put into quotes."),
    ("title: @home\n", '1:8: A text that begins with "@" must be put into quotes.'),
    ('title: "open\nid: a\n', "3:1: A quotation mark is opened in this file and not closed."),
    ("title: [a, b\n", "2:1: The file is not well-formed here or just above. "
     "Check indentation, hyphens, colons and quotes."),
    ("title: a\x07b\n", "1:9: The character U+0007 cannot be part of a schedule. Delete it."),
    ("id: a\ntitle: \ud800\n", "2:8: The character U+D800 cannot be part of a schedule. Delete it."),
    (GOOD + "---\n" + GOOD, "16:1: A second document begins here. Keep one schedule in one file."),
    ("a: &a [x]\nb: [*a, *a]\n", "2:5: *a repeats another part of the file. Write it out; if it is text, quote it.\n"
     "s.yaml:2:9: *a repeats another part of the file. Write it out; if it is text, quote it."),
    ("[" * 5000, "1:31: This is nested more than 30 levels deep. Write the condition in a flatter way."),
    ("#" * 1_000_001, "1:1: The file is longer than 1,000,000 characters. This is hardly a retention schedule."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_file_that_is_no_schedule_is_told_in_plain_words(text: str, expected: str) -> None:
    assert complaint(text) == f"s.yaml:{expected}"


def test_billions_of_laughs_are_refused_before_they_unfold() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
    assert "a28 repeats another part of the file" in complaint(bomb)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace('version: "1"', "version: 2").replace("P6Y", "P6X").replace("outcome: review", "outcome: bin")
    with pytest.raises(ScheduleError) as caught:
        load_schedule(text, "s.yaml")
    assert [(problem.line, problem.field) for problem in caught.value.problems] == [
        (3, "version"), (14, "classes[payroll].period"), (15, "classes[payroll].outcome"),
    ]  # fmt: skip
    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.exit_code is ExitCode.CONFIGURATION


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm() -> None:
    assert load_schedule("\ufeff" + GOOD.replace("\n", "\r\n"), "s.yaml").id == "office"


@given(st.data())
def test_however_a_schedule_is_mangled_the_answer_is_a_schedule_or_a_list_of_problems(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 30)))
    mangled = (
        GOOD[:start] + data.draw(st.text(st.sampled_from("a:-{}[]*&!|>'\"#%@ \n\t/1~?,"), max_size=8)) + GOOD[end:]
    )
    try:
        load_schedule(mangled, "s.yaml")
    except ScheduleError as error:
        assert error.problems

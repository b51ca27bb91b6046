"""What stands beside the clocks of a schedule is read in full, and every mistake in it told with its place."""

from __future__ import annotations

import pytest

from agent.model.condition import (
    AllOf,
    LabelIs,
    PathMatches,
    PathPattern,
    SameContentAs,
    ShareIs,
    StorageKind,
    StoredIn,
)
from agent.model.finding import SPECIAL_CATEGORIES, DataCategory
from agent.model.schedule import (
    Authority,
    Capture,
    Disposition,
    EventTrigger,
    Exemption,
    Period,
    PlacementRule,
    Recipient,
    ReferenceForm,
)
from agent.retention.loader import load_schedule
from tests.retention.test_loader import CLASS, GOOD, NOT_QUOTED, PAY, changed, complaint
from tests.retention.test_schema import accepted

OUTCOME, CLASSES = "    outcome: review\n", "classes:\n"
CONDITION = 'path: "**/payroll/**"'
OTHER = CLASS.replace("id: payroll", "id: other")
BY_EVENT = (
    OTHER.replace("**/payroll/**", "{case}/**")
    .replace("    trigger: modified\n", "    keys: [case]\n    trigger: {event: closed, key: case}\n")
)  # fmt: skip
EMPTY = "This list is empty. Put at least one line into it, or leave the field out if it may be."
A_LIST = "Here stands text, but a list is needed: begin each of its lines with a hyphen."
A_NAME = "Use small letters, digits and underscores, beginning with a letter: employment_ended."
PLACES = "Use one of: cloud, local_drive, outside_eea, outside_uk, personal_device, removable, server."
NO_CASE = (
    'The event refers to the key "case", which this class does not have. '
    "Capture {case} in a path pattern and list it under keys, or no event can ever reach an item."
)


def more(lines: str) -> str:
    """A class with these lines at its end."""
    return changed(OUTCOME, OUTCOME + lines)


def above(lines: str) -> str:
    """A schedule with these lines above its classes."""
    return changed(CLASSES, lines + CLASSES)


def told(text: str, expected: list[str]) -> bool:
    assert complaint(text).splitlines() == [f"s.yaml:{line}" for line in expected]
    return True


def test_everything_beside_the_clock_is_read() -> None:
    text = above(
        "personal_keys: [child, person]\n"
        "special_categories: [health, criminal]\n"
        "supervisory_authority: {name: ICO, contact: ico.org.uk}\n"
        "references: [{type: CASE_REFERENCE, pattern: 'C[0-9]+', context: case}, {type: EMPLOYEE_ID, pattern: E}]\n"
        "recipients: [{name: HMRC, contact: c, receives: [payroll]}]\n"
        "placement:\n"
        "  - {id: no-drives, title: None on drives, mandate: A law., rows: [S0-9], then: quarantine,\n"
        "     applies_when: {stored_in: [local_drive, removable]}}\n"
        "  - {id: abroad, title: Abroad, mandate: A law., then: report, applies_when: {stored_in: outside_uk}}\n"
    ).replace(
        f"      {CONDITION}\n    trigger: modified\n",
        '      all_of: [{path: "**/{case}/**"}, {label: [Pay, x]}, {same_content_as: "old/*"}]\n'
        "    keys: [case, child]\n    captures: [{key: child, finding: UK_NHS}, {key: child}]\n"
        "    trigger: {event: closed, key: case}\n",
    ).replace(
        OUTCOME,
        "    outcome: minimise\n    keep: [result, checked_on]\n    rows: [S3-4, S3-5]\n    stages: [manager, DPO]\n"
        "    extend_up_to: P1Y+P6M\n    unless:\n      - {event: appealed, key: case}\n      - {share: Old}\n"
        "    otherwise: other\n",
    )  # fmt: skip
    schedule = load_schedule(text + BY_EVENT, "s.yaml")
    assert schedule.personal_keys == {"child", "person"}
    assert schedule.special_categories == {DataCategory.HEALTH, DataCategory.CRIMINAL}
    assert schedule.authority == Authority("ICO", "ico.org.uk")
    assert schedule.references == (
        ReferenceForm("CASE_REFERENCE", "C[0-9]+", "case"),
        ReferenceForm("EMPLOYEE_ID", "E"),
    )
    assert schedule.recipients == (Recipient("HMRC", "c", ("payroll",)),)
    drives = StoredIn((StorageKind.LOCAL_DRIVE, StorageKind.REMOVABLE))
    assert schedule.placement == (
        PlacementRule("no-drives", "None on drives", "A law.", drives, quarantine=True, rows=("S0-9",)),
        PlacementRule("abroad", "Abroad", "A law.", StoredIn((StorageKind.OUTSIDE_UK,)), quarantine=False),
    )
    payroll, other = schedule.classes
    assert payroll.applies_when == AllOf(
        (
            PathMatches((PathPattern("**/{case}/**"),)),
            LabelIs(("Pay", "x")),
            SameContentAs((PathPattern("old/*"),)),
        )
    )
    assert (payroll.outcome, payroll.keeps) == (Disposition.MINIMISE, ("result", "checked_on"))
    assert (payroll.rows, payroll.stages) == (("S3-4", "S3-5"), ("manager", "DPO"))
    assert payroll.extension == Period(years=1, plus=Period(months=6))
    assert payroll.unless == (Exemption(EventTrigger("appealed", "case")), Exemption(ShareIs(("Old",))))
    assert payroll.captures == (Capture("child", "UK_NHS"), Capture("child"))
    assert schedule.hidden_keys == {"child": "UK_NHS", "person": "PERSON"}
    assert (payroll.otherwise, other.otherwise) == ("other", None)
    assert (other.keeps, other.unless, other.extension, other.stages, other.rows) == ((), (), None, (), ())


def test_what_is_left_out_has_its_usual_value() -> None:
    schedule = load_schedule(GOOD, "s.yaml")
    assert (schedule.personal_keys, schedule.special_categories) == ({"person"}, SPECIAL_CATEGORIES)
    assert (schedule.placement, schedule.recipients, schedule.authority) == ((), (), None)


# fmt: off
BAD_ENDINGS = [
    ("    keep: [result]\n", [
        f'16:11: {PAY}.keep: "keep" stands only with "outcome: minimise". Take it out, or change the outcome.']),
    ("    extend_up_to: none\n", [
        f"16:19: {PAY}.extend_up_to: An extension of none is no extension. Take it out, or write a period."]),
    ("    extend_up_to: -P1Y\n", [
        f'16:19: {PAY}.extend_up_to: "-P1Y" is negative; a period can only run forwards. Write P, then numbers with '
        "Y, M, W or D: P6Y is six years, P6M six months, P6Y1M both, P2W two weeks."]),
    ("    otherwise: other\n" + OTHER, [
        f'16:16: {PAY}.otherwise: "otherwise" says where exempt items go and stands only beside "unless".']),
    ("    unless: {label: x}\n    otherwise: othr\n" + OTHER, [
        f'17:16: {PAY}.otherwise: There is no other class "othr" in this schedule. Did you mean "other"?']),
    ("    unless: {label: x}\n    otherwise: payroll\n" + OTHER, [
        f'17:16: {PAY}.otherwise: There is no other class "payroll" in this schedule.']),
    ("    unless: {label: x}\n    otherwise: 7\n", [f'17:16: {PAY}.otherwise: 7 {NOT_QUOTED}: "7".']),
    ("    unless: {label: x}\n    otherwise: other\n" + OTHER + "    unless: {label: y}\n", [
        f'17:16: {PAY}.otherwise: The class "other" has exemptions of its own, which nobody would ask about an item '
        "that goes over to it. Name a class without them."]),
    ("    unless: {label: x}\n    otherwise: other\n" + BY_EVENT, [
        f'17:16: {PAY}.otherwise: The class "other" needs the key "case", which this class does not have, so that no '
        "event could reach an item that goes over to it. Capture it here too."]),
    ("    unless: {label: x}\n    otherwise: other\n" + OTHER.replace("review", "bin"), [
        '26:14: classes[other].outcome: "bin" is not an outcome. Use one of: anonymise, destroy, hand_back, minimise, '
        "quarantine, retain_permanently, review, thin."]),
    ("    unless: []\n", [f"16:13: {PAY}.unless: {EMPTY}"]),
    ("    unless: {event: used, key: case}\n", [f"16:32: {PAY}.unless.key: {NO_CASE}"]),
    ("    unless: {event: used}\n", [
        f'16:13: {PAY}.unless: The field "key" is missing. The key that says whom or what the event is about; '
        "one of the class's keys."]),
    ("    unless: {event: Used, key: case, label: x}\n", [
        f'16:21: {PAY}.unless.event: "Used" cannot be used here. {A_NAME}',
        f"16:32: {PAY}.unless.key: {NO_CASE}",
        f'16:38: {PAY}.unless: There is no field "label" here. Use one of: event, key.']),
    ('    unless:\n      - label: x\n      - {path: "{case}/**"}\n', [
        f"18:9: {PAY}.unless[2]: {{case}} can capture nothing here. Write * in its place."]),
    ("    unless: {label: x, share: y}\n", [
        f"16:13: {PAY}.unless: share and label stand side by side. Put them as a list under all_of if every one must "
        "hold, under any_of if one is enough."]),
    ("    rows: []\n", [f"16:11: {PAY}.rows: {EMPTY}"]),
    ("    rows: S1-1\n", [f"16:11: {PAY}.rows: {A_LIST}"]),
    ("    rows: [1]\n", [f'16:12: {PAY}.rows[1]: 1 {NOT_QUOTED}: "1".']),
    ("    stages: []\n", [f"16:13: {PAY}.stages: {EMPTY}"]),
    ('    stages: [""]\n', [
        f"16:14: {PAY}.stages[1]: This text is empty. Write something, or leave the field out if it may be."]),
    ("    captures: [child]\n", [
        f"16:16: {PAY}.captures[1]: Here stands text, but a group of fields is needed, with: key."]),
    ("    captures: [{key: child, finding: NAME}]\n", [
        f'16:22: {PAY}.captures[1].key: The key "child" is not among the keys of this class. Add it there.',
        f'16:38: {PAY}.captures[1].finding: "NAME" is not an entity type. Use one of: CASE_REFERENCE, CREDIT_CARD, '
        "DATE_OF_BIRTH, EMAIL_ADDRESS, EMPLOYEE_ID, IBAN_CODE, IP_ADDRESS, PERSON, PHONE_NUMBER, SC_BIOMETRIC, "
        "SC_CRIMINAL, SC_GENETIC, SC_HEALTH, SC_POLITICAL, SC_RACE, SC_RELIGION, and others that the schema lists."]),
    ("    keys: [child]\n    captures:\n      - key: child\n      - key: child\n", [
        f'19:9: {PAY}.captures[2]: This says again where "child" is read from. Keep one of them.']),
    ("    keys: [a]\n    captures:\n      - {key: a, finding: PERSON}\n      - {key: a, finding: UK_NHS}\n", [
        f'19:9: {PAY}.captures[2]: The key "a" is read from PERSON above. What is found is kept as a hash, in '
        "which two types never agree: use one type for one key, or another key."]),
    ("    captures: [{finding: PERSON}]\n", [
        f'16:16: {PAY}.captures[1]: The field "key" is missing. The key, one of the class\'s keys.']),
]
BAD_MINIMISING = [
    ("", [f'7:5: {PAY}: The field "keep" is missing. Say what remains of an item that is minimised, such as: keep: [result].']),  # noqa: E501
    ("    keep: []\n", [f"16:11: {PAY}.keep: {EMPTY}"]),
    ("    keep: result\n", [f"16:11: {PAY}.keep: {A_LIST}"]),
    ("    keep: [Result]\n", [f'16:12: {PAY}.keep[1]: "Result" cannot be used here. {A_NAME}']),
]
BAD_CONDITIONS = [
    ("stored_in: laptop", f'12:18: {PAY}.applies_when.stored_in: "laptop" is not a sort of place. {PLACES}'),
    ("label: 7", f'12:14: {PAY}.applies_when.label: 7 {NOT_QUOTED}: "7".'),
    ("label: []", f"12:14: {PAY}.applies_when.label: {EMPTY}"),
    ("same_content_as: /a", f"12:24: {PAY}.applies_when.same_content_as: A path pattern begins inside the share, "
     "without a slash. Write ** in front to mean any folder."),
    ('same_content_as: "{case}/**"', f'12:7: {PAY}.applies_when: {{case}} is captured, but "case" is not among the '
     "keys of this class. Add it to keys, or write * in its place."),
    ('not: {same_content_as: "{case}/*"}', f'12:12: {PAY}.applies_when.not: {{case}} under "not" can capture nothing, '
     "since nothing matches there. Write * in its place."),
]
RULE = "title: A, mandate: A law., then: report"
BAD_PACKS = [
    ("placement: []\n", [f"6:12: placement: {EMPTY}"]),
    ("placement: [here]\n", [
        "6:13: placement[1]: Here stands text, but a group of fields is needed, with: id, title, mandate, "
        "applies_when, then."]),
    ("placement: [{}]\n", [
        '6:13: placement[1]: The field "applies_when" is missing. The condition under which an item lies where it must '
        "not.",
        '6:13: placement[1]: The field "id" is missing. The rule\'s name for machines: small letters, digits and '
        "hyphens.",
        '6:13: placement[1]: The field "mandate" is missing. The law, contract or policy that forbids it.',
        '6:13: placement[1]: The field "then" is missing. What follows: report, or quarantine to have it moved out of '
        "reach as well.",
        '6:13: placement[1]: The field "title" is missing. The rule\'s name for people.']),
    ("placement: [{id: a, title: A, mandate: A law., applies_when: {share: x}, then: delete}]\n", [
        '6:80: placement[1].then: "delete" is not what can follow. Use one of: quarantine, report.']),
    (f'placement: [{{id: A b, applies_when: {{path: "{{case}}/**"}}, {RULE}, rows: []}}]\n', [
        '6:18: placement[1].id: "A b" cannot be used here. Use small letters and digits, in parts joined by hyphens, '
        "beginning with a letter: patient-data.",
        "6:37: placement[1].applies_when: {case} can capture nothing here. Write * in its place.",
        f"6:105: placement[1].rows: {EMPTY}"]),
    (f"placement: [{{id: a, applies_when: {{share: x}}, {RULE}}},\n {{id: a, applies_when: {{share: y}}, {RULE}}}]\n", [
        '7:7: placement[2].id: There is already a placement rule "a". Give each its own id.']),
    ("recipients: [{name: HMRC, contact: c, receives: [payrol, payroll]}]\n", [
        '6:50: recipients[1].receives[1]: There is no class "payrol" in this schedule. Did you mean "payroll"?']),
    ("recipients: [{name: HMRC, contact: c, receives: [7, nothing]}]\n", [
        f'6:50: recipients[1].receives[1]: 7 {NOT_QUOTED}: "7".',
        '6:53: recipients[1].receives[2]: There is no class "nothing" in this schedule.']),
    ("recipients: [{name: HMRC, contact: c, receives: payroll}]\n", [f"6:49: recipients[1].receives: {A_LIST}"]),
    ("recipients: [{name: HMRC}, someone]\n", [
        '6:14: recipients[1]: The field "contact" is missing. How to reach them.',
        '6:14: recipients[1]: The field "receives" is missing. The classes whose data they get.',
        "6:28: recipients[2]: Here stands text, but a group of fields is needed, with: name, contact, receives."]),
    ("references: [{type: CASE_NUMBER, pattern: '[A-Z', context: '('}, x]\n", [
        '6:21: references[1].type: "CASE_NUMBER" is not a type of number. Use one of: CASE_REFERENCE, EMPLOYEE_ID.',
        "6:43: references[1].pattern: This is no regular expression: unterminated character set at position 0.",
        "6:60: references[1].context: This is no regular expression: missing ), unterminated subpattern at position "
        "0.",
        "6:66: references[2]: Here stands text, but a group of fields is needed, with: type, pattern."]),
    ("references: [{context: 7}]\n", [
        '6:14: references[1]: The field "pattern" is missing. A regular expression for the number.',
        '6:14: references[1]: The field "type" is missing. What it is a number of.',
        f'6:24: references[1].context: 7 {NOT_QUOTED}: "7".']),
    ("supervisory_authority: ICO\n", [
        "6:24: supervisory_authority: Here stands text, but a group of fields is needed, with: name, contact."]),
    ("supervisory_authority: {name: ICO}\n", [
        '6:24: supervisory_authority: The field "contact" is missing. How to reach it.']),
    ("special_categories: [health, financial]\n", [
        '6:30: special_categories[2]: "financial" is not a data category that can be special. Use one of: biometric, '
        "criminal, genetic, health, political_opinion, race_ethnicity, religion_belief, sex_life_orientation, "
        "trade_union."]),
    ("special_categories: health\n", [f"6:21: special_categories: {A_LIST}"]),
    ("personal_keys: [Person]\n", [f'6:17: personal_keys[1]: "Person" cannot be used here. {A_NAME}']),
    ("personal_keys: []\n", [f"6:16: personal_keys: {EMPTY}"]),
]
# fmt: on


@pytest.mark.parametrize(("lines", "expected"), BAD_ENDINGS)
def test_what_a_class_cannot_end_in_is_told_with_its_place(lines: str, expected: list[str]) -> None:
    assert told(more(lines), expected)


@pytest.mark.parametrize(("lines", "expected"), BAD_MINIMISING)
def test_what_remains_of_a_minimised_item_must_be_said(lines: str, expected: list[str]) -> None:
    assert told(changed(OUTCOME, "    outcome: minimise\n" + lines), expected)


def test_a_class_that_retains_permanently_has_nothing_to_extend() -> None:
    text = changed(
        "    trigger: modified\n    period: P6Y\n" + OUTCOME, "    outcome: retain_permanently\n    extend_up_to: P1Y\n"
    )
    assert told(text, [f"14:19: {PAY}.extend_up_to: A class that retains permanently needs no extension. Take it out."])


@pytest.mark.parametrize(("condition", "expected"), BAD_CONDITIONS)
def test_a_bad_label_place_or_copy_is_told_with_its_place(condition: str, expected: str) -> None:
    assert told(changed(CONDITION, condition), [expected])


@pytest.mark.parametrize(("lines", "expected"), BAD_PACKS)
def test_what_stands_wrong_beside_the_classes_is_told_with_its_place(lines: str, expected: list[str]) -> None:
    assert told(above(lines), expected)


def test_a_class_that_cannot_be_read_for_another_reason_is_still_known_by_its_id() -> None:
    text = above("recipients: [{name: HMRC, contact: c, receives: [payroll]}]\n").replace("review", "bin")
    assert complaint(text).startswith(f's.yaml:16:14: {PAY}.outcome: "bin" is not an outcome.')
    assert "\n" not in complaint(text)


# What belongs together and what a pattern can match is for the loader to know.
OF_MEANING = (
    "stands only", "other class", "of its own", "needs the key", "does not have", "capture", "says again",
    "is read from", "already a placement rule", "There is no class", "extension of none",
)  # fmt: skip
OF_SHAPE = [
    text
    for build, cases in ((more, BAD_ENDINGS), (above, BAD_PACKS))
    for text, expected in ((build(lines), " ".join(expected)) for lines, expected in cases)
    if not any(words in expected for words in OF_MEANING)
]


@pytest.mark.parametrize("text", OF_SHAPE)
def test_the_schema_refuses_what_is_wrong_by_its_shape(text: str) -> None:
    assert not accepted(text)


def test_most_of_what_is_wrong_is_wrong_by_its_shape() -> None:
    assert len(OF_SHAPE) > 20

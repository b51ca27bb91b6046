"""What a schedule can hardly mean is told, and nothing that it may well mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.model.condition import (
    AllOf,
    AnyOf,
    Condition,
    ContentIs,
    FileKind,
    FileKindIs,
    FindingPresent,
    LabelIs,
    MarkIs,
    Not,
    PathMatches,
    PathPattern,
    SameContentAs,
    ShareIs,
    StorageKind,
    StoredIn,
)
from agent.model.record_kind import RecordKind
from agent.model.schedule import (
    AgeTrigger,
    Capture,
    Combination,
    Combined,
    Countdown,
    CutOff,
    Disposition,
    EventTrigger,
    Exemption,
    Period,
    PlacementRule,
    RecordDate,
    RetentionClass,
)
from agent.retention.doubts import Doubt, doubts, impossible
from tests.retention.factories import a_class, a_schedule

PDF, MAIL = FileKindIs((FileKind.PDF,)), FileKindIs((FileKind.MAIL,))
LEFT = EventTrigger("left", "person")


def path(*patterns: str) -> PathMatches:
    return PathMatches(tuple(map(PathPattern, patterns)))


def copies(*patterns: str) -> SameContentAs:
    return SameContentAs(tuple(map(PathPattern, patterns)))


def doubted(*classes: RetentionClass) -> list[str]:
    return [one.about for one in doubts(a_schedule(*classes))]


def hidden(one: RetentionClass, other: RetentionClass) -> bool:
    return one.id in doubted(one, other)


def on(condition: Condition, class_id: str = "z", **parts: object) -> RetentionClass:
    return a_class(class_id, applies_when=condition, **parts)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (AllOf((path("a/**"), Not(path("a/**")))), 'what it asks for is what stands under "not"'),
        (AllOf((Not(path("a/**")), path("a/b.txt", "a/*/c"))), 'what it asks for is what stands under "not"'),
        (AllOf((PDF, ShareIs(("a",)), MAIL)), "no item can have two different values of file_kind"),
        (AllOf((ShareIs(("a", "b")), ShareIs(("C",)))), "no item can have two different values of share"),
        (AllOf((ContentIs((RecordKind.PAYROLL,)), ContentIs((RecordKind.TRAINING,)))),
         "no item can have two different values of content"),
        (Not(path("a", "**")), "every path matches **, and it must not"),
        (AnyOf((AllOf((PDF, MAIL)), Not(path("**")))), "no item can have two different values of file_kind"),
        (AllOf((PDF, AnyOf((AllOf((PDF, MAIL)),)))), "no item can have two different values of file_kind"),
    ],
)  # fmt: skip
def test_a_condition_that_can_never_hold_is_told_with_the_reason(condition: Condition, why: str) -> None:
    assert impossible(condition) == why
    (doubt,) = doubts(a_schedule(on(condition)))
    assert doubt == Doubt("z", f"This class can never apply: {why}.")


@pytest.mark.parametrize(
    "condition",
    [
        AllOf((PDF, FileKindIs((FileKind.PDF, FileKind.MAIL)))),
        AllOf((ShareIs(("HR",)), ShareIs(("hr",)))),
        AllOf((StoredIn((StorageKind.CLOUD,)), StoredIn((StorageKind.OUTSIDE_UK,)))),
        AllOf((LabelIs(("a",)), LabelIs(("b",)))),
        AllOf((path("a/**"), Not(path("a/b/**")))),
        AllOf((path("a/**"), path("**/b"))),
        AnyOf((PDF, AllOf((PDF, MAIL)))),
        Not(path("a/**")),
        Not(PDF),
        FindingPresent("UK_NINO"),
    ],
)
def test_a_condition_that_may_hold_raises_no_doubt(condition: Condition) -> None:
    assert impossible(condition) == ""
    assert doubts(a_schedule(on(condition))) == ()


WIDER_AND_NARROWER = [
    (path("**"), path("a/b")),
    (path("a/**"), path("a/b/c", "a/{x}/**")),
    (path("A/*/c"), path("a/{x}/c")),
    (path("a/{x}-{y}"), path("a/{one}-{two}")),
    (copies("a/**"), copies("a/b")),
    (PDF, AllOf((PDF, path("a/**")))),
    (FileKindIs((FileKind.PDF, FileKind.MAIL)), AnyOf((PDF, MAIL))),
    (AnyOf((PDF, path("a/**"))), path("a/b")),
    (AllOf((path("a/**"), path("**"))), path("a/b")),
    (ShareIs(("HR", "Pay")), ShareIs(("hr",))),
    (LabelIs(("Final", "x")), LabelIs(("final",))),
    (MarkIs("sharing"), MarkIs("Sharing", ("people",))),
    (MarkIs("sharing", ("people", "external")), MarkIs("sharing", ("People",))),
    (StoredIn((StorageKind.CLOUD, StorageKind.SERVER)), StoredIn((StorageKind.CLOUD,))),
    (ContentIs((RecordKind.PAYROLL, RecordKind.TRAINING)), ContentIs((RecordKind.TRAINING,))),
    (FindingPresent("UK_NINO"), FindingPresent("UK_NINO")),
]
NOT_WIDER = [
    (path("{x}*"), path("a/b")),
    (path("a/*{x}"), path("a/b/c")),
    (path("a/**"), path("b/**", "a/c")),
    (path("a/**"), path("ab/c")),
    (path("a{x}/c"), path("a*/c")),
    (path("a/**"), copies("a/b")),
    (copies("a/**"), path("a/b")),
    (PDF, MAIL),
    (PDF, AnyOf((PDF, MAIL))),
    (ShareIs(("a",)), ShareIs(("a", "b"))),
    (AnyOf((PDF, MAIL)), path("a/b")),
    (AllOf((PDF, path("**"))), path("a/b")),
    (LabelIs(("a",)), ShareIs(("a",))),
    (MarkIs("sharing", ("people",)), MarkIs("sharing")),
    (MarkIs("sharing"), MarkIs("record")),
    (MarkIs("sharing", ("people",)), LabelIs(("people",))),
]


@pytest.mark.parametrize(("wide", "narrow"), WIDER_AND_NARROWER)
def test_a_class_is_hidden_by_one_that_keeps_all_its_items_longer(wide: Condition, narrow: Condition) -> None:
    one, longer = on(narrow, "one"), on(wide, "longer", period=Period(years=7))
    why = 'class "longer" keeps the same items for seven years from the same day'
    assert doubts(a_schedule(one, longer)) == (Doubt("one", f"This class never decides on anything: {why}."),)


@pytest.mark.parametrize(("wide", "narrow"), NOT_WIDER)
def test_a_class_that_has_items_of_its_own_raises_no_doubt(wide: Condition, narrow: Condition) -> None:
    assert doubted(on(narrow, "one"), on(wide, "longer", period=Period(years=7))) == []


FOREVER = {"trigger": None, "period": None, "outcome": Disposition.RETAIN_PERMANENTLY}


def test_a_class_is_hidden_by_one_that_keeps_all_its_items_permanently() -> None:
    doubt = Doubt("one", 'This class never decides on anything: class "for-ever" keeps the same items permanently.')
    assert doubts(a_schedule(on(path("a/b"), "one"), on(path("a/**"), "for-ever", **FOREVER))) == (doubt,)


def test_of_two_classes_that_keep_the_same_permanently_only_one_is_hidden() -> None:
    both = on(path("a/**"), "a", **FOREVER), on(path("a/**"), "b", **FOREVER)
    assert doubted(*both) == doubted(*both[::-1]) == ["b"]


def test_of_two_classes_that_say_the_same_only_the_second_by_name_is_hidden() -> None:
    assert doubted(on(PDF, "b"), on(PDF, "a")) == ["b"]
    at_once = {"trigger": LEFT, "period": None, "keys": ("person",)}
    (doubt,) = doubts(a_schedule(on(PDF, "b", **at_once), on(PDF, "a", **at_once)))
    assert "keeps the same items for no time from the same day" in doubt.sentence
    assert doubted(on(PDF, "b"), on(PDF, "a", outcome=Disposition.REVIEW)) == []
    assert doubted(on(path("a/b"), "b"), on(path("a/**"), "a")) == []


LONGER = {"period": Period(years=7)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {**LONGER, "trigger": RecordDate.CREATED}),
        ({}, {**LONGER, "cut_off": CutOff.YEAR}),
        ({}, {**LONGER, "unless": (Exemption(PDF),)}),
        ({"extension": Period(years=5)}, LONGER),
        ({"period": Period(days=30)}, {"period": Period(months=1)}),
        ({"period": Period(years=4)}, {"period": Period(days=1461)}),
        ({"period": Period(months=12)}, {"period": Period(years=1)}),
        ({"trigger": LEFT}, {**LONGER, "trigger": EventTrigger("died", "person")}),
        ({"trigger": Combined(Combination.FIRST_OF, (Countdown(LEFT), Countdown(RecordDate.FOUND))), "period": None},
         {"trigger": Combined(Combination.FIRST_OF, (Countdown(LEFT), Countdown(RecordDate.FOUND))), "period": None}),
        (FOREVER, LONGER),
    ],
)  # fmt: skip
def test_a_class_that_may_decide_on_something_raises_no_doubt(one: dict[str, object], other: dict[str, object]) -> None:
    assert not hidden(on(path("a/b"), "one", **one), on(path("a/**"), "other", **other))


def test_where_events_start_the_clock_two_patterns_may_read_two_keys() -> None:
    wide, narrow = path("a/{person}/**"), path("a/*/{person}/**")
    of_age = AgeTrigger(18, "person")
    for trigger in (LEFT, of_age):
        assert not hidden(on(narrow, "one", trigger=trigger), on(wide, "other", trigger=trigger, **LONGER))
        assert hidden(on(wide, "one", trigger=trigger), on(wide, "other", trigger=trigger, **LONGER))


def test_a_class_whose_exemption_takes_out_all_its_items_is_told() -> None:
    (doubt,) = doubts(
        a_schedule(on(AllOf((PDF, path("a/b"))), "one", unless=(Exemption(LEFT), Exemption(path("a/**")))))
    )
    assert doubt == Doubt("one", "This class never decides on anything: its exemption holds for all its items.")
    assert doubted(on(PDF, "one", unless=(Exemption(AllOf((PDF, path("a/**")))), Exemption(LEFT)))) == []


def test_a_class_that_others_go_over_to_decides_on_their_items() -> None:
    giving = on(path("c/**"), "giving", unless=(Exemption(LEFT),), otherwise="one")
    assert doubted(on(path("a/b"), "one"), on(path("a/**"), "other", **LONGER), giving) == []


def test_a_placement_rule_that_can_never_apply_is_told() -> None:
    rules = (
        PlacementRule("never", "Never", "A law.", AllOf((PDF, MAIL)), quarantine=False),
        PlacementRule("may", "May", "A law.", PDF, quarantine=False),
    )
    assert doubts(replace(a_schedule(), placement=rules)) == (
        Doubt("never", "This placement rule can never apply: no item can have two different values of file_kind."),
    )


def test_a_personal_key_that_no_class_captures_is_told_unless_it_is_the_usual_one() -> None:
    schedule = a_schedule(on(path("{case}/**"), keys=("case",)))
    assert doubts(schedule) == ()
    named = replace(schedule, personal_keys=frozenset({"case", "person", "child"}))
    elsewhere = on(path("a/**"), keys=("child",), captures=(Capture("child", "PERSON"),))
    assert len(doubts(replace(named, classes=(*schedule.classes, elsewhere)))) == 1
    assert [doubt.sentence for doubt in doubts(named)] == [
        'The key "child" is among the personal keys, but no class captures it.',
        'The key "person" is among the personal keys, but no class captures it.',
    ]

"""Exemptions, going over, extensions, placement and holds: what is said of each, a day early and on the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from agent.model.decision import Circumstances, Decision, DecisionState, Misplacement, Reason, ReasonCode
from agent.model.event import Event
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.schedule import (
    Combination,
    Combined,
    Countdown,
    Disposition,
    EventTrigger,
    Exemption,
    Period,
    PlacementRule,
    RecordDate,
    RetentionClass,
)
from agent.retention.decide import decide
from tests.retention.factories import a_class, a_record, a_schedule, an_assignment, at

TODAY = date(2026, 11, 24)
CLOSED, USED = EventTrigger("case_closed", "case"), EventTrigger("used_in_report", "document")
KEYS = {"case": "2019-14", "document": "letter"}
LETTER = a_class(
    "letter",
    title="Letters",
    trigger=CLOSED,
    period=None,
    keys=tuple(KEYS),
    unless=(Exemption(USED),),
    otherwise="report",
)
REPORT = a_class("report", title="Reports", trigger=CLOSED, period=Period(years=6), keys=("case",))
CLOSED_ON = date(2019, 7, 15)
CLOSING = Event("case_closed", "case", "2019-14", CLOSED_ON)


def used(on: date) -> Event:
    return Event("used_in_report", "document", "Letter", on)


def decided(
    *classes: RetentionClass, events: list[Event] | None = None, today: date = TODAY, exempt: str = "", **facts: object
) -> Decision:
    """The decision on an item of the first of these classes."""
    assignment = replace(an_assignment(classes[0].id, **KEYS), exempt=exempt)
    return decide(a_record(**facts), [assignment], a_schedule(*classes), events or [CLOSING], today)


def sentences(decision: Decision, code: ReasonCode) -> list[str]:
    return [reason.sentence for reason in decision.reasons if reason.code is code]


# Exemptions


def test_an_event_takes_an_item_out_of_its_class_and_into_another_from_its_day_on() -> None:
    both = [CLOSING, used(date(2019, 8, 1))]
    early = decided(LETTER, REPORT, events=both, today=date(2019, 7, 31))
    assert (early.state, early.class_id, early.due_on) == (DecisionState.DUE, "letter", CLOSED_ON)
    assert early.again_on == date(2019, 8, 1)
    then = decided(LETTER, REPORT, events=both, today=date(2019, 8, 1))
    assert (then.state, then.class_id, then.due_on) == (DecisionState.KEEP, "report", date(2025, 7, 16))
    assert then.again_on is None
    assert sentences(then, ReasonCode.EXEMPT) == [
        'Class "letter" (Letters) does not apply, by an exemption: the event "used_in_report" of the "document" this '
        'item belongs to. The item belongs to class "report" instead.'
    ]
    assert sentences(then, ReasonCode.CLASS_APPLIES) == [
        'Class "report" (Reports) applies: for the event "used_in_report" of the "document" this item belongs to.'
    ]


def test_the_first_of_several_planned_events_is_the_day_to_ask_again() -> None:
    planned = [used(date(2027, 5, 1)), used(date(2027, 2, 1)), used(date(2027, 9, 1))]
    assert decided(LETTER, REPORT, events=[CLOSING, *planned]).again_on == date(2027, 2, 1)
    assert decided(LETTER, REPORT, events=[CLOSING, *planned], today=date(2027, 2, 1)).class_id == "report"


def test_a_class_that_does_not_rule_may_be_what_changes_next() -> None:
    """Once its date lies no longer ahead, that date is weak, and weak dates call for a person."""
    waiting, dated = a_class("waiting", trigger=CLOSED, keys=("case",)), a_class("dated", period=Period(years=1))
    schedule, assignments = a_schedule(waiting, dated), [an_assignment("waiting", **KEYS), an_assignment("dated")]
    record = a_record(modified_at=at(2027, 2, 1), created_at=None)
    decision = decide(record, assignments, schedule, [], TODAY)
    assert (decision.class_id, decision.outcome, decision.again_on) == (
        "waiting", Disposition.DESTROY, date(2027, 2, 1),
    )  # fmt: skip
    assert decide(record, assignments, schedule, [], date(2027, 2, 1)).outcome is Disposition.REVIEW


def test_an_exemption_that_the_item_shows_itself_comes_before_any_event() -> None:
    decision = decided(LETTER, REPORT, events=[CLOSING, used(date(2027, 1, 1))], exempt='label "used" at the source')
    assert (decision.class_id, decision.again_on) == ("report", None)
    assert 'by an exemption: label "used" at the source.' in decision.reasons[0].sentence


def test_an_item_exempt_from_its_only_class_has_none() -> None:
    decision = decided(replace(LETTER, otherwise=None), events=[used(TODAY)])
    assert (decision.state, decision.class_id) == (DecisionState.UNCLASSIFIED, None)
    assert [reason.code for reason in decision.reasons] == [ReasonCode.EXEMPT, ReasonCode.NO_CLASS]
    assert decision.reasons[0].sentence.endswith('of the "document" this item belongs to.')


def test_the_event_of_another_document_exempts_nothing() -> None:
    decision = decided(LETTER, REPORT, events=[CLOSING, Event("used_in_report", "document", "another", TODAY)])
    assert (decision.state, decision.class_id) == (DecisionState.DUE, "letter")


def test_an_item_that_belongs_to_the_other_class_anyway_keeps_the_keys_it_has_there() -> None:
    assignments = [an_assignment("letter", **KEYS), an_assignment("report", case="another")]
    schedule, closing = a_schedule(LETTER, REPORT), Event("case_closed", "case", "another", date(2018, 1, 31))
    decision = decide(a_record(), assignments, schedule, [CLOSING, used(TODAY)], TODAY)
    assert (decision.state, decision.class_id) == (DecisionState.WAITING, "report")
    decision = decide(a_record(), assignments, schedule, [closing, used(TODAY)], TODAY)
    assert (decision.state, decision.due_on) == (DecisionState.DUE, date(2024, 2, 1))


def test_of_several_ways_into_a_class_the_longest_duty_counts_whatever_their_order() -> None:
    note = replace(LETTER, id="note")
    assignments = [an_assignment("letter", **KEYS), an_assignment("note", case="2020-1", document="letter")]
    later = Event("case_closed", "case", "2020-1", date(2022, 1, 31))
    for order in (assignments, assignments[::-1]):
        schedule = a_schedule(LETTER, note, REPORT)
        decision = decide(a_record(), order, schedule, [CLOSING, later, used(TODAY)], TODAY)
        assert (decision.class_id, decision.due_on) == ("report", date(2028, 2, 1))
        assert decision.competing == ()
        waiting = decide(a_record(), order, schedule, [CLOSING, used(TODAY)], TODAY)
        assert waiting.state is DecisionState.WAITING
    by_label = [replace(assignments[0], exempt='label "used" at the source'), assignments[1]]
    decisions = [decide(a_record(), order, schedule, [used(TODAY)], TODAY) for order in (by_label, by_label[::-1])]
    assert decisions[0] == decisions[1]


# What the last of several countdowns may leave out

BOTH = Combined(
    Combination.LAST_OF, (Countdown(RecordDate.MODIFIED, Period(years=1)), Countdown(CLOSED, Period(years=1)))
)


def test_the_last_of_several_waits_for_an_event_that_is_planned() -> None:
    rule = a_class("file", trigger=BOTH, period=None, keys=("case",))
    planned = Event("case_closed", "case", "2019-14", TODAY + timedelta(days=1))
    early = decided(rule, events=[planned])
    assert (early.state, early.again_on) == (DecisionState.WAITING, planned.on)
    then = decided(rule, events=[planned], today=planned.on)
    assert (then.state, then.due_on) == (DecisionState.KEEP, date(2027, 11, 26))
    never = decided(rule, events=[used(TODAY)])
    assert (never.state, never.due_on) == (DecisionState.DUE, date(2016, 4, 4))


@pytest.mark.parametrize("facts", [{"modified_at": at(1970)}, {"modified_at": at(2030)}])
def test_the_last_of_several_is_not_known_while_a_date_cannot_be_believed(facts: dict[str, object]) -> None:
    decision = decided(a_class("file", trigger=BOTH, period=None, keys=("case",)), **facts)
    assert (decision.state, decision.due_on) == (DecisionState.BLOCKED, None)


def test_the_last_of_several_does_not_wait_for_a_label_that_may_never_come() -> None:
    parts = (Countdown(RecordDate.LABELLED, Period(years=9)), Countdown(CLOSED, Period(years=1)))
    rule = a_class("file", trigger=Combined(Combination.LAST_OF, parts), period=None, keys=("case",))
    assert decided(rule).due_on == date(2020, 7, 16)


# Extensions


def test_a_review_gives_time_and_the_verdict_says_the_day() -> None:
    rule = a_class("payroll", period=Period(years=6), extension=Period(years=2))
    schedule, assignments = a_schedule(rule), [an_assignment("payroll")]

    def on(until: date, today: date) -> Decision:
        circumstances = Circumstances(extended_until=until)
        return decide(a_record(modified_at=at(2017, 4, 3)), assignments, schedule, [], today, circumstances)

    early = on(date(2024, 6, 1), date(2024, 5, 31))
    assert (early.state, early.due_on) == (DecisionState.KEEP, date(2024, 6, 1))
    assert sentences(early, ReasonCode.EXTENDED) == ["A review has extended the time of this item to 1 June 2024."]
    assert sentences(early, ReasonCode.RULING) == [
        'Class "payroll" rules: the item is kept until it is due on 1 June 2024; then the outcome is: destroy.'
    ]
    assert on(date(2024, 6, 1), date(2024, 6, 1)).state is DecisionState.DUE
    beyond = on(date(2030, 1, 1), date(2025, 4, 4))
    assert (beyond.state, beyond.due_on) == (DecisionState.DUE, date(2025, 4, 4))
    assert sentences(beyond, ReasonCode.EXTENDED) == [
        "A review has extended the time of this item to 1 January 2030, but its class allows two years at the most: "
        "4 April 2025."
    ]
    within = on(date(2023, 4, 4), date(2023, 4, 4))
    assert (within.state, sentences(within, ReasonCode.EXTENDED)) == (DecisionState.DUE, [])


def test_an_extension_counts_for_the_class_that_allows_it_though_another_would_have_ruled() -> None:
    first = a_class("first", period=Period(years=1), extension=Period(years=9))
    second = a_class("second", period=Period(years=2))
    circumstances = Circumstances(extended_until=date(2020, 1, 1))
    assignments = [an_assignment("first"), an_assignment("second")]
    decision = decide(a_record(), assignments, a_schedule(first, second), [], date(2018, 1, 1), circumstances)
    assert (decision.state, decision.class_id, decision.due_on) == (DecisionState.KEEP, "first", date(2020, 1, 1))


def test_an_extension_to_beyond_the_calendar_ends_with_it() -> None:
    rule = a_class("file", period=Period(years=1), extension=Period(years=500))
    circumstances = Circumstances(extended_until=date.max)
    record = a_record(modified_at=at(9600))
    decision = decide(record, [an_assignment("file")], a_schedule(rule), [], date(9700, 1, 1), circumstances)
    assert (decision.state, decision.due_on) == (DecisionState.KEEP, date.max)


@pytest.mark.parametrize(
    "rule",
    [
        a_class("c", extension=None),
        a_class("c", trigger=CLOSED, keys=("case",), extension=Period(years=1)),
        a_class("c", trigger=None, period=None, outcome=Disposition.RETAIN_PERMANENTLY),
    ],
)
def test_no_review_extends_what_allows_no_extension_or_has_no_end(rule: RetentionClass) -> None:
    circumstances = Circumstances(extended_until=date(2030, 1, 1))
    assignments = [an_assignment("c")]
    plain = decide(a_record(), assignments, a_schedule(rule), [], TODAY)
    assert decide(a_record(), assignments, a_schedule(rule), [], TODAY, circumstances) == plain


# Placement

WHERE = a_class("any").applies_when
RULES = (
    PlacementRule("no-drives", "Case data on drives", "A policy.", WHERE, quarantine=True),
    PlacementRule("abroad", "Data abroad", "A law.", WHERE, quarantine=False),
    PlacementRule("a-first", "Patients' data", "A law.", WHERE, quarantine=True),
)
ON_DRIVE, ABROAD, PATIENTS = (
    Misplacement("no-drives", "stored in: local drive"),
    Misplacement("abroad", "stored in: outside uk"),
    Misplacement("a-first", "file kind mail"),
)


def misplaced(*broken: Misplacement, today: date = TODAY) -> Decision:
    schedule = replace(a_schedule(a_class("payroll", period=Period(years=20))), placement=RULES)
    record = a_record(first_seen_at=at(2026, 11, 24))
    return decide(record, [an_assignment("payroll")], schedule, [], today, Circumstances(misplaced=broken))


def test_an_item_in_the_wrong_place_is_moved_from_the_day_it_is_found() -> None:
    decision = misplaced(ON_DRIVE)
    assert (decision.state, decision.outcome, decision.due_on) == (DecisionState.DUE, Disposition.QUARANTINE, TODAY)
    assert (decision.placement, decision.class_id) == ("no-drives", "payroll")
    assert decision.reasons[-1] == Reason(
        ReasonCode.PLACEMENT,
        'Placement rule "no-drives" (Case data on drives) is broken: stored in: local drive; it is to be moved to '
        "quarantine and somebody told.",
    )
    early = misplaced(ON_DRIVE, today=TODAY - timedelta(days=1))
    assert (early.state, early.due_on) == (DecisionState.KEEP, TODAY)


def test_a_placement_that_is_only_reported_changes_nothing_else() -> None:
    decision, plain = misplaced(ABROAD), misplaced()
    assert replace(decision, reasons=decision.reasons[:-1]) == plain
    assert decision.reasons[-1].sentence == (
        'Placement rule "abroad" (Data abroad) is broken: stored in: outside uk; this is reported.'
    )


def test_of_several_placement_rules_all_are_told_and_the_first_by_name_moves() -> None:
    decision = misplaced(ON_DRIVE, ABROAD, PATIENTS)
    assert decision.placement == "a-first"
    assert [sentence.split('"')[1] for sentence in sentences(decision, ReasonCode.PLACEMENT)] == [
        "a-first", "abroad", "no-drives"
    ]  # fmt: skip


# Holds


def a_hold(number: int = 1, kind: HoldKind = HoldKind.LEGAL_HOLD, **parts: object) -> Hold:
    given: dict[str, object] = {"citation": "", "placed_by": "me", "placed_at": at(2020), **parts}
    return Hold(number, f"Hold {number}", kind, HoldScope(), "why", **given)  # type: ignore[arg-type]


def under(*holds: Hold, today: date = TODAY) -> Decision:
    rule = a_class("payroll", period=Period(years=1))
    return decide(a_record(), [an_assignment("payroll")], a_schedule(rule), [], today, Circumstances(holds))


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (a_hold(), 'a legal hold, "Hold 1", covers it.'),
        (a_hold(kind=HoldKind.MORATORIUM, citation="Inquiries Act 2005 s.35"),
         'a moratorium, "Hold 1", covers it (Inquiries Act 2005 s.35).'),
        (a_hold(kind=HoldKind.SUBJECT_REQUEST, until_day=date(2027, 1, 31)),
         'an open request of a person, "Hold 1", covers it, until the end of 31 January 2027.'),
        (a_hold(kind=HoldKind.RESTRICTION),
         'a restriction of processing, "Hold 1", covers it. Under a restriction the item may only be stored, neither '
         "changed nor erased (UK GDPR Art. 18(2))."),
    ],
)  # fmt: skip
def test_a_hold_blocks_and_says_what_it_is_and_rests_on(hold: Hold, said: str) -> None:
    decision = under(hold)
    assert (decision.state, decision.holds, decision.due_on) == (DecisionState.BLOCKED, (1,), date(2016, 4, 4))
    assert sentences(decision, ReasonCode.HOLD) == [f"Nothing may be done with the item: {said}"]


def test_a_hold_holds_from_its_first_to_its_last_day_and_says_when_to_ask_again() -> None:
    hold = a_hold(from_day=date(2026, 12, 1), until_day=date(2026, 12, 31))
    asked = [
        under(hold, today=day) for day in (date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert [(one.state, one.again_on) for one in asked] == [
        (DecisionState.DUE, date(2026, 12, 1)),
        (DecisionState.BLOCKED, date(2027, 1, 1)),
        (DecisionState.BLOCKED, date(2027, 1, 1)),
        (DecisionState.DUE, None),
    ]
    assert under(a_hold(until_day=date.max)).again_on is None


def test_the_next_of_several_turns_is_the_day_to_ask_again() -> None:
    first, second = a_hold(1, until_day=date(2027, 5, 31)), a_hold(2, from_day=date(2027, 3, 1))
    decision = under(second, first)
    assert (decision.holds, decision.again_on) == ((1,), date(2027, 3, 1))
    assert under(second, first, today=date(2027, 3, 1)).holds == (1, 2)


def test_a_lifted_hold_holds_nothing_and_is_not_told() -> None:
    assert under(a_hold(until_day=date(2027, 1, 1), lifted_at=at(2026))) == under()

"""A class's clock as a records manager says it."""

from __future__ import annotations

import pytest

from agent.model.schedule import (
    AgeTrigger,
    Combination,
    Combined,
    Countdown,
    CutOff,
    EventTrigger,
    Period,
    RecordDate,
    Trigger,
)
from agent.retention.wording import say_clock
from tests.retention.factories import a_class

LEFT = EventTrigger("employment_ended", "staff_member")
SIX = Period(years=6)
PARTS = (Countdown(RecordDate.MODIFIED, SIX), Countdown(LEFT, None, CutOff.MONTH))


@pytest.mark.parametrize(
    ("trigger", "period", "cut_off", "said"),
    [
        (RecordDate.CREATED, SIX, None, "six years after its creation"),
        (RecordDate.MODIFIED, SIX, CutOff.TAX_YEAR, "six years after the end of the tax year of its last change"),
        (RecordDate.ACCESSED, Period(months=18), None, "18 months after its last opening"),
        (RecordDate.LABELLED, SIX, None, "six years after its label"),
        (RecordDate.FOUND, None, None, "at once on its discovery here"),
        (LEFT, Period(years=6, plus=Period(years=1)), None,
         'six plus one years after the event "employment_ended" of the staff member'),
        (AgeTrigger(18, "child"), SIX, None, "six years after the birthday on which the child is 18"),
        (None, None, None, "never: it is kept permanently"),
        (Combined(Combination.FIRST_OF, PARTS), None, None, "whichever is first of: six years after its last change; "
         'at once on the end of the month of the event "employment_ended" of the staff member'),
        (Combined(Combination.LAST_OF, PARTS[:1]), None, None, "whichever is last of: six years after its last change"),
        (Combined(Combination.ALL_OF, PARTS[:1]), None, None,
         "when all have begun, the last of: six years after its last change"),
    ],
)  # fmt: skip
def test_a_clock_is_said_in_plain_words(
    trigger: Trigger | None, period: Period | None, cut_off: CutOff | None, said: str
) -> None:
    assert say_clock(a_class("c", trigger=trigger, period=period, cut_off=cut_off)) == said

"""A schedule's rules in plain words, as a records manager says them."""

from __future__ import annotations

from agent.model.schedule import (
    AgeTrigger,
    Combination,
    Combined,
    Countdown,
    EventTrigger,
    RecordDate,
    RetentionClass,
    SingleTrigger,
)
from agent.retention.periods import say_cut_off, say_period

_DATES = {
    RecordDate.CREATED: "its creation",
    RecordDate.MODIFIED: "its last change",
    RecordDate.ACCESSED: "its last opening",
    RecordDate.LABELLED: "its label",
    RecordDate.FOUND: "its discovery here",
}
_COMBINED = {
    Combination.FIRST_OF: "whichever is first of: ",
    Combination.LAST_OF: "whichever is last of: ",
    Combination.ALL_OF: "when all have begun, the last of: ",
}


def say_clock(retention_class: RetentionClass) -> str:
    """When an item of the class goes: `six years after the end of the tax year of its last change`."""
    match retention_class.trigger:
        case None:
            return "never: it is kept permanently"
        case Combined(how, countdowns):
            return _COMBINED[how] + "; ".join(_say_countdown(countdown) for countdown in countdowns)
        case trigger:
            return _say_countdown(Countdown(trigger, retention_class.period, retention_class.cut_off))


def _say_countdown(countdown: Countdown) -> str:
    what = _say_trigger(countdown.trigger)
    if countdown.cut_off is not None:
        what = f"{say_cut_off(countdown.cut_off)} of {what}"
    return f"{say_period(countdown.period)} after {what}" if countdown.period else f"at once on {what}"


def _say_trigger(trigger: SingleTrigger) -> str:
    match trigger:
        case EventTrigger(type_, key):
            return f'the event "{type_}" of the {key.replace("_", " ")}'
        case AgeTrigger(age, key):
            return f"the birthday on which the {key.replace('_', ' ')} is {age}"
        case which:
            return _DATES[which]

"""What an event must be like to be recorded: the same rules for one typed by hand and one out of a file."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from agent.model.event import Event
from agent.model.key import HIDDEN, KeyForm, normalise_key
from agent.model.schedule import EventTrigger, RetentionSchedule
from agent.retention.periods import say_date
from agent.retention.problems import nearest, one_of

FIRST_YEAR = 1900
MOST_CHARACTERS = 200
MOST_IN_NOTE = 500

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_KEPT = re.compile(HIDDEN + r"[0-9a-f]{32}")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}", re.ASCII)
_SHOWABLE = re.compile(r"[\d/.:-]{1,20}", re.ASCII)  # no name looks like that
_WRITE_DAY = "Write it as YYYY-MM-DD or DD/MM/YYYY."


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says has happened, as it was typed; `value` may be a person's name."""

    type: str
    key: str
    value: str = field(repr=False)
    on: str
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part of a statement (`event`, `key`, `value`, `on`, `note`), in whole sentences.

    The value of a key is never in it.
    """

    part: str
    sentence: str


def read_day(text: str) -> date:
    """The day written as YYYY-MM-DD or DD/MM/YYYY. Raises `ValueError` with sentences for the person who wrote it."""
    text = text.strip()
    if not text:
        raise ValueError(f"The day is missing. {_WRITE_DAY}")
    shown = f'"{text}"' if _SHOWABLE.fullmatch(text) else "What stands here"
    if year_first := _YEAR_FIRST.fullmatch(text):
        year, month, day = map(int, year_first.groups())
    elif day_first := _DAY_FIRST.fullmatch(text):
        day, month, year = map(int, day_first.groups())
    elif _SHORT_YEAR.fullmatch(text):
        raise ValueError(f"{shown} leaves the century open. Write the year with four digits.")
    else:
        raise ValueError(f"{shown} is not a day. {_WRITE_DAY}")
    if year < FIRST_YEAR:
        raise ValueError(f"{shown} lies before {FIRST_YEAR}, which is surely a slip.")
    if not 1 <= month <= 12:
        raise ValueError(f"{shown} is not a day: there is no month {month}. {_WRITE_DAY}")
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise ValueError(f"{shown} is not a day: that month runs from the 1st to {say_date(date(year, month, last))}.")
    return date(year, month, day)


def plain_text(text: str, most: int) -> str:
    """The text on one line. Raises `ValueError` if it is longer than `most` characters or cannot be printed."""
    line = " ".join(text.split())
    if len(line) > most:
        raise ValueError(f"This has {len(line):,} characters; {most:,} are the most.")
    if not line.isprintable():
        raise ValueError("There are characters in it that cannot be printed. Take them out.")
    return line


def names_person(form: KeyForm, key: str, kept: str, text: str) -> bool:
    """Whether a text repeats the value of a key that is kept only as a hash."""
    if key not in form.personal:
        return False
    words = [word.strip(".,;:!?()\"'“”‘’").removesuffix("'s").removesuffix("’s") for word in text.split()]
    spans = ((start, end) for start in range(len(words)) for end in range(start + 1, min(start + 6, len(words)) + 1))
    return any(form.of(key, " ".join(words[start:end])) == kept for start, end in spans)


class EventRules:
    """The rules under one schedule, on one day.

    `planned` lets events be dated in the future, `unawaited` lets them be ones that no class of the schedule waits for.
    """

    def __init__(
        self, schedule: RetentionSchedule, form: KeyForm, today: date, *, planned: bool = False, unawaited: bool = False
    ) -> None:
        self._schedule = schedule
        self._form = form
        self._today = today
        self._planned = planned
        self._unawaited = unawaited
        self._known: dict[tuple[str, str], tuple[Fault, ...]] = {}

    def read(self, said: Statement) -> Event | tuple[Fault, ...]:
        """The event, its value in kept form, or everything that is wrong with the statement."""
        of = (said.type.strip(), said.key.strip())
        if of not in self._known:
            self._known[of] = self.faults_of_name(*of)
        faults = [*self._known[of]]
        value = said.value.strip()
        faults += self._faults_of_value(of[1], value)
        try:
            on = read_day(said.on)
        except ValueError as error:
            faults.append(Fault("on", str(error)))
        else:
            faults += self.faults_of_day(on)
        faults += self._faults_of_note(of[1], value, said.note)
        return tuple(faults) if faults else Event(*of, self._form.of(of[1], value), on)

    def faults_of_name(self, type: str, key: str) -> tuple[Fault, ...]:
        """What is wrong with this type of event about this key, whatever its value and day."""
        faults = [
            Fault(part, _malformed(what, name, example))
            for part, what, name, example in (
                ("event", "type of event", type, "employment_ended"),
                ("key", "key", key, "person"),
            )
            if not _NAME.fullmatch(name)
        ]
        if not faults and EventTrigger(type, key) not in self._schedule.awaited:
            if not self._unawaited:
                faults.append(self._unawaited_fault(type, key))
            elif near := self._nearly_personal(key):
                faults.append(
                    Fault("key", f'No class has a key "{key}", and its values would be kept as they are. {near}')
                )
        return tuple(faults)

    def faults_of_day(self, on: date) -> tuple[Fault, ...]:
        """What is wrong with a day of the calendar as that of an event."""
        if on <= self._today or self._planned:
            return ()
        return (Fault("on", f"{say_date(on)} is still to come. Record what is only planned with --planned."),)

    def _faults_of_value(self, key: str, value: str) -> tuple[Fault, ...]:
        if not value:
            return (Fault("value", "The value of the key is missing: an event must say whom or what it is about."),)
        if key in self._form.personal and normalise_key(value).startswith(HIDDEN):
            # The form takes it for a hash that is kept already, and would keep a name written so as it is.
            if not _KEPT.fullmatch(normalise_key(value)):
                return (Fault("value", f"A value that begins with {HIDDEN} must be a whole hash, as --json shows it."),)
        elif len(value) > MOST_CHARACTERS:
            return (Fault("value", f"This has {len(value):,} characters; {MOST_CHARACTERS:,} are the most."),)
        elif len(value.splitlines()) > 1 or not " ".join(value.split()).isprintable():
            return (Fault("value", "There are line ends or characters in it that cannot be printed. Take them out."),)
        return ()

    def _faults_of_note(self, key: str, value: str, note: str) -> tuple[Fault, ...]:
        if not note:
            return ()
        try:
            line = plain_text(note, MOST_IN_NOTE)
        except ValueError as error:
            return (Fault("note", str(error)),)
        if key in self._form.personal and f" {_words(value)} " in f" {_words(line)} " and _words(value):
            return (Fault("note", f'It repeats the value of "{key}", which is kept only as a hash. Leave it out.'),)
        return ()

    def _unawaited_fault(self, type: str, key: str) -> Fault:
        keys = sorted(f'"{awaited.key}"' for awaited in self._schedule.awaited if awaited.type == type)
        otherwise = "To record it all the same, give --unawaited."
        if keys:
            said = f'The schedule waits for the event "{type}" with the key {" or ".join(keys)}, not with "{key}".'
            return Fault("key", f"{said} {otherwise}")
        known = f" {one_of(type, self._types)}" if self._types else ""
        return Fault("event", f'No class of the schedule waits for an event "{type}".{known} {otherwise}')

    @cached_property
    def _types(self) -> frozenset[str]:
        return frozenset(awaited.type for awaited in self._schedule.awaited)

    def _nearly_personal(self, key: str) -> str:
        """A question, if the key is no key of the schedule but looks like one whose values must not be kept."""
        known = {name for retention_class in self._schedule.classes for name in retention_class.keys}
        return "" if key in known | self._form.personal.keys() else nearest(key, self._form.personal)


def _malformed(what: str, name: str, example: str) -> str:
    """The name is not repeated: whoever took the columns for others has put a person's name there."""
    begins = f"The {what} is missing." if not name else f"This is no name of a {what}."
    return f"{begins} Write small letters, digits and underscores, beginning with a letter: {example}."


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", normalise_key(text)))

"""Recording what happened: an act is proposed, shown with what it changes, and only then accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from agent.catalogue.events import NewEvent, import_origin
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.event import Event, RecordedEvent
from agent.model.key import show_key
from agent.retention.periods import say_date
from agent.usecases.evaluate import Terms
from agent.usecases.event_file import EventFileError, Problems, read_rows
from agent.usecases.event_preview import Preview, preview
from agent.usecases.event_rules import MOST_IN_NOTE, EventRules, Fault, Statement, names_person, plain_text

BY_COMMAND = "command"
_ADDING = {"event": "TYPE", "key": "KEY", "value": "VALUE", "on": "--on", "note": "--note"}
_CORRECTING = {"event": "--type", "key": "--key", "value": "--key", "on": "--on"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """An act that has passed every check and is not recorded yet.

    It records `added`, in place of `ends` if there is that; an event that only ends is withdrawn.
    """

    added: tuple[NewEvent, ...] = ()
    ends: RecordedEvent | None = None
    why: str = field(default="", repr=False)


class EventRegister:
    """The events of a catalogue under certain terms, for one person at work on one day.

    Every proposal raises `UsageError` that tells all that is wrong with it, without the value of any key that names
    persons. Nothing is written before `accept`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        terms: Terms,
        today: date,
        by: str,
        now: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._terms = terms
        self._today = today
        self._by = by
        self._now = now

    def propose(self, said: Statement, *, planned: bool = False, unawaited: bool = False) -> Proposal:
        """One event to be recorded."""
        event = _sound(self._rules(planned, unawaited).read(said), _ADDING)
        self._refuse_known(event)
        return Proposal((NewEvent(event, BY_COMMAND, " ".join(said.note.split())),))

    def propose_correction(
        self,
        number: int,
        why: str,
        *,
        type: str | None = None,
        key: tuple[str, str] | None = None,
        on: str | None = None,
        planned: bool = False,
        unawaited: bool = False,
    ) -> Proposal:
        """Another event in the place of one in force; what is not given stays as it is."""
        old = self._catalogue.events.standing(number)
        if type is None and key is None and on is None:
            raise UsageError("Say what is to be corrected: --on, --type or --key.")
        name, value = key or (old.event.key, old.event.value)
        said = Statement(type or old.event.type, name, value, old.event.on.isoformat() if on is None else on)
        # What stays as it was has been accepted once, and the schedule may be another one since.
        same_name = (said.type, said.key) == (old.event.type, old.event.key)
        new = _sound(self._rules(planned or on is None, unawaited or same_name).read(said), _CORRECTING)
        if new == old.event:
            raise UsageError(f"This correction changes nothing: event number {number} says the same already.")
        self._refuse_known(new)
        if names_person(self._terms.form, new.key, new.value, old.note):
            raise UsageError(
                f'--key: the note of event number {number} repeats the new value of "{new.key}", which is kept only '
                "as a hash. Withdraw the event and add another one."
            )
        return Proposal((NewEvent(new, old.origin, old.note),), old, self._reason(why, old.event, new))

    def propose_withdrawal(self, number: int, why: str) -> Proposal:
        """An event in force that has not happened after all."""
        old = self._catalogue.events.standing(number)
        return Proposal((), old, self._reason(why, old.event))

    def propose_file(self, name: str, data: bytes, *, planned: bool = False, unawaited: bool = False) -> Proposal:
        """All events of a file, by its name and contents. Raises `EventFileError` with every problem, line by line."""
        content_hash = hashlib.sha256(data).hexdigest()
        brought, standing = self._catalogue.events.imported(content_hash)
        if standing:
            raise UsageError(
                f"{name}: this very file was imported before, and {standing:,} of its {brought:,} events are in force. "
                "Nothing was imported."
            )
        problems = Problems()
        lines, notes = self._read(data, self._rules(planned, unawaited), problems)
        for event, number in self._catalogue.events.already(lines).items():
            problems.note(lines[event], "", f"This event is recorded already, as number {number}.")
        if not lines and not problems.count:
            problems.note(1, "", "There is no event in this file.")
        if problems.count:
            raise EventFileError(name, problems)
        return Proposal(
            tuple(
                NewEvent(event, import_origin(name, content_hash, line), note)
                for (event, line), note in zip(lines.items(), notes, strict=True)
            )
        )

    def imported_before(self, data: bytes) -> bool:
        """Whether a file of these contents has been imported, whatever became of its events."""
        return self._catalogue.events.imported(hashlib.sha256(data).hexdigest())[0] > 0

    def preview(self, proposal: Proposal) -> Preview:
        """What would change today if the proposal were accepted."""
        return preview(
            self._catalogue,
            self._terms,
            self._today,
            [new.event for new in proposal.added],
            [proposal.ends.event] if proposal.ends else [],
        )

    def accept(self, proposal: Proposal) -> tuple[RecordedEvent, ...]:
        """Records the proposal as a whole, and tells the events it added, or the one that it ended.

        Raises `UsageError`, and records nothing, if the events have changed since so that it no longer fits.
        """
        events, at = self._catalogue.events, self._now()
        if proposal.ends is None:
            return events.add(proposal.added, at, self._by)
        number, why = proposal.ends.number, proposal.why
        if not proposal.added:
            return (events.withdraw(number, at, self._by, why),)
        return (events.correct(number, proposal.added[0].event, at, self._by, why),)

    def _rules(self, planned: bool, unawaited: bool) -> EventRules:
        return EventRules(self._terms.schedule, self._terms.form, self._today, planned=planned, unawaited=unawaited)

    def _read(self, data: bytes, rules: EventRules, problems: Problems) -> tuple[dict[Event, int], list[str]]:
        """The events of the file with their lines, and their notes; what is wrong is noted."""
        lines: dict[Event, int] = {}
        notes = []
        for row in read_rows(data, problems):
            read = rules.read(row.said)
            if not isinstance(read, Event):
                for fault in read:
                    problems.note(row.line, row.columns[fault.part], fault.sentence)
            elif read in lines:
                problems.note(row.line, "", f"This line repeats line {lines[read]}.")
            else:
                lines[read] = row.line
                notes.append(" ".join(row.said.note.split()))
        return lines, notes

    def _refuse_known(self, event: Event) -> None:
        number = self._catalogue.events.already([event]).get(event)
        if number is not None:
            raise UsageError(
                f'The event "{event.type}" of {event.key} {show_key(event.value)} on {say_date(event.on)} is recorded '
                f"already, as number {number}."
            )

    def _reason(self, why: str, *events: Event) -> str:
        try:
            line = plain_text(why, MOST_IN_NOTE)
        except ValueError as error:
            raise UsageError(f"--why: {error}") from None
        if not line:
            raise UsageError("--why: say why. It is kept with the event for whoever asks later.")
        for event in events:
            if names_person(self._terms.form, event.key, event.value, line):
                raise UsageError(
                    f'--why: it repeats the value of "{event.key}", which is kept only as a hash. Leave it out.'
                )
        return line


def _sound(read: Event | tuple[Fault, ...], parts: Mapping[str, str]) -> Event:
    if isinstance(read, Event):
        return read
    raise UsageError("\n".join(f"{parts[fault.part]}: {fault.sentence}" for fault in read))

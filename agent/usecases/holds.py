"""Placing and lifting holds, and what they cover. Both say what they do before they do it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from agent.catalogue.holds import Covered, FactsChanged, lifted_already, taken
from agent.catalogue.store import Catalogue
from agent.classification.classify import Classifier
from agent.errors import UsageError
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.retention.problems import nearest
from agent.usecases.evaluate import Terms
from agent.usecases.hold_scope import names_someone, scope_test
from connectors.base import ItemRef

FIRST = 20
_LONGEST_NAME = 100
_BLOCK = 1000

Progress = Callable[[int], None]


class HoldState(StrEnum):
    """Whether a hold stands on the day asked about."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    ENDED = "ended"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Listed:
    """A hold as it stands on a day. `overdue` says that the day of its review has passed."""

    hold: Hold
    state: HoldState
    covered: Covered
    overdue: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """A hold that may be placed as it is, and what it would cover.

    `items` are the numbers of the items, eight bytes each; `first` are some of them with their share's name. `mark` is
    the catalogue's `state_mark` before they were worked out.
    """

    hold: Hold
    items: array[int]
    first: tuple[tuple[str, ItemRef], ...]
    mark: str


@dataclass(frozen=True, slots=True)
class Lifting:
    """A hold that may be lifted as is said here, how many items it covers, and how many of them another one holds."""

    hold: Hold
    why: str
    told_on: date | None
    at: datetime
    covered: int
    held_by_others: int


class Holds:
    """The holds of one catalogue, for people."""

    def __init__(self, catalogue: Catalogue, terms: Terms) -> None:
        self._catalogue = catalogue
        self._terms = terms

    # Placing

    def work_out(self, new: Hold, *, everything: bool, progress: Progress) -> Coverage:
        """What the hold would cover; nothing is stored. `progress` is called with numbers of items looked at.

        Raises `UsageError` if the hold cannot be placed as it is. Only with `everything` may its scope be empty.
        """
        tidy = replace(new, name=_tidy(new.name), reason=_tidy(new.reason), citation=_tidy(new.citation))
        self._check(tidy, everything=everything)
        return self._walk(tidy, progress)

    def place(self, coverage: Coverage, progress: Progress) -> Hold:
        """The hold with its number, in force over everything it covers."""
        holds = self._catalogue.holds
        try:
            return holds.place(coverage.hold, coverage.items, unless_changed_since=coverage.mark)
        except FactsChanged:
            # A scan is at work. It shall not keep a hold from being placed; and what it told while we were looking is
            # looked at once the hold stands, since what it tells from then on is judged under it anyway.
            placed = holds.place(coverage.hold, coverage.items)
            holds.also_cover(placed.number, self._walk(coverage.hold, progress).items)
            return placed

    def _walk(self, hold: Hold, progress: Progress) -> Coverage:
        mark = self._catalogue.state_mark()
        terms = self._terms
        test = scope_test(self._catalogue, hold, terms.schedule, terms.storage)
        scope = hold.scope
        classifier = None
        if scope.classes or scope.keys or scope.persons:
            classifier = Classifier(terms.schedule, terms.storage)
        items = array("q")
        first: list[tuple[str, ItemRef]] = []
        looked_at = 0
        for ref, record in self._catalogue.records(terms.schedule.captured_types, in_vault=True):
            assignments = classifier.classify(record) if classifier else ()
            kept = [replace(assignment, keys=terms.form.of_all(assignment.keys)) for assignment in assignments]
            if test.covers(record, record.item_id, kept):
                items.append(record.item_id)
                if len(first) < FIRST:
                    first.append((record.share, ref))
            looked_at += 1
            if looked_at % _BLOCK == 0:
                progress(_BLOCK)
        progress(looked_at % _BLOCK)
        return Coverage(hold, items, tuple(first), mark)

    def _check(self, new: Hold, *, everything: bool) -> None:
        today = self._day(new.placed_at)
        self._check_name(new.name)
        if not new.reason:
            raise UsageError("A hold needs a reason: say with --reason why these items must stay.")
        if new.kind is HoldKind.MORATORIUM and not new.citation:
            raise UsageError(
                "A moratorium rests on a statute or an order: name it with --citation, for example "
                '--citation "Inquiries Act 2005 s.35".'
            )
        for option, text in (("name", new.name), ("--reason", new.reason), ("--citation", new.citation)):
            self._check_text(option, text, new.scope)
        if new.scope == HoldScope() and not everything:
            raise UsageError(
                "This hold has no scope, so it would cover every item there is. Narrow it, for example with --path or "
                "--person; or say --everything if that is what you want."
            )
        if new.scope != HoldScope() and everything:
            raise UsageError("--everything contradicts the other limits of this hold. Leave it or them out.")
        _check_days(new, today)

    def _check_name(self, name: str) -> None:
        if not name or name.isdecimal() or len(name) > _LONGEST_NAME:
            raise UsageError(
                f"The name of a hold has up to {_LONGEST_NAME} characters and at least one that is no digit, since a "
                "number alone means the hold of that number."
            )
        other = self._catalogue.holds.get(name)
        if other is not None:
            raise taken(other)

    def _check_text(self, what: str, text: str, scope: HoldScope) -> None:
        if not text.isprintable():
            raise UsageError(f"{what}: this contains characters that cannot be printed. Write plain text.")
        if names_someone(text, scope, self._terms.form.identify):
            raise UsageError(
                f"{what}: this names a person whom the hold is about. Names are kept only as keyed hashes; write the "
                "number of the request or of the case in its place."
            )

    # Lifting

    def lifting(self, named: str, why: str, told_on: date | None, at: datetime) -> Lifting:
        """What lifting the hold would do; nothing is stored. Raises `UsageError` if it cannot be lifted so."""
        hold = self._get(named)
        if hold.lifted_at is not None:
            raise lifted_already(hold)
        if at < hold.placed_at:
            raise UsageError(
                f'Hold "{hold.name}" was placed on {hold.placed_at:%Y-%m-%d at %H:%M} UTC, which lies ahead of the '
                "clock of this machine. A hold cannot be lifted before it was placed: set the clock right."
            )
        why = _tidy(why)
        if not why:
            raise UsageError("Say with --why for what reason the hold is lifted.")
        self._check_text("--why", why, hold.scope)
        self._check_told(hold, told_on, self._day(at))
        covered = self._counts(hold).there
        return Lifting(hold, why, told_on, at, covered, self._catalogue.holds.held_twice(hold.number, self._day(at)))

    def lift(self, lifting: Lifting, by: str) -> Hold:
        """The hold, lifted. Raises `UsageError` if somebody else has lifted it meanwhile."""
        return self._catalogue.holds.lift(lifting.hold.number, by, lifting.why, lifting.at, lifting.told_on)

    def _check_told(self, hold: Hold, told_on: date | None, today: date) -> None:
        if hold.kind is not HoldKind.RESTRICTION:
            if told_on is not None:
                raise UsageError(f'--told belongs to restrictions of processing, and "{hold.name}" is none.')
            return
        if told_on is None:
            raise UsageError(
                f'"{hold.name}" is a restriction of processing: the person must have been told before it is lifted '
                "(UK GDPR Art. 18(3)). Tell the person, then say with --told DATE on which day that was."
            )
        if told_on > today:
            raise UsageError(
                f"--told: {told_on} lies in the future. The person must have been told before the lifting."
            )
        placed_on = self._day(hold.placed_at)
        if told_on < placed_on:
            raise UsageError(
                f"--told: {told_on} lies before {placed_on}, the day on which this restriction was placed. Give the "
                "day on which the person was told that it would be lifted."
            )

    # Looking

    def listed(self, today: date, *, lifted: bool) -> tuple[Listed, ...]:
        """All holds in the order of placing; those that were lifted only if asked for."""
        counts = self._catalogue.holds.counts()
        return tuple(
            _listed(hold, counts.get(hold.number, Covered()), today)
            for hold in self._catalogue.holds.all()
            if lifted or hold.lifted_at is None
        )

    def show(self, named: str, today: date) -> Listed:
        """The hold of that name or number. Raises `UsageError` if there is none."""
        hold = self._get(named)
        return _listed(hold, self._counts(hold), today)

    def covered(self, hold: Hold) -> Iterator[tuple[str, ItemRef]]:
        """The items that it covers, with their share's name, in bounded memory."""
        return self._catalogue.holds.covered(hold.number)

    def covering(self, item_id: int, today: date) -> tuple[Hold, ...]:
        """The holds in force that cover one item."""
        return tuple(hold for hold in self._catalogue.holds.covering(item_id) if hold.in_force(today))

    def _get(self, named: str) -> Hold:
        hold = self._catalogue.holds.get(named)
        if hold is None:
            names = [other.name for other in self._catalogue.holds.all()]
            advice = nearest(named, names) or "See them all:  retentiond hold list --all"
            raise UsageError(f'There is no hold "{named}". {advice}' if names else "No hold has been placed yet.")
        return hold

    def _counts(self, hold: Hold) -> Covered:
        return self._catalogue.holds.counts().get(hold.number, Covered())

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._terms.schedule.time_zone).date()


def _check_days(new: Hold, today: date) -> None:
    scope = new.scope
    if new.review_on is not None and new.review_on < today:
        raise UsageError(f"--review: {new.review_on} is past. Give a day on which somebody can still ask anew.")
    if new.from_day and new.until_day and new.until_day < new.from_day:
        raise UsageError(f"--until: {new.until_day} lies before {new.from_day}, the day given with --from.")
    if new.until_day is not None and new.until_day < today:
        raise UsageError(f"--until: {new.until_day} is past, so this hold would hold nothing.")
    if scope.dated_from and scope.dated_until and scope.dated_until < scope.dated_from:
        raise UsageError(
            f"--dated-until: {scope.dated_until} lies before {scope.dated_from}, the day given with --dated-from."
        )


def _listed(hold: Hold, covered: Covered, today: date) -> Listed:
    if hold.lifted_at is not None:
        state = HoldState.LIFTED
    elif hold.in_force(today):
        state = HoldState.IN_FORCE
    elif hold.from_day is not None and today < hold.from_day:
        state = HoldState.NOT_YET
    else:
        state = HoldState.ENDED
    waits = state in (HoldState.IN_FORCE, HoldState.NOT_YET)
    return Listed(hold, state, covered, waits and hold.review_on is not None and hold.review_on < today)


def _tidy(text: str) -> str:
    return " ".join(text.split())

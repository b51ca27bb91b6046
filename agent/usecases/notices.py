"""Who is told what by mail, and never the same twice within its interval.

A mail leaves the house, so it says how many, of which class and how to look; never which file or whose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

import structlog

from agent.model.review import Reviewer
from agent.observing.base import Facts, Health, HealthState, Problem
from agent.observing.letter import Letter, Undelivered
from agent.usecases.review_standing import ReviewStandings

log = structlog.get_logger("retentiond.notices")

WAITING, OVERDUE, ALARM, DIGEST = "reviews_waiting", "reviews_overdue", "alarm", "digest"
_DELIVERED, _UNDELIVERED = "delivered", "undelivered"
_ALARMING = frozenset(
    {
        "audit_not_anchored",
        "certificate_expires",
        "job_failed",
        "not_reconciled",
        "service_silent",
        "service_stopped",
        "share_unavailable",
        "vault_sample_failed",
    }
)
_SLACK = timedelta(hours=1)  # what runs once a day begins a little earlier on some days than on others
_CLASSES_NAMED = 20


class Ledger(Protocol):
    """Remembers what was told to whom, as the catalogue's notices do."""

    def last(self, kind: str, recipient: str, subject: str) -> datetime | None:
        """When this was told to that recipient last, in UTC."""

    def record(self, kind: str, recipient: str, subject: str, at: datetime) -> None:
        """It has been told."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """How long somebody has peace after having been told something."""

    waiting: timedelta = timedelta(days=7)
    overdue: timedelta = timedelta(days=2)
    alarm: timedelta = timedelta(days=1)
    digest: timedelta = timedelta(days=7)


INTERVALS = Intervals()


@dataclass(slots=True)
class Waiting:
    """What waits for one reviewer: how many items by class, how many of them too long, and since when the oldest."""

    reviewer: Reviewer
    classes: Counter[str] = field(default_factory=Counter)
    overdue: int = 0
    since: date = date.max

    @property
    def count(self) -> int:
        """How many items wait for this person."""
        return self.classes.total()


def waiting_for(standings: ReviewStandings, overdue_after_days: int) -> tuple[Waiting, ...]:
    """What waits for each reviewer who can take the next stage of something, in bounded memory.

    Classes that are only observed are left out, since nobody can do anything about them yet.
    """
    found = {reviewer.name: Waiting(reviewer) for reviewer in standings.reviewers}
    for one in standings.due():
        if not one.open or standings.observed(one.item.class_id or ""):
            continue
        overdue = standings.overdue(one, overdue_after_days)
        for name in one.may_approve:
            if (waiting := found.get(name)) is not None:
                waiting.classes[one.item.class_id or ""] += 1
                waiting.overdue += overdue
                waiting.since = min(waiting.since, one.waiting_since)
    return tuple(waiting for waiting in found.values() if waiting.count)


class Secretary:
    """Writes the letters that are due at one moment. `titles` are those of retention classes, `site` is the name by
    which people know this installation."""

    def __init__(
        self,
        ledger: Ledger,
        now: datetime,
        titles: Mapping[str, str],
        site: str = "",
        intervals: Intervals = INTERVALS,
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._titles = titles
        self._site = site
        self._intervals = intervals

    def reminders(self, waiting: Iterable[Waiting]) -> Iterator[Letter]:
        """A letter to each reviewer with an address for whom something waits."""
        for one in waiting:
            address = one.reviewer.email
            if not address:
                continue
            if one.overdue and self._has_peace_ended(OVERDUE, address, "", self._intervals.overdue):
                said = f"{_items(one.overdue)} overdue for review"
                yield Letter(OVERDUE, address, ("",), self._title(said), self._reminder(one))
            elif self._has_peace_ended(WAITING, address, "", self._intervals.waiting) and not self._told_of_overdue(
                one
            ):
                said = f"{_items(one.count)} to review"
                yield Letter(WAITING, address, ("",), self._title(said), self._reminder(one))

    def alarms(self, health: Health, administrators: Sequence[str]) -> Iterator[Letter]:
        """One letter to each administrator about all that has gone wrong and was not told within the interval."""
        for address in administrators:
            news = [
                problem
                for problem in health.problems
                if _is_alarming(problem)
                and self._has_peace_ended(ALARM, address, _subject(problem), self._intervals.alarm)
            ]
            if news:
                said = news[0].sentence if len(news) == 1 else f"{len(news)} problems"
                lines = [*(f"- {problem.sentence}" for problem in news), "", "To look:  retentiond status"]
                subjects = tuple(_subject(problem) for problem in news)
                yield Letter(ALARM, address, subjects, self._title(said), self._text(lines))

    def digests(self, facts: Facts, health: Health, administrators: Sequence[str]) -> Iterator[Letter]:
        """What there is to know once a week, to each administrator."""
        for address in administrators:
            if self._has_peace_ended(DIGEST, address, "", self._intervals.digest):
                lines = [*self._digest(facts, health), "", "To look:  retentiond status"]
                yield Letter(DIGEST, address, ("",), self._title("weekly digest"), self._text(lines))

    def _has_peace_ended(self, kind: str, recipient: str, subject: str, interval: timedelta) -> bool:
        last = self._ledger.last(kind, recipient, subject)
        return last is None or self._now - last >= interval - _SLACK or last > self._now + _SLACK

    def _told_of_overdue(self, one: Waiting) -> bool:
        """A letter about what is overdue has said what is waiting as well."""
        return not self._has_peace_ended(OVERDUE, one.reviewer.email, "", self._intervals.overdue)

    def _reminder(self, one: Waiting) -> str:
        lines = [f"{_items(one.count)} for you to review, the oldest since {one.since:%d %B %Y}:", ""]
        lines += self._classes(one.classes)
        if one.overdue:
            lines += ["", f"{_items(one.overdue)} of them overdue."]
        lines += ["", "To look:  retentiond review list --mine"]
        return self._text(lines)

    def _classes(self, classes: Mapping[str, int]) -> list[str]:
        ordered = sorted(classes.items(), key=lambda one: (-one[1], one[0]))
        lines = [f"  {count:>9,}  {self._class(class_id)}" for class_id, count in ordered[:_CLASSES_NAMED]]
        if rest := ordered[_CLASSES_NAMED:]:
            lines.append(f"  {sum(count for _, count in rest):>9,}  of {len(rest)} more classes")
        return lines

    def _class(self, class_id: str) -> str:
        return self._titles.get(class_id, class_id) or "without a class"

    def _digest(self, facts: Facts, health: Health) -> Iterator[str]:
        yield f"State: {health.state.name}"
        yield from (f"- {problem.sentence}" for problem in health.problems)
        yield from ("", "Shares:")
        for share in facts.shares:
            failed = sum(share.failed.values())
            yield f"  {share.name}: {share.seen:,} seen, {share.scanned:,} read, {failed:,} could not be read"
        yield from ("", "Due:", *(self._classes(facts.due) or ["  nothing"]), "")
        if facts.reviews is not None:
            yield f"Reviews: {facts.reviews.waiting:,} waiting, {facts.reviews.overdue:,} of them overdue"
        yield f"In quarantine: {facts.vault.items:,}; destroyed in all: {facts.vault.destroyed:,}"
        yield f"Holds: {facts.holds:,}" + ("; all disposals are paused" if facts.paused else "")

    def _title(self, said: str) -> str:
        return f"retentiond{' on ' + self._site if self._site else ''}: {said}"

    def _text(self, lines: Sequence[str]) -> str:
        return "\n".join([*lines, "", "-- ", "Sent by retentiond. Nobody reads answers to this address.", ""])


@dataclass(frozen=True, slots=True)
class Sent:
    """How many letters were taken by the mail server, and how many must be sent again."""

    delivered: int
    undelivered: int


def deliver(letters: Iterable[Letter], send: Callable[[Letter], None], ledger: Ledger, now: datetime) -> Sent:
    """Sends the letters and remembers each as soon as it is taken. One that is not is due again the next time.

    Where the next would fare no better, the rest are not tried. `send` raises `Undelivered`.
    """
    delivered = undelivered = 0
    away: Undelivered | None = None
    for letter in letters:
        try:
            if away is not None:
                raise away
            send(letter)
        except Undelivered as error:
            away = error if error.others_too else None
            undelivered += 1
            log.warning("mail.undelivered", kind=letter.kind, reason=error.why.value)
            ledger.record(_UNDELIVERED, letter.recipient, "", now)
        else:
            delivered += 1
            log.info("mail.sent", kind=letter.kind)
            for subject in letter.subjects:
                ledger.record(letter.kind, letter.recipient, subject, now)
            ledger.record(_DELIVERED, letter.recipient, "", now)
    return Sent(delivered, undelivered)


def undelivered(ledger: Ledger, recipients: Iterable[str]) -> Mapping[str, datetime]:
    """The addresses to which the last letter did not get through, with when that was tried."""
    found = {}
    for recipient in sorted(set(recipients)):
        failed = ledger.last(_UNDELIVERED, recipient, "")
        taken = ledger.last(_DELIVERED, recipient, "")
        if failed is not None and (taken is None or taken <= failed):
            found[recipient] = failed
    return found


def _is_alarming(problem: Problem) -> bool:
    if problem.code == "share_unavailable":  # a server that starts anew is soon back
        return problem.state is HealthState.CRITICAL
    return problem.code in _ALARMING


def _subject(problem: Problem) -> str:
    return f"{problem.code} {problem.subject}".rstrip()


def _items(count: int) -> str:
    return f"{count:,} {'item' if count == 1 else 'items'}"

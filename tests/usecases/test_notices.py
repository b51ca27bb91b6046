"""Who is told what by mail, how often, and what never stands in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from agent.catalogue.notices import NoticeRecords
from agent.model.review import Reviewer
from agent.model.service import JobName, JobResult, ShareState
from agent.observing.base import Facts, ReviewCounts
from agent.observing.letter import Letter, Undelivered, Why
from agent.usecases.health import health
from agent.usecases.notices import (
    DIGEST,
    OVERDUE,
    WAITING,
    Secretary,
    Waiting,
    deliver,
    undelivered,
    waiting_for,
)
from agent.usecases.observed import review_counts
from agent.usecases.review_standing import ReviewStandings
from tests.observing.facts import HOUR, NOW, a_job, a_run, a_share, sound
from tests.usecases.review_office import PEOPLE, TERMS, TODAY, an_office

DAY = 24 * HOUR
ANN = Reviewer("ann", ("records manager",), "ann@example.org")
ADMINISTRATORS = ("root@example.org", "admin@example.org")
TITLES = {"case-file": "Case files"}


class Memory:
    """A ledger that lasts as long as the test."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, str, str], datetime] = {}

    def last(self, kind: str, recipient: str, subject: str) -> datetime | None:
        return self.told.get((kind, recipient, subject))

    def record(self, kind: str, recipient: str, subject: str, at: datetime) -> None:
        self.told[kind, recipient, subject] = at


class Post:
    """Takes letters, or says why not."""

    def __init__(self) -> None:
        self.taken: list[Letter] = []
        self.tried = 0
        self.refuses: dict[str, Why] = {}

    def send(self, letter: Letter) -> None:
        self.tried += 1
        if why := self.refuses.get(letter.recipient) or self.refuses.get("*"):
            raise Undelivered(why)
        self.taken.append(letter)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def post() -> Post:
    return Post()


def waiting(overdue: int = 0, reviewer: Reviewer = ANN) -> Waiting:
    return Waiting(reviewer, Counter({"case-file": 40, "": 2}), overdue, date(2026, 10, 1))


def remind(memory: Memory, post: Post, one: Waiting, at: datetime) -> list[str]:
    before = len(post.taken)
    deliver(Secretary(memory, at, TITLES).reminders([one]), post.send, memory, at)
    return [letter.kind for letter in post.taken[before:]]


def alarm(memory: Memory, post: Post, facts: Facts, at: datetime) -> list[str]:
    before = len(post.taken)
    deliver(Secretary(memory, at, TITLES).alarms(health(facts, NOW), ADMINISTRATORS), post.send, memory, at)
    return [letter.recipient for letter in post.taken[before:]]


def test_a_reviewer_is_told_how_many_of_which_class_and_how_to_look(memory: Memory, post: Post) -> None:
    remind(memory, post, waiting(), NOW)
    (letter,) = post.taken
    assert (letter.kind, letter.recipient) == (WAITING, "ann@example.org")
    assert letter.title == "retentiond: 42 items to review"
    assert letter.text == (
        "42 items for you to review, the oldest since 01 October 2026:\n\n"
        "         40  Case files\n"
        "          2  without a class\n\n"
        "To look:  retentiond review list --mine\n\n"
        "-- \nSent by retentiond. Nobody reads answers to this address.\n"
    )


def test_nobody_is_reminded_twice_within_the_interval(memory: Memory, post: Post) -> None:
    days = range(16)
    assert [day for day in days if remind(memory, post, waiting(), NOW + day * DAY)] == [0, 7, 14]


def test_what_begins_a_little_earlier_on_some_days_is_not_put_off_by_a_day(memory: Memory, post: Post) -> None:
    assert remind(memory, post, waiting(), NOW) == [WAITING]
    assert remind(memory, post, waiting(), NOW + 7 * DAY - timedelta(minutes=5)) == [WAITING]


def test_what_is_overdue_is_told_more_often_and_in_the_same_letter(memory: Memory, post: Post) -> None:
    told = [remind(memory, post, waiting(overdue=3), NOW + day * DAY) for day in range(5)]
    assert told == [[OVERDUE], [], [OVERDUE], [], [OVERDUE]]
    assert post.taken[0].title == "retentiond: 3 items overdue for review"
    assert "3 items of them overdue." in post.taken[0].text


def test_a_reviewer_without_an_address_is_told_nothing(memory: Memory, post: Post) -> None:
    assert remind(memory, post, waiting(reviewer=Reviewer("bob", ("records manager",))), NOW) == []


def failing() -> Facts:
    jobs = (a_job(share="office", last=a_run(JobResult.FAILED, said="of Amy Carter"), failures=1),)
    return replace(sound(), jobs=jobs)


def test_administrators_hear_of_a_failed_job_once_a_day(memory: Memory, post: Post) -> None:
    told = [alarm(memory, post, failing(), NOW + hour * HOUR) for hour in (0, 1, 12, 24)]
    assert told == [list(ADMINISTRATORS), [], [], list(ADMINISTRATORS)]
    assert post.taken[0].title == "retentiond: The job reconcile of office has failed once."


def test_another_failure_is_told_although_the_first_was(memory: Memory, post: Post) -> None:
    alarm(memory, post, failing(), NOW)
    both = replace(failing(), jobs=(*failing().jobs, a_job(JobName.BACKUP, last=a_run(JobResult.LOST), failures=1)))
    alarm(memory, post, both, NOW + HOUR)
    assert post.taken[-1].subjects == ("job_failed backup",)


def test_a_share_that_is_away_for_long_is_told_and_one_that_starts_anew_is_not(memory: Memory, post: Post) -> None:
    def away(since: datetime) -> Facts:
        return replace(sound(), shares=(a_share(state=ShareState.UNAVAILABLE, since=since),))

    assert alarm(memory, post, away(NOW - HOUR / 2), NOW) == []
    assert alarm(memory, post, away(NOW - 2 * HOUR), NOW) == list(ADMINISTRATORS)


def test_several_things_that_go_wrong_at_once_are_one_letter(memory: Memory, post: Post) -> None:
    facts = replace(failing(), vault=replace(sound().vault, sample_good=False))
    alarm(memory, post, facts, NOW)
    assert (len(post.taken), post.taken[0].title) == (2, "retentiond: 2 problems")


def test_what_is_well_alarms_nobody(memory: Memory, post: Post) -> None:
    assert alarm(memory, post, replace(sound(), reviews=ReviewCounts(9, 9), undelivered=1), NOW) == []


def test_the_digest_comes_once_a_week_and_holds_counts(memory: Memory, post: Post) -> None:
    facts = sound()
    for day in range(8):
        at = NOW + day * DAY
        letters = Secretary(memory, at, TITLES, "files.example.org").digests(
            facts, health(facts, NOW), ADMINISTRATORS[:1]
        )
        deliver(letters, post.send, memory, at)
    assert [letter.kind for letter in post.taken] == [DIGEST, DIGEST]
    text = post.taken[0].text
    assert post.taken[0].title == "retentiond on files.example.org: weekly digest"
    for line in (
        "State: OK",
        "  office: 1,200 seen, 1,150 read, 20 could not be read",
        "         40  Case files",
        "Reviews: 42 waiting, 0 of them overdue",
        "In quarantine: 10; destroyed in all: 7",
    ):
        assert line in text.splitlines()


def test_no_letter_holds_what_a_job_said_or_who_reviews(memory: Memory, post: Post) -> None:
    facts = replace(failing(), reviews=ReviewCounts(42, 7))
    secretary = Secretary(memory, NOW, TITLES)
    letters = [
        *secretary.reminders([waiting(overdue=1)]),
        *secretary.alarms(health(facts, NOW), ADMINISTRATORS),
        *secretary.digests(facts, health(facts, NOW), ADMINISTRATORS),
    ]
    assert len(letters) == 5
    told = "".join(letter.title + letter.text for letter in letters)
    assert [word for word in ("Amy", "Carter", "ann", "records manager", ".pdf", "@") if word in told] == []


# Delivery


def test_a_letter_that_is_not_taken_is_sent_again_the_next_time(memory: Memory, post: Post) -> None:
    post.refuses["*"] = Why.SERVER_AWAY
    assert remind(memory, post, waiting(), NOW) == []
    assert undelivered(memory, ["ann@example.org", "bob@example.org"]) == {"ann@example.org": NOW}
    post.refuses.clear()
    assert remind(memory, post, waiting(), NOW + HOUR) == [WAITING]
    assert undelivered(memory, ["ann@example.org"]) == {}


def test_a_server_that_is_away_is_not_asked_for_every_letter(memory: Memory, post: Post) -> None:
    post.refuses["*"] = Why.SERVER_AWAY
    letters = [Letter(DIGEST, f"{number}@example.org", ("",), "t", "x") for number in range(50)]
    sent = deliver(letters, post.send, memory, NOW)
    assert (post.tried, sent.undelivered, sent.delivered) == (1, 50, 0)
    assert len(undelivered(memory, [letter.recipient for letter in letters])) == 50


def test_one_refused_recipient_keeps_nothing_from_the_others(memory: Memory, post: Post) -> None:
    post.refuses["admin@example.org"] = Why.REFUSED_RECIPIENT
    letters = [Letter(DIGEST, address, ("",), "t", "x") for address in ("admin@example.org", "root@example.org")]
    sent = deliver(letters, post.send, memory, NOW)
    assert (sent.delivered, sent.undelivered, [one.recipient for one in post.taken]) == (1, 1, ["root@example.org"])


def test_what_was_taken_is_remembered_even_if_the_next_letter_ends_everything(memory: Memory) -> None:
    def send(letter: Letter) -> None:
        if letter.recipient != "1@example.org":
            raise KeyboardInterrupt

    letters = [Letter(DIGEST, f"{number}@example.org", ("",), "t", "x") for number in (1, 2)]
    with pytest.raises(KeyboardInterrupt):
        deliver(letters, send, memory, NOW)
    assert memory.last(DIGEST, "1@example.org", "") == NOW


# With the real catalogue and real reviews


def test_reviewers_of_a_real_office_are_told_what_waits_for_them(tmp_path: Path, post: Post) -> None:
    with an_office(tmp_path / "catalogue.sqlite", ["Cases/1/a.pdf", "Cases/2/b.pdf", "Letters/c.pdf"]) as catalogue:
        standings = ReviewStandings(catalogue, TERMS, TODAY, PEOPLE)
        standings.bring_up_to_date()
        found = waiting_for(standings, 30)
        counted = review_counts(standings, 30)
        assert {one.reviewer.name: dict(one.classes) for one in found} == {
            "ann": {"case-file": 2, "letter": 1},
            "ben": {"letter": 1},
            "cem": {"case-file": 2, "letter": 1},
        }
        assert counted.waiting == 3
        ledger: NoticeRecords = catalogue.notices
        people = [
            replace(one, reviewer=replace(one.reviewer, email=f"{one.reviewer.name}@example.org")) for one in found
        ]
        for expected in (len(people), 0):
            letters = list(Secretary(ledger, NOW, TITLES).reminders(people))
            assert len(letters) == expected
            deliver(letters, post.send, ledger, NOW)
        observed = ReviewStandings(catalogue, TERMS, TODAY, PEOPLE, lambda _: True)
        assert (waiting_for(observed, 30), review_counts(observed, 30)) == ((), ReviewCounts())

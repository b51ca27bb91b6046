"""A small office in which things are due, and people who review them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from agent.catalogue.base import ItemResult
from agent.catalogue.store import Catalogue
from agent.detection.identity import FindingIdentity
from agent.model.key import KeyForm
from agent.model.review import ActKind, Reviewer
from agent.retention.loader import load_schedule
from agent.usecases.evaluate import Terms
from agent.usecases.review import ReviewDesk
from agent.usecases.review_rules import Wish
from agent.usecases.review_standing import ReviewStandings, UnderReview
from tests.catalogue.conftest import a_pass, a_result
from tests.catalogue.empty import empty_at

TODAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SCHEDULE = """\
id: office
title: Office
version: "1"
organisation: Example Ltd
time_zone: Europe/London
classes:
  - id: case-file
    title: Case files
    mandate: A law.
    scope_notes: Files of cases.
    applies_when:
      path: "Cases/{case}/**"
    keys: [case]
    trigger: modified
    period: P1Y
    outcome: destroy
    extend_up_to: P10Y
    stages: [case officer, privacy lead]
  - id: letter
    title: Letters
    mandate: A law.
    scope_notes: All letters.
    applies_when:
      any_of:
        - path: "Letters/**"
        - all_of:
            - path: ["Old/**", "Older/**"]
            - not: {path: "Old/keep/**"}
    trigger: modified
    period: P1Y
    outcome: destroy
  - id: by-label
    title: Labelled by hand
    mandate: A law.
    scope_notes: What people label.
    applies_when:
      path: "Labelled/**"
    trigger: labelled
    period: P1Y
    outcome: destroy
  - id: case-event
    title: Cases that were closed
    mandate: A law.
    scope_notes: Cases.
    applies_when:
      path: "Closed/{case}/**"
    keys: [case]
    trigger: {event: case_closed, key: case}
    period: P1Y
    outcome: destroy
  - id: minutes
    title: Minutes
    mandate: A law.
    scope_notes: All of them.
    applies_when:
      path: "**/minutes*"
    outcome: retain_permanently
  - id: young
    title: Young files
    mandate: A law.
    scope_notes: All of them.
    applies_when:
      path: "Young/**"
    trigger: modified
    period: P20Y
    outcome: destroy
    extend_up_to: P1Y
placement:
  - id: not-here
    title: Nothing lies in the drop folder
    mandate: A rule.
    applies_when:
      path: "Drop/**"
    then: quarantine
"""
RULES = load_schedule(SCHEDULE, "office.yaml")
FORM = KeyForm(RULES.hidden_keys, FindingIdentity(b"k" * 32).of)
TERMS = Terms(RULES, FORM)
ANN = Reviewer("ann", ("case officer",), "ann@example.org")
BEN = Reviewer("ben", ("Privacy Lead",))
CEM = Reviewer("cem", ("case officer", "privacy lead"))
PEOPLE = (ANN, BEN, CEM)
REASON = "looked at it carefully"


def a_file(
    path: str, version: bytes = b"1", content: bytes | None = None, marks: dict[str, str] | None = None
) -> ItemResult:
    result = a_result(path.encode(), version, content_hash=content)
    assert result.item is not None
    return replace(result, item=replace(result.item, marks=marks or {}))


def an_office(path: Path, files: Iterable[str | ItemResult]) -> Catalogue:
    """A catalogue that knows these files, numbered from 1."""
    catalogue = Catalogue.open(empty_at(path))
    a_pass(catalogue, *(a_file(file) if isinstance(file, str) else file for file in files))
    return catalogue


class Office:
    """The catalogue, and each person's desk; the clock goes on by an hour with every act."""

    def __init__(
        self,
        catalogue: Catalogue,
        terms: Terms = TERMS,
        people: tuple[Reviewer, ...] = PEOPLE,
        began: datetime = NOW,
    ) -> None:
        self.catalogue = catalogue
        self.terms = terms
        self.people = people
        self._now = began

    def now(self) -> datetime:
        self._now += timedelta(hours=1)
        return self._now

    def standings(self, today: date = TODAY) -> ReviewStandings:
        standings = ReviewStandings(self.catalogue, self.terms, today, self.people)
        standings.bring_up_to_date()
        return standings

    def desk(self, by: str = "ann", today: date = TODAY) -> ReviewDesk:
        return ReviewDesk(self.catalogue, self.terms, self.standings(today), by, self.now)

    def wish(self, number: int, kind: ActKind, **parts: object) -> Wish:
        return replace(Wish(number, kind, REASON), **parts)  # type: ignore[arg-type]

    def act(self, by: str, number: int, kind: ActKind = ActKind.APPROVE, **parts: object) -> None:
        desk = self.desk(by)
        proposed = desk.propose([self.wish(number, kind, **parts)])
        assert proposed.refused == ()
        desk.record(proposed)

    def why_not(self, by: str, number: int, kind: ActKind = ActKind.APPROVE, **parts: object) -> str:
        """Why the act is refused; empty if it is not."""
        proposed = self.desk(by).propose([self.wish(number, kind, **parts)])
        assert len(proposed.acts) + len(proposed.refused) == 1
        return proposed.refused[0].why if proposed.refused else ""

    def under(self, number: int, today: date = TODAY) -> UnderReview:
        return self.standings(today).of_numbers([number])[number]


def quiet(count: int) -> None:
    """Nobody watches."""

"""A small office whose records wait for events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from agent.catalogue.base import ItemResult
from agent.catalogue.store import Catalogue
from agent.detection.identity import FindingIdentity
from agent.model.key import KeyForm
from agent.retention.loader import load_schedule
from agent.usecases.evaluate import Terms
from agent.usecases.event_rules import Statement
from agent.usecases.events import EventRegister
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
  - id: personnel-file
    title: Personnel files
    mandate: A law.
    scope_notes: Personnel files.
    applies_when:
      path: "Personnel/{person}/**"
    keys: [person]
    trigger: {event: employment_ended, key: person}
    period: P6Y
    outcome: review
  - id: case-file
    title: Case files
    mandate: A law.
    scope_notes: Files of cases.
    applies_when:
      path: "Cases/{case}/**"
    keys: [case]
    trigger: {event: case_closed, key: case}
    period: P1Y
    outcome: destroy
    unless:
      - {event: case_reported, key: case}
  - id: other
    title: Other files
    mandate: A law.
    scope_notes: All others.
    applies_when:
      path: "Other/**"
    trigger: modified
    period: P6Y
    outcome: review
"""
RULES = load_schedule(SCHEDULE, "office.yaml")
FORM = KeyForm(RULES.hidden_keys, FindingIdentity(b"k" * 32).of)
TERMS = Terms(RULES, FORM)
JANE = FORM.of("person", "Jane Doe")


def a_statement(**parts: str) -> Statement:
    """That Jane Doe left on 31 March 2019, unless said otherwise."""
    return Statement(**{"type": "employment_ended", "key": "person", "value": "Jane Doe", "on": "2019-03-31"} | parts)


def an_office(path: Path, files: Iterable[str]) -> Catalogue:
    """A catalogue that knows these files, none of them marked."""
    catalogue = Catalogue.open(empty_at(path))
    a_pass(catalogue, *(_unmarked(a_result(file.encode(), content_hash=None)) for file in files))
    return catalogue


def a_register(catalogue: Catalogue, by: str = "ann", today: date = TODAY) -> EventRegister:
    return EventRegister(catalogue, TERMS, today, by, lambda: NOW)


def _unmarked(result: ItemResult) -> ItemResult:
    assert result.item is not None
    return replace(result, item=replace(result.item, marks={}))

"""Keys that marks at the source and texts give: kept as keyed hashes only, and reached by events all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from agent.catalogue.events import NewEvent
from agent.catalogue.store import Catalogue
from agent.detection.identity import FindingIdentity
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.decision import KEY_MARK
from agent.model.event import Event
from agent.model.finding import Finding
from agent.model.key import KeyForm
from agent.model.outcome import Extraction, ExtractionStatus
from agent.retention.loader import load_schedule
from agent.usecases.analyse import Analysis, content_hash
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.scan import Scan
from agent.usecases.standing import bring_up_to_date
from connectors.memory import MemoryConnector
from tests.catalogue.empty import empty_at

SCHEDULE = load_schedule(
    """\
id: keys
title: Keys
version: "1"
organisation: Example Ltd
time_zone: Europe/London
classes:
  - id: file
    title: Files
    mandate: A law.
    scope_notes: All.
    applies_when: {path: ["Staff/{person}/**", "**"]}
    keys: [person, case]
    captures:
      - {key: person}
      - {key: case, finding: CASE_REFERENCE}
    trigger:
      first_of:
        - trigger: {event: left, key: person}
          period: none
        - trigger: {event: closed, key: case}
          period: none
    outcome: destroy
""",
    "keys.yaml",
)
IDENTITY = FindingIdentity(b"k" * 32).of
FORM = KeyForm(SCHEDULE.hidden_keys, IDENTITY)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
TODAY = date(2026, 1, 2)


class Reading:
    """Finds the case references that a document consists of, one a line."""

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        digest = content_hash(descriptor)
        with open(f"/proc/self/fd/{descriptor}", encoding="ascii") as file:
            lines = file.read().split()
        found = tuple(Finding("CASE_REFERENCE", IDENTITY("CASE_REFERENCE", line), 0.9, 1, "line=1") for line in lines)
        return Analysis(Extraction(ExtractionStatus.OK, "txt", (), 7), found, len(found), digest)

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def source() -> MemoryConnector:
    source = MemoryConnector("office")
    source.put(b"by mark", b"", marks={KEY_MARK + "person": " Jane  DOE "})
    source.put(b"by text", b"ABC/2019/14")
    source.put(b"two cases", b"ABC/2019/14 ABC/2019/15")
    source.put(b"Staff/Jane Doe/by path", b"", marks={KEY_MARK + "person": "somebody else"})
    return source


@pytest.fixture
def catalogue(tmp_path: Path, source: MemoryConnector) -> Iterator[Catalogue]:
    with Catalogue.open(empty_at(tmp_path / "catalogue.sqlite"), create=True) as catalogue:
        scan(catalogue, source, identify=True)
        yield catalogue


def scan(catalogue: Catalogue, source: MemoryConnector, *, identify: bool) -> None:
    version, work = AnalysisVersion("1", {}, ""), InlineExecutor(Reading())
    known = IDENTITY if identify else None
    Scan(source, source.scope, "/srv", catalogue, work, version, lambda: NOW, lambda items, size: None, known).run()


def due(catalogue: Catalogue) -> set[str]:
    decided = {
        entry.record.path
        for entry in Evaluation(catalogue, Terms(SCHEDULE, FORM), TODAY)
        if entry.decision.state == "due"
    }
    bring_up_to_date(catalogue, Terms(SCHEDULE, FORM), TODAY)
    assert {str(one.ref) for one in catalogue.standings.due(TODAY)} == decided
    return decided


def record(catalogue: Catalogue, type_: str, key: str, value: str) -> None:
    catalogue.events.add([NewEvent(Event(type_, key, FORM.of(key, value), TODAY), "test")], NOW, "officer")


def test_an_event_reaches_the_items_whose_mark_or_path_names_the_person(catalogue: Catalogue) -> None:
    assert due(catalogue) == set()
    record(catalogue, "left", "person", "jane doe")
    assert due(catalogue) == {"by mark", "Staff/Jane Doe/by path"}


def test_an_event_reaches_the_items_whose_text_holds_just_that_case(catalogue: Catalogue) -> None:
    record(catalogue, "closed", "case", "abc 2019 14")
    assert due(catalogue) == {"by text"}


def test_what_the_path_says_comes_before_what_a_mark_says(catalogue: Catalogue) -> None:
    record(catalogue, "left", "person", "somebody else")
    assert due(catalogue) == set()


def test_no_value_of_a_mark_or_a_text_is_in_the_catalogue(catalogue: Catalogue, tmp_path: Path) -> None:
    due(catalogue)
    written = b"".join(path.read_bytes() for path in tmp_path.glob("catalogue.sqlite*")).lower()
    assert b"doe" not in written.replace(b"staff/jane doe", b"")
    assert b"somebody else" not in written
    assert b"abc/2019" not in written


def test_without_a_key_for_hashes_such_marks_are_left_out(tmp_path: Path, source: MemoryConnector) -> None:
    with Catalogue.open(empty_at(tmp_path / "other.sqlite"), create=True) as catalogue:
        scan(catalogue, source, identify=False)
        assert all(not record.marks for _, record in catalogue.records())

"""What would be found now is compared with what is recorded, and nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue
from agent.errors import SourceUnavailable
from agent.execution.base import Lost
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import CategoryVerdict, DataCategory, Finding, Verdict
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.analyse import Analysis
from agent.usecases.difference import Comparison, Difference
from agent.usecases.scan import Scan
from connectors.base import Scope
from connectors.errors import PermissionDenied
from connectors.memory import MemoryConnector
from tests.catalogue.empty import empty_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEALTH = Verdict((CategoryVerdict(DataCategory.HEALTH, 0.9),), (("sickness", 0.8),))
MAIL = Finding("EMAIL_ADDRESS", b"m" * 16, 0.9, 1, "line=1")


class Deciding:
    """Work that answers with what each name is set to hold."""

    def __init__(self) -> None:
        self.holds: dict[bytes, tuple[tuple[Finding, ...], Verdict]] = {}
        self.lost: set[bytes] = set()

    def __call__(self, descriptor: int, name: bytes) -> object:
        if name in self.lost:
            return Lost("timeout")
        findings, verdict = self.holds.get(name, ((), Verdict()))
        return Analysis(Extraction(ExtractionStatus.OK, "txt", (), 7), findings, len(findings), b"h" * 32, verdict)

    def close(self) -> None:
        """Nothing to let go of."""


class Office:
    def __init__(self, path: Path) -> None:
        self.source = MemoryConnector("office", page_size=2)
        self.catalogue = Catalogue.open(empty_at(path))
        self.work = Deciding()
        self.version = AnalysisVersion("first", {}, "detector 1")

    def scan(self) -> None:
        executor = InlineExecutor(self.work)
        Scan(
            self.source, self.source.scope, "/srv/office", self.catalogue, executor, self.version, lambda: NOW,
            lambda items, size: None,
        ).run()  # fmt: skip

    def comparison(self, scope: Scope | None = None) -> Comparison:
        executor = InlineExecutor(self.work)
        return Comparison(
            self.source, scope or self.source.scope, self.catalogue, executor, self.version, lambda items, size: None
        )


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "catalogue.sqlite")
    for name in (b"a", b"b", b"c", b"deep/d"):
        office.source.put(name, b"content of " + name)
    office.work.holds = {b"a": ((MAIL,), HEALTH), b"b": ((MAIL,), Verdict())}
    office.scan()
    yield office
    office.catalogue.close()


def test_documents_that_gain_or_lose_a_category_are_told_and_others_are_not(office: Office) -> None:
    office.version = AnalysisVersion("first", {}, "detector 2")
    office.work.holds = {b"a": ((MAIL,), Verdict()), b"b": ((MAIL,), Verdict()), b"d": ((), HEALTH)}
    before = office.catalogue.state_mark()
    comparison = office.comparison()
    nothing: frozenset[DataCategory] = frozenset()
    health = frozenset({DataCategory.HEALTH})
    assert list(comparison.differences()) == [
        Difference("a", nothing, health, "sickness", None, changed=False),
        Difference("deep/d", health, nothing, None, "sickness", changed=False),
    ]
    assert (comparison.compared, comparison.not_compared) == (4, 0)
    assert office.catalogue.state_mark() == before
    assert {record.path: record.verdict for _, record in office.catalogue.records()}["a"] == HEALTH


def test_under_the_same_version_nothing_is_opened(office: Office) -> None:
    office.source.opened.clear()
    comparison = office.comparison()
    assert list(comparison.differences()) == []
    assert (office.source.opened, comparison.compared) == ([], 0)


def test_a_file_that_has_changed_is_told_as_such_and_a_new_one_is_left_to_the_scan(office: Office) -> None:
    office.source.put(b"b", b"something else of another length")
    office.source.put(b"new", b"seen by nobody yet")
    office.work.holds[b"b"] = ((), HEALTH)
    (found,) = office.comparison().differences()
    assert (found.path, found.changed) == ("b", True)
    assert found.gained == {DataCategory.HEALTH}
    assert found.lost == {DataCategory.CONTACT}


def test_what_cannot_be_compared_is_counted(office: Office) -> None:
    office.version = AnalysisVersion("first", {}, "detector 2")
    office.work.lost = {b"a"}
    office.source.fail_to_open(b"b", PermissionDenied("no"))
    comparison = office.comparison()
    assert list(comparison.differences()) == []
    assert (comparison.compared, comparison.not_compared) == (2, 2)


def test_a_scope_that_was_never_scanned_or_is_another_one_is_refused(office: Office) -> None:
    other = office.source.scope
    with pytest.raises(SourceUnavailable, match="has not been scanned"):
        list(office.comparison(Scope(name="elsewhere", identity=other.identity)).differences())
    with pytest.raises(SourceUnavailable, match="another file system"):
        list(office.comparison(Scope(name=other.name, identity="fs:other")).differences())

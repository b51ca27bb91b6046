from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.catalogue.base import ItemResult, Pass, PassResult, Recorded
from agent.catalogue.store import Catalogue
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import CategoryVerdict, DataCategory, Finding, Verdict
from agent.model.outcome import Extraction, ExtractionStatus, Outcome, OutcomeKind
from connectors.base import Item, ItemRef
from tests.catalogue.empty import empty_at

BEGAN = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
SCANNED = Outcome(OutcomeKind.SCANNED)
VERDICT = Verdict(
    (CategoryVerdict(DataCategory.CRIMINAL, 0.75, frozenset({"negated", "uncertain"})),), (("disciplinary", 0.5),)
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(empty_at(path)) as opened:
        yield opened


def ref_of(path: bytes) -> ItemRef:
    folder, _, name = path.rpartition(b"/")
    return ItemRef(folder, name)


def a_result(path: bytes, version: bytes = b"1", **changes: object) -> ItemResult:
    """An item that was read, with one finding."""
    ref = ref_of(path)
    item = Item(
        ref,
        version,
        size_bytes=100,
        modified_at=datetime(2020, 5, 17, 12, 30, 0, 123456, tzinfo=UTC),
        created_at=datetime(2019, 1, 1, tzinfo=UTC),
        accessed_at=datetime(2025, 1, 1, tzinfo=UTC),
        marks={"user.retentiond.class": "payroll"},
        file_id=b"id of " + path,
    )
    found = Finding("EMAIL_ADDRESS", bytes(range(16)), 0.9, 3, "page=2", frozenset({"negated"}), "by its shape")
    facts: dict[str, object] = {
        "outcome": SCANNED,
        "extraction": Extraction(ExtractionStatus.PARTIAL, "pdf", ("damaged_page",), 1234, frozenset({"pdf"})),
        "content_hash": b"h" * 32,
        "findings": (found,),
        "finding_total": 3,
        "verdict": VERDICT,
    }
    return ItemResult(ref, item, **{**facts, **changes})  # type: ignore[arg-type]


def version(shared: str = "s", pdf: str = "1", detector: str = "d") -> AnalysisVersion:
    return AnalysisVersion(shared, {"pdf": pdf, "txt": "1"}, detector)


def begin(catalogue: Catalogue, under: AnalysisVersion | None = None, hours: int = 0) -> Pass:
    share = catalogue.ensure_share("office", "/srv/office", "fs:2")
    return catalogue.begin_pass(share, under or version(), BEGAN + timedelta(hours=hours))


def a_pass(catalogue: Catalogue, *results: Recorded, seen: int | None = None, hours: int = 0) -> PassResult:
    """A whole pass that tells these results."""
    current = begin(catalogue, hours=hours)
    counted = sum(isinstance(result, ItemResult) for result in results) if seen is None else seen
    at = BEGAN + timedelta(hours=hours, seconds=30)
    catalogue.commit(current, results, b"cursor", counted, 1, at)
    return catalogue.end_pass(current, at)

"""What becomes of every item in a scan, whatever its source does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.catalogue.base import PassResult
from agent.catalogue.store import Catalogue
from agent.errors import SourceUnavailable
from agent.execution.base import Lost
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import Finding
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.analyse import Analysis, content_hash
from agent.usecases.scan import Scan
from connectors.base import FailReason, FolderFailed, FolderSkipped, Scope, SkipReason
from connectors.errors import (
    AccessTimeWouldChange,
    ConnectorError,
    ItemChanged,
    ItemNotFound,
    LockedAtSource,
    Offline,
    PermissionDenied,
    SourceFault,
    Sparse,
)
from connectors.memory import MemoryConnector
from tests.catalogue.empty import empty_at

EXAMPLES = 60 if "RETENTIOND_TEST_LONG" in os.environ else 20
_PATHS = (b"a", b"HR/b", b"HR/Leavers/c", b"HR/Leavers/d", b"Pay/e")


class Reading:
    """Work that finds one value in each document; what it is told to do instead, it does."""

    def __init__(self) -> None:
        self.instead: dict[bytes, Callable[[], object]] = {}

    def __call__(self, descriptor: int, name: bytes) -> object:
        if name in self.instead:
            return self.instead[name]()
        digest = content_hash(descriptor)
        found = Finding("EMAIL_ADDRESS", digest[:16], 0.9, 1, "line=1")
        return Analysis(Extraction(ExtractionStatus.OK, "txt", (), 7), (found,), 1, digest)

    def close(self) -> None:
        """Nothing to let go of."""


class Office:
    """A source, a catalogue, and scans between them."""

    def __init__(self, catalogue: Path) -> None:
        self.source = MemoryConnector("office", page_size=3)
        self.catalogue = Catalogue.open(empty_at(catalogue), create=False)
        self.work = Reading()
        self.version = AnalysisVersion("first", {}, "")
        self.progress: list[tuple[int, int]] = []
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)

    def scan(self, **options: bool) -> PassResult:
        return self._scan(self.source.scope, **options)[0]

    def opened_by_scan(self) -> list[str]:
        self.source.opened.clear()
        self.scan()
        return sorted(str(ref) for ref in self.source.opened)

    def _scan(self, scope: Scope, **options: bool) -> tuple[PassResult, int]:
        def now() -> datetime:
            self._clock += timedelta(seconds=1)
            return self._clock

        return Scan(
            self.source,
            scope,
            "/srv/office",
            self.catalogue,
            InlineExecutor(self.work),
            self.version,
            now,
            lambda items, size_bytes: self.progress.append((items, size_bytes)),
        ).run(**options)

    def outcomes(self) -> dict[str, str]:
        return {record.path: str(record.outcome) for _, record in self.catalogue.records()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "catalogue.sqlite")
    for path in _PATHS:
        office.source.put(path, b"content of " + path)
    yield office
    office.catalogue.close()


def test_every_item_is_scanned_and_accounted_for(office: Office) -> None:
    result = office.scan()
    assert (result.seen, result.scanned, result.folders, result.reconciles) == (5, 5, 4, True)
    assert set(office.outcomes().values()) == {"scanned"}


def test_progress_counts_every_item_once_as_it_is_done(office: Office) -> None:
    office.scan()
    assert sum(items for items, _ in office.progress) == 5
    assert sum(size for _, size in office.progress) == sum(len(b"content of " + path) for path in _PATHS)
    office.progress.clear()
    office.scan()
    assert sum(items for items, _ in office.progress) == 5


@pytest.mark.parametrize(
    ("error", "outcome", "tried_again"),
    [
        (ItemNotFound(""), "skipped(vanished)", True),
        (ItemChanged(""), "failed(changed_while_read)", True),
        (PermissionDenied(""), "failed(permission_denied)", True),
        (Offline(""), "skipped(offline)", False),
        (Sparse(""), "skipped(sparse)", False),
        (AccessTimeWouldChange(""), "skipped(access_time_would_change)", True),
        (LockedAtSource(""), "failed(locked_at_source)", True),
        (SourceFault(""), "failed(io_error)", True),
        (ConnectorError(""), "failed(io_error)", True),
    ],
)
def test_an_item_that_cannot_be_opened_ends_with_its_reason(
    office: Office, error: ConnectorError, outcome: str, tried_again: bool
) -> None:
    office.source.fail_to_open(b"HR/b", error)
    assert office.scan().reconciles
    assert office.outcomes()["HR/b"] == outcome
    office.source.fail_to_open(b"HR/b", None)
    assert office.opened_by_scan() == (["HR/b"] if tried_again else [])
    assert office.outcomes()["HR/b"] == ("scanned" if tried_again else outcome)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (ExtractionStatus.EMPTY, "scanned"),
        (ExtractionStatus.PARTIAL, "scanned"),
        (ExtractionStatus.ENCRYPTED, "skipped(encrypted)"),
        (ExtractionStatus.UNSUPPORTED, "skipped(unsupported)"),
        (ExtractionStatus.CORRUPT, "failed(corrupt)"),
        (ExtractionStatus.KILLED, "failed(killed)"),
    ],
)
def test_a_document_ends_as_its_reading_did(office: Office, status: ExtractionStatus, outcome: str) -> None:
    office.work.instead[b"b"] = lambda: Analysis(Extraction(status, "pdf"), (), 0, None)
    result = office.scan()
    assert result.reconciles
    assert result.extraction[status.value] == 1
    assert office.outcomes()["HR/b"] == outcome
    assert office.opened_by_scan() == [], "its content has not changed, so neither would its end"


def test_a_lost_worker_costs_one_document(office: Office) -> None:
    office.work.instead[b"b"] = lambda: Lost("worker_died")
    result = office.scan()
    assert (result.scanned, dict(result.failed), result.reconciles) == (4, {"killed": 1}, True)


def test_a_document_that_changes_while_it_is_read_is_read_again(office: Office) -> None:
    def change() -> object:
        office.source.put(b"HR/b", b"longer and longer")
        return Analysis(Extraction(ExtractionStatus.OK, "txt", (), 7), (), 0, b"stale")

    office.work.instead[b"b"] = change
    office.scan()
    assert office.outcomes()["HR/b"] == "failed(changed_while_read)"
    office.work.instead.clear()
    assert office.opened_by_scan() == ["HR/b"]
    assert office.outcomes()["HR/b"] == "scanned"


def test_only_what_changed_is_opened_again(office: Office) -> None:
    office.scan()
    assert office.opened_by_scan() == []
    office.source.put(b"Pay/e", b"new content")
    office.source.put(b"Pay/f", b"a new item")
    assert office.opened_by_scan() == ["Pay/e", "Pay/f"]


def test_everything_is_opened_again_when_it_would_be_analysed_differently(office: Office) -> None:
    office.scan()
    office.version = AnalysisVersion("second", {}, "")
    assert len(office.opened_by_scan()) == 5
    assert office.opened_by_scan() == []


def test_what_is_gone_after_a_faultless_scan_is_a_tombstone_without_findings(office: Office) -> None:
    office.scan()
    (share,) = office.catalogue.shares()
    refs = [ref for ref, _ in office.catalogue.records()]
    office.source.remove(b"HR")
    result = office.scan()
    assert (result.seen, result.tombstoned, result.missing, result.reconciles) == (2, 3, 0, True)
    assert set(office.outcomes()) == {"a", "Pay/e"}
    assert sum(len(office.catalogue.findings(share, ref)) for ref in refs) == 2


@pytest.mark.parametrize(
    "answer", [FolderFailed(b"Pay", FailReason.IO_ERROR), FolderFailed(b"HR/Leavers", FailReason.PERMISSION_DENIED)]
)
def test_nothing_is_taken_for_deleted_while_a_folder_cannot_be_listed(office: Office, answer: FolderFailed) -> None:
    office.scan()
    office.source.remove(b"a")
    office.source.refuse_to_list(answer)
    result = office.scan()
    assert (result.tombstoned, result.missing, result.reconciles) == (0, 1, True)
    assert [(folder.location, folder.failed) for folder in result.folders_not_listed] == [
        (answer.folder.decode(), True)
    ]
    assert result.unreached == (1 if answer.folder == b"Pay" else 2)


def test_a_folder_left_out_on_purpose_is_named_and_forbids_nothing(office: Office) -> None:
    office.scan()
    office.source.remove(b"a")
    office.source.refuse_to_list(FolderSkipped(b"Pay", SkipReason.OTHER_MOUNT))
    result = office.scan()
    assert (result.tombstoned, result.unreached, result.reconciles) == (1, 1, True)


def test_a_source_that_goes_away_leaves_everything_as_it_was(office: Office) -> None:
    office.scan()
    before = office.outcomes()
    office.source.available = False
    with pytest.raises(SourceUnavailable, match="/srv/office"):
        office.scan()
    assert office.outcomes() == before


def test_another_file_system_in_the_place_of_the_share_is_not_read(office: Office) -> None:
    office.scan()
    before = office.outcomes()
    office.source.scope = Scope("office", "another identity")
    for path in (b"a", b"HR", b"Pay"):
        office.source.remove(path)
    with pytest.raises(SourceUnavailable, match="--new-mount"):
        office.scan()
    assert office.outcomes() == before
    assert office.scan(new_mount=True).tombstoned == 5


def test_of_a_file_with_several_names_one_is_read(tmp_path: Path) -> None:
    from connectors.filesystem.connector import FilesystemConnector

    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "b").write_text("content")
    (tmp_path / "share" / "a").hardlink_to(tmp_path / "share" / "b")
    office = Office(tmp_path / "catalogue.sqlite")
    office.source = FilesystemConnector(bytes(tmp_path / "share"), "office")  # type: ignore[assignment]

    def scan() -> dict[str, str]:
        assert office._scan(office.source.scopes()[0])[0].reconciles
        return office.outcomes()

    assert scan() == {"a": "scanned", "b": "skipped(hard_link)"}
    assert scan() == {"a": "scanned", "b": "skipped(hard_link)"}
    (tmp_path / "share" / "a").unlink()
    assert scan() == {"b": "scanned"}
    office.catalogue.close()


class _Stop(Exception):
    """The process ends here."""


paths = st.lists(
    st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=3).map(b"/".join), unique=True, max_size=8
)
changes = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "deny", "allow", "vanish"]),
        st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=3).map(b"/".join),
    ),
    max_size=6,
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(changes, st.integers(0, 6)), min_size=1, max_size=4))
def test_whatever_happens_between_and_during_scans_the_last_one_reconciles_and_knows_what_is_there(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[list[tuple[str, bytes]], int]]
) -> None:
    office = Office(tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite")
    there: set[bytes] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.usecases.intake._BATCH_RESULTS", 1)
        for happenings, stop_after in rounds:
            for kind, path in happenings:
                _happen(office.source, there, kind, path)
            _interrupted(office, stop_after)
        for path in list(there):
            office.source.fail_to_open(path, None)
        result = office.scan()
        if result.missing or result.number == 1 or not result.reconciles:
            result = office.scan()
    assert result.reconciles
    last = office.scan()
    assert last.reconciles
    assert last.seen == len(there)
    assert set(office.outcomes()) == {path.decode() for path in there}
    office.catalogue.close()


def _happen(source: MemoryConnector, there: set[bytes], kind: str, path: bytes) -> None:
    clashes = any(other.startswith(path + b"/") or path.startswith(other + b"/") for other in there)
    if kind == "put" and not clashes:
        source.put(path, b"content %d" % len(there))
        there.add(path)
    elif kind == "remove":
        source.remove(path)
        there -= {other for other in there if other == path or other.startswith(path + b"/")}
    elif kind == "deny":
        source.fail_to_open(path, PermissionDenied("no"))
    elif kind == "vanish":
        source.fail_to_open(path, ItemNotFound("gone"))
    elif kind == "allow":
        source.fail_to_open(path, None)


def _interrupted(office: Office, stop_after: int) -> None:
    """A scan whose process ends after so many commits."""
    commit = office.catalogue.commit
    left = [stop_after]

    def stop_later(*arguments: object, **named: object) -> None:
        if left[0] == 0:
            raise _Stop
        left[0] -= 1
        commit(*arguments, **named)  # type: ignore[arg-type]

    office.catalogue.commit = stop_later  # type: ignore[method-assign]
    try:
        office.scan()
    except _Stop:
        pass
    finally:
        office.catalogue.commit = commit  # type: ignore[method-assign]

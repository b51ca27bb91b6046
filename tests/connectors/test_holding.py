"""Every holding keeps the same contract, whatever its file system can do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.base import FolderSkipped, Found, KnowsNothing, Scope, SkipReason
from connectors.errors import SourceFault
from connectors.filesystem.capabilities import HoldingCapabilities, probe
from connectors.filesystem.connector import FilesystemConnector
from connectors.filesystem.holding import FilesystemHolding
from connectors.holding import Holding
from connectors.memory import MemoryConnector
from connectors.memory_holding import MemoryHolding
from connectors.registry import holding_class
from connectors.testing import found
from connectors.testing_acting import CONTRACT, ID, TEXT, HeldSource
from connectors.testing_holding import HoldingContract
from tests.connectors.test_contract import FolderSource, MemorySource


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """From now on every file system is one that cannot do this."""

    def poorer(directory: int, name: bytes) -> HoldingCapabilities:
        return replace(probe(directory, name), **dict.fromkeys(missing, False))

    monkeypatch.setattr("connectors.filesystem.hold.probe", poorer)


class HeldFolder(FolderSource):
    """A folder on disk that can be acted on."""

    def __init__(self, root: Path, hold: Path | None = None) -> None:
        super().__init__(root)
        self._hold = None if hold is None else os.fsencode(hold)
        self._holdings: list[Holding] = []
        self.holding = self.restart()

    def restart(self) -> Holding:
        self._holdings.append(FilesystemHolding(self._root, "folder", hold=self._hold, quiet_seconds=0))
        return self._holdings[-1]

    def close(self) -> None:
        self.connector.close()
        for holding in self._holdings:
            holding.close()


class HeldMemory(MemorySource):
    """A source in memory that can be acted on."""

    def __init__(self) -> None:
        super().__init__(page_size=100)
        self.holding: Holding = self.restart()

    def restart(self) -> Holding:
        return MemoryHolding(self.memory)


class TestFilesystem(HoldingContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[HeldSource]:
        source = HeldFolder(tmp_path / "share")
        yield source
        source.close()


class TestHoldElsewhere(HoldingContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[HeldSource]:
        source = HeldFolder(tmp_path / "share", tmp_path / "hold")
        yield source
        source.close()
        assert not (tmp_path / "share" / ".retentiond-hold").exists()


class TestNoRenameThatNeverReplaces(TestFilesystem):
    @pytest.fixture(autouse=True)
    def _poorer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "renames_new")


class TestNoFilesWithoutName(TestFilesystem):
    @pytest.fixture(autouse=True)
    def _poorer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "nameless")


class TestNoLeases(TestFilesystem):
    @pytest.fixture(autouse=True)
    def _poorer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "leases")


class TestNoAttributes(TestFilesystem):
    keeps_marks = False

    @pytest.fixture(autouse=True)
    def _poorer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "marks")


class TestNothingButTheLeast(TestFilesystem):
    """As on NFS."""

    keeps_marks = False

    @pytest.fixture(autouse=True)
    def _poorer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "renames_new", "nameless", "leases", "marks")


class TestMemory(HoldingContract):
    @pytest.fixture
    def source(self) -> HeldSource:
        return HeldMemory()


# The reference, and the registry


@pytest.mark.parametrize(
    ("call", "attempt"),
    [
        ("take", lambda holding, scope: holding.take(scope, CONTRACT, b"1", ID)),
        ("taken", lambda holding, scope: holding.taken(scope, ID)),
        ("put_back", lambda holding, scope: holding.put_back(scope, ID, CONTRACT)),
        ("let_go", lambda holding, scope: holding.let_go(scope, ID)),
        ("in_hold", lambda holding, scope: [*holding.in_hold(scope)]),
        ("make", lambda holding, scope: holding.make(scope, CONTRACT, b"", lambda _: None, "")),
        ("mark", lambda holding, scope: holding.mark(scope, CONTRACT, b"1", {})),
    ],
)
def test_any_call_of_the_reference_can_be_made_to_fail(
    call: str, attempt: Callable[[MemoryHolding, Scope], object]
) -> None:
    memory = MemoryConnector()
    memory.put(CONTRACT.path, TEXT)
    holding = MemoryHolding(memory)
    holding.fail(call, SourceFault("as the test says"))
    with pytest.raises(SourceFault):
        attempt(holding, memory.scope)
    assert not memory.held
    holding.fail(call, None)
    if call == "take":
        attempt(holding, memory.scope)
        assert [*memory.held] == [ID]


def test_the_registry_knows_the_holding_of_folders() -> None:
    assert holding_class("filesystem") is FilesystemHolding


# The hold and the walk


def test_a_walk_says_that_it_left_the_hold_out(share: Path) -> None:
    (share / "contract.txt").write_bytes(TEXT)
    connector = FilesystemConnector(os.fsencode(share), "share")
    holding = FilesystemHolding(os.fsencode(share), "share", quiet_seconds=0)
    (scope,) = connector.scopes()
    (item,) = found(connector.changes(scope, KnowsNothing()))
    holding.take(scope, item.ref, item.version, ID).close()
    changes = [change for page in connector.changes(scope, KnowsNothing()) for change in page.changes]
    connector.close()
    holding.close()
    assert changes == [FolderSkipped(b".retentiond-hold", SkipReason.OWN_STATE)]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")
def test_the_hold_of_a_share_within_is_left_out_too_and_a_folder_that_only_has_its_name_is_not(tmp_path: Path) -> None:
    for folder, owner, mode in (("a", 0, 0o700), ("b", 1234, 0o700), ("c", 0, 0o755), ("d", 77, 0o700)):
        hold = tmp_path / folder / ".retentiond-hold"
        hold.mkdir(parents=True)
        (hold / "x.txt").write_bytes(b"x")
        hold.chmod(mode)
        os.chown(hold, owner, 0)
    connector = FilesystemConnector(os.fsencode(tmp_path), "share", holders=[77])
    try:
        pages = list(connector.changes(connector.scopes()[0], KnowsNothing()))
    finally:
        connector.close()

    skipped = [change.folder for page in pages for change in page.changes if isinstance(change, FolderSkipped)]
    assert skipped == [b"a/.retentiond-hold", b"d/.retentiond-hold"]
    found = [change.item.ref.path for page in pages for change in page.changes if isinstance(change, Found)]
    assert found == [b"b/.retentiond-hold/x.txt", b"c/.retentiond-hold/x.txt"]

"""Every connector, and every wrapper around one, keeps the same contract."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.ahead import Ahead
from connectors.base import Connector
from connectors.filesystem.connector import FilesystemConnector
from connectors.memory import MemoryConnector
from connectors.memory_drive import MemoryDrive
from connectors.pace import Pace
from connectors.testing import ConnectorContract, Source
from connectors.testing_continuing import ContinuingContract, MovingSource
from connectors.wrappers import Paced


class FolderSource:
    """A folder on disk."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self._root = os.fsencode(root)
        self.connector: Connector = FilesystemConnector(self._root, "folder")

    def put(self, path: bytes, content: bytes) -> None:
        place = os.path.join(self._root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(content)

    def remove(self, path: bytes) -> None:
        place = os.path.join(self._root, path)
        if os.path.isdir(place):
            shutil.rmtree(place)
        else:
            os.unlink(place)


class MemorySource:
    """A source in memory."""

    def __init__(self, page_size: int) -> None:
        self.memory = MemoryConnector(page_size=page_size)
        self.connector: Connector = self.memory
        self.put = self.memory.put
        self.remove = self.memory.remove


class TestFilesystem(ConnectorContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[Source]:
        source = FolderSource(tmp_path / "share")
        yield source
        source.connector.close()


class TestFilesystemInSmallPages(TestFilesystem):
    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.filesystem.walk._CHANGES_PER_PAGE", 1)
        monkeypatch.setattr("connectors.filesystem.walk._SEEN_PER_PAGE", 1)


class TestMemory(ConnectorContract):
    @pytest.fixture(params=[1, 100])
    def source(self, request: pytest.FixtureRequest) -> Source:
        return MemorySource(request.param)


class TestPaced(ConnectorContract):
    @pytest.fixture
    def source(self) -> Source:
        source = MemorySource(100)
        source.connector = Paced(
            source.memory, Pace(files_per_second=1.0, clock=lambda: 0.0, sleep=lambda seconds: None)
        )
        return source


class DriveSource:
    """A drive in memory."""

    def __init__(self, page_size: int) -> None:
        self.drive = MemoryDrive(page_size=page_size)
        self.connector: Connector = self.drive
        self.put = self.drive.put
        self.remove = self.drive.remove
        self.move = self.drive.move


class TestDriveInMemory(ContinuingContract):
    @pytest.fixture
    def source(self) -> MovingSource:
        return DriveSource(page_size=100)


class TestDriveInMemoryInSmallPages(ContinuingContract):
    @pytest.fixture
    def source(self) -> MovingSource:
        return DriveSource(page_size=2)


class TestOpeningAhead(ContinuingContract):
    @pytest.fixture
    def source(self) -> Iterator[MovingSource]:
        source = DriveSource(page_size=3)
        source.connector = Ahead(source.drive, 2)
        yield source
        source.connector.close()

"""Keeping on SharePoint and OneDrive, judged by the contract of keepings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.testing_keeping import KeepingContract
from connectors.testing_kept import KeptSource
from tests.connectors.microsoft365.kept_drive import KeptDrive
from tests.emulator import Emulator


@pytest.fixture(scope="module")
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


class TestDrives(KeepingContract):
    @pytest.fixture
    def source(self, graph: Emulator) -> KeptSource:
        return KeptDrive(graph)

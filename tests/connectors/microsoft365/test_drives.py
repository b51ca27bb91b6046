"""The connector to drives keeps the contract of all connectors whose source tells by itself what changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.testing import ContinuingContract
from tests.connectors.microsoft365.drives import READER, WRITER, Library, library


class TestDrives(ContinuingContract):
    @pytest.fixture
    def source(self) -> Iterator[Library]:
        with library(roles=WRITER) as made:
            made.emulator.tenant.add_retention_label("payroll", "retain")
            yield made


class TestDrivesInSmallPages(TestDrives):
    @pytest.fixture
    def source(self) -> Iterator[Library]:
        with library(roles=WRITER, page_items=2) as made:
            made.emulator.tenant.add_retention_label("payroll", "retain")
            yield made


class TestDrivesToAReader(TestDrives):
    @pytest.fixture
    def source(self) -> Iterator[Library]:
        with library(roles=READER) as made:
            yield made


class TestDrivesWhoseFeedLeavesThingsOut(TestDrives):
    @pytest.fixture
    def source(self) -> Iterator[Library]:
        with library(roles=WRITER, page_items=3) as made:
            made.emulator.tenant.add_retention_label("payroll", "retain")
            made.drive.quirks.delta_expands = "refused"
            made.drive.quirks.delta_hashes = False
            made.drive.quirks.tells_twice = 2
            yield made

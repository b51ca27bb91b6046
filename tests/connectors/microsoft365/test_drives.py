"""The connector to drives keeps the contract of all connectors whose source tells by itself what changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import ItemChanged
from connectors.testing_continuing import ContinuingContract
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


def test_an_item_that_was_edited_since_is_neither_deleted_nor_labelled() -> None:
    with library(roles=WRITER) as there:
        there.emulator.tenant.add_retention_label("payroll", "retain")
        there.put(b"a.txt", b"first")
        item = there.item("a.txt")
        there.put(b"a.txt", b"second")
        for attempt in (
            lambda: there.connector.delete(there.scope, item.ref, item.version),
            lambda: there.connector.label(there.scope, item.ref, item.version, "payroll"),
        ):
            with pytest.raises(ItemChanged):
                attempt()
        assert there.drive.content(there.drive.id_of("a.txt")) == b"second"
        assert there.item("a.txt").marks.get("retention_label") is None

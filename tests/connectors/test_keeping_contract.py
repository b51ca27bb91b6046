"""What a source in memory keeps, judged by the contract of keepings."""

from __future__ import annotations

import pytest

from connectors.base import Connector, ItemRef
from connectors.errors import ConnectorError
from connectors.keeping import Keeping, Target
from connectors.memory import MemoryConnector, ref_of
from connectors.memory_keeping import RECYCLED, MemoryKeeping
from connectors.testing_keeping import KeepingContract
from connectors.testing_kept import LABEL, KeptSource


class MemoryKept:
    """A source in memory that keeps what is taken."""

    def __init__(self, memory_keeping: MemoryKeeping, memory: MemoryConnector) -> None:
        self.memory = memory
        self.connector: Connector = memory
        self.memory_keeping = memory_keeping
        self.keeping: Keeping = memory_keeping
        self.put = memory.put
        self.remove = memory.remove
        self.move = memory.move
        self.reach = memory.of_id
        self.change = memory_keeping.change
        self.carry_off = memory_keeping.carry_off

    def restart(self) -> Keeping:
        self.keeping.close()
        return MemoryKeeping(self.memory)

    def item(self, path: bytes) -> Target:
        ref = ref_of(path)
        item = self.memory.item(ref)
        return Target(item.file_id, ref, self.memory.folder_id(ref.folder), item.version)

    def content(self, file_id: bytes) -> bytes:
        ref = self.memory.of_id(file_id)
        if ref is not None:
            return self.memory.at(ref, self.memory.item(ref).version).content
        return next(stored.content for stored in self.memory.kept.values() if stored.file_id == file_id)

    def protect(self, file_id: bytes, error: type[ConnectorError] | None) -> None:
        self.memory_keeping.protect(file_id, None if error is None else error("the source protects it"))


class TestMemory(KeepingContract):
    @pytest.fixture
    def source(self) -> KeptSource:
        memory = MemoryConnector()
        return MemoryKept(MemoryKeeping(memory, labels=frozenset({LABEL})), memory)


class TestMemoryWithARecycleBin(KeepingContract):
    @pytest.fixture
    def source(self) -> KeptSource:
        memory = MemoryConnector()
        return MemoryKept(MemoryKeeping(memory, deleted=RECYCLED, labels=frozenset({LABEL})), memory)


class TestMemoryThatMoves:
    """What the items of a source in memory keep when they are moved."""

    def test_a_moved_folder_takes_its_items_and_folders_along(self) -> None:
        memory = MemoryConnector()
        memory.put(b"HR/Leavers/a.txt", b"a")
        before = memory.item(ref_of(b"HR/Leavers/a.txt"))
        folders = [memory.folder_id(b"HR"), memory.folder_id(b"HR/Leavers")]

        memory.move(b"HR", b"Archive/HR")

        after = memory.item(ItemRef(b"Archive/HR/Leavers", b"a.txt"))
        assert (after.file_id, after.version) == (before.file_id, before.version)
        assert [memory.folder_id(b"Archive/HR"), memory.folder_id(b"Archive/HR/Leavers")] == folders

    def test_a_moved_item_keeps_its_id_and_has_another_version(self) -> None:
        memory = MemoryConnector()
        memory.put(b"HR/a.txt", b"a")
        before = memory.item(ref_of(b"HR/a.txt"))

        memory.move(b"HR/a.txt", b"b.txt")

        after = memory.item(ref_of(b"b.txt"))
        assert after.file_id == before.file_id
        assert after.version != before.version

    def test_an_item_that_comes_after_another_has_an_id_of_its_own(self) -> None:
        memory = MemoryConnector()
        memory.put(b"a.txt", b"a")
        first = memory.item(ref_of(b"a.txt")).file_id
        memory.put(b"a.txt", b"other content, the same item")
        assert memory.item(ref_of(b"a.txt")).file_id == first
        memory.remove(b"a.txt")
        memory.put(b"a.txt", b"another item")
        assert memory.item(ref_of(b"a.txt")).file_id != first

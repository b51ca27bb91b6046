"""What a connector passes besides whose source tells by itself what changed. Derive from it as from the contract."""

from __future__ import annotations

from typing import Protocol

import pytest

from connectors.base import Change, FolderFound, Found, ItemRef, Met, Skipped
from connectors.testing import TEXT_TREE, ConnectorContract, Remembered, Source, differences, found


class MovingSource(Source, Protocol):
    """One in which a test may also move items and folders that keep their ids."""

    def move(self, path: bytes, to: bytes) -> None:
        """Gives the item or folder another place; the folder in which it is to lie is there."""


class ContinuingContract(ConnectorContract):
    """The same for a connector whose source tells by itself what changed, and whose items and folders keep their ids.

    Override the fixture `source` with a `MovingSource`.
    """

    tree = TEXT_TREE

    @pytest.fixture
    def source(self) -> MovingSource:
        raise NotImplementedError("say how a source is made")

    @pytest.fixture
    def stored(self, filled: MovingSource) -> tuple[MovingSource, Remembered, bytes]:
        """A source of which all is known, and the cursor behind that."""
        known = Remembered()
        pages = self._pages(filled)
        known.store(pages)
        return filled, known, pages[-1].cursor

    def test_it_says_that_it_continues(self, source: MovingSource) -> None:
        assert source.connector.capabilities.continues
        assert source.connector.capabilities.file_ids

    def test_nothing_is_told_behind_the_last_cursor_as_long_as_nothing_happens(
        self, stored: tuple[MovingSource, Remembered, bytes]
    ) -> None:
        source, known, cursor = stored
        assert differences(self._pages(source, known, cursor)) == []

    def test_only_what_changed_is_told_behind_the_last_cursor(
        self, stored: tuple[MovingSource, Remembered, bytes]
    ) -> None:
        source, known, cursor = stored
        source.put(b"HR/contract.txt", b"second, and longer")
        source.put(b"HR/Leavers/4.txt", b"four")
        source.remove(b"readme.txt")
        pages = self._pages(source, known, cursor)
        assert sorted(item.ref.path for item in found(pages)) == [b"HR/Leavers/4.txt", b"HR/contract.txt"]
        known.store(pages)
        left = {*self.tree, b"HR/Leavers/4.txt"} - {b"readme.txt"}
        assert known.paths == sorted(left)
        assert differences(self._pages(source, known, pages[-1].cursor)) == []

    def test_a_moved_item_keeps_its_id_and_is_not_read_again(
        self, stored: tuple[MovingSource, Remembered, bytes]
    ) -> None:
        source, known, cursor = stored
        source.move(b"HR/Leavers/1.txt", b"HR/one.txt")
        pages = self._pages(source, known, cursor)
        told = [change for change in differences(pages) if isinstance(change, Found)]
        assert [(one.item.ref.path, one.same_content) for one in told] == [(b"HR/one.txt", True)]
        known.store(pages)
        assert known.paths == sorted({*self.tree, b"HR/one.txt"} - {b"HR/Leavers/1.txt"})

    def test_a_moved_folder_takes_along_what_is_in_it(self, stored: tuple[MovingSource, Remembered, bytes]) -> None:
        source, known, cursor = stored
        source.move(b"HR/Leavers", b"Finance/Leavers 2019")
        pages = self._pages(source, known, cursor)
        assert [one for one in differences(pages) if isinstance(one, Found) and not one.same_content] == []
        known.store(pages)
        moved = [path.replace(b"HR/Leavers/", b"Finance/Leavers 2019/") for path in self.tree]
        assert known.paths == sorted(moved)

    def test_another_item_under_the_name_of_one_that_is_gone_is_another_item(
        self, stored: tuple[MovingSource, Remembered, bytes]
    ) -> None:
        source, known, cursor = stored
        source.remove(b"readme.txt")
        source.put(b"readme.txt", b"at the top")
        pages = self._pages(source, known, cursor)
        assert [item.ref.path for item in found(pages)] == [b"readme.txt"]
        known.store(pages)
        assert known.paths == sorted(self.tree)

    def test_an_enumeration_finds_again_what_it_knows_and_misses_what_is_gone(
        self, stored: tuple[MovingSource, Remembered, bytes]
    ) -> None:
        source, known, _ = stored
        source.remove(b"Finance")
        source.put(b"HR/new.txt", b"new")
        pages = self._pages(source, known)
        assert [item.ref.path for item in found(pages)] == [b"HR/new.txt"]
        known.store(pages)
        left = [path for path in self.tree if not path.startswith(b"Finance/")]
        assert known.paths == sorted([*left, b"HR/new.txt"])

    def test_what_has_to_be_read_again_is_told_though_it_has_not_changed(
        self, stored: tuple[MovingSource, Remembered, bytes]
    ) -> None:
        source, known, cursor = stored
        known.items[ItemRef(b"HR", b"contract.txt")] = b""
        pages = self._pages(source, known, cursor)
        told = [(one.item.ref.path, one.same_content) for one in differences(pages) if isinstance(one, Found)]
        assert told == [(b"HR/contract.txt", False)]

    def test_a_folder_is_told_before_what_lies_in_it(self, stored: tuple[MovingSource, Remembered, bytes]) -> None:
        source, known, cursor = stored
        source.put(b"HR/Leavers/1.txt", b"changed before its folder is moved")
        source.move(b"HR/Leavers", b"Finance/Leavers 2019")
        source.put(b"Finance/Leavers 2019/2020/new.txt", b"new")
        source.move(b"Finance", b"Accounts")
        for change in (change for page in self._pages(source, known, cursor) for change in page.changes):
            folder = _lies_in(change)
            assert not folder or folder in known.folder_paths, f"{change} before its folder"
            known.apply(change)


def _lies_in(change: Change) -> bytes | None:
    """The folder in which that lies which is told."""
    match change:
        case Found(item) | Skipped(item, _):
            return item.ref.folder
        case Met(ref, _, _):
            return ref.folder
        case FolderFound(folder, _, _):
            return folder.rpartition(b"/")[0]
    return None

"""The contract that every connector passes. A suite of tests: derive from it and say how a source is made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from datetime import timedelta
from typing import Protocol

import pytest

from connectors.base import (
    Connector,
    Failed,
    FolderGone,
    Found,
    Gone,
    Item,
    ItemRef,
    KnowsNothing,
    Page,
    Scope,
    Skipped,
)
from connectors.errors import ItemChanged, ItemNotFound, Unsupported


class Source(Protocol):
    """A place with documents that a test may change, and the connector to it."""

    connector: Connector

    def put(self, path: bytes, content: bytes) -> None:
        """Makes the item and the folders on its way, or gives it other content."""

    def remove(self, path: bytes) -> None:
        """Takes an item away, or a folder with all that is in it."""


class Remembered:
    """What a caller knows after having stored pages."""

    def __init__(self) -> None:
        self.items: dict[ItemRef, bytes] = {}

    def store(self, pages: Iterable[Page]) -> None:
        for page in pages:
            for change in page.changes:
                match change:
                    case Found(item) | Skipped(item, _):
                        self.items[item.ref] = item.version
                    case Failed(ref, _):
                        self.items[ref] = b""
                    case Gone(ref):
                        self.items.pop(ref, None)
                    case FolderGone(folder):
                        self.items = {ref: version for ref, version in self.items.items() if not _inside(ref, folder)}

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        return {ref.name: version for ref, version in self.items.items() if ref.folder == folder}

    def folders(self, folder: bytes) -> Set[bytes]:
        start = folder + b"/" if folder else b""
        below = {ref.folder for ref in self.items if ref.folder.startswith(start) and ref.folder != folder}
        return {path[len(start) :].partition(b"/")[0] for path in below}


def _inside(ref: ItemRef, folder: bytes) -> bool:
    return ref.folder == folder or ref.folder.startswith(folder + b"/")


def found(pages: Iterable[Page]) -> list[Item]:
    """The items that the pages tell to be new or changed."""
    return [change.item for page in pages for change in page.changes if isinstance(change, Found)]


_TREE = {
    b"readme.txt": b"at the top",
    b"HR/contract.txt": b"first",
    b"HR/Leavers/1.txt": b"one",
    b"HR/Leavers/2.txt": b"",
    b"HR/Leavers/3.txt": b"three",
    b"HR.old/x": b"sorts before HR/",
    b"Finance/\xff\xfe bytes \n.txt": b"a name that is no text",
    b"Finance/2020/deep/er/invoice": b"deep",
}


class ConnectorContract:
    """Derive, override the fixture `source`, and every test below judges the connector."""

    @pytest.fixture
    def source(self) -> Source:
        raise NotImplementedError("say how a source is made")

    @pytest.fixture
    def filled(self, source: Source) -> Source:
        for path, content in _TREE.items():
            source.put(path, content)
        return source

    @staticmethod
    def _scope(source: Source) -> Scope:
        (scope,) = source.connector.scopes()
        return scope

    def _pages(self, source: Source, known: Remembered | None = None, after: bytes | None = None) -> list[Page]:
        return list(source.connector.changes(self._scope(source), known or KnowsNothing(), after))

    def _item(self, source: Source, path: bytes) -> Item:
        (item,) = (item for item in found(self._pages(source)) if item.ref.path == path)
        return item

    def test_a_scope_keeps_its_identity(self, source: Source) -> None:
        assert self._scope(source) == self._scope(source)

    def test_everything_is_found_once_with_its_facts(self, filled: Source) -> None:
        pages = self._pages(filled)
        items = found(pages)
        assert {item.ref.path: item.size_bytes for item in items} == {path: len(text) for path, text in _TREE.items()}
        assert len(items) == len(_TREE) == sum(page.seen for page in pages)
        assert all(item.modified_at.utcoffset() == timedelta(0) and item.version for item in items)

    def test_an_empty_source_has_one_folder_and_no_items(self, source: Source) -> None:
        pages = self._pages(source)
        assert (sum(page.seen for page in pages), sum(page.folders for page in pages)) == (0, 1)

    def test_the_order_is_always_the_same(self, filled: Source) -> None:
        assert self._pages(filled) == self._pages(filled)

    def test_what_is_known_is_counted_and_not_told(self, filled: Source) -> None:
        known = Remembered()
        known.store(self._pages(filled))
        again = self._pages(filled, known)
        assert [page.changes for page in again if page.changes] == []
        assert sum(page.seen for page in again) == len(_TREE)

    def test_a_changed_item_is_told_at_another_version(self, filled: Source) -> None:
        known = Remembered()
        known.store(self._pages(filled))
        filled.put(b"HR/contract.txt", b"second, and longer")
        (item,) = found(self._pages(filled, known))
        assert item.ref.path == b"HR/contract.txt"
        assert item.version != known.items[item.ref]

    def test_removed_items_and_folders_are_told_as_gone(self, filled: Source) -> None:
        known = Remembered()
        known.store(self._pages(filled))
        filled.remove(b"HR/Leavers/2.txt")
        filled.remove(b"Finance")
        pages = self._pages(filled, known)
        changes = [change for page in pages for change in page.changes]
        assert sorted(map(repr, changes)) == sorted(
            map(repr, [FolderGone(b"Finance"), Gone(ItemRef(b"HR/Leavers", b"2.txt"))])
        )
        known.store(pages)
        assert [page.changes for page in self._pages(filled, known) if page.changes] == []

    def test_a_walk_goes_on_behind_every_cursor(self, filled: Source) -> None:
        whole = self._pages(filled)
        for number in range(len(whole)):
            known = Remembered()
            known.store(whole[: number + 1])
            rest = self._pages(filled, known, whole[number].cursor)
            items = found(whole[: number + 1]) + found(rest)
            assert sorted(item.ref.path for item in items) == sorted(_TREE), f"behind page {number}"
            assert sum(page.seen for page in whole[: number + 1]) + sum(page.seen for page in rest) == len(_TREE)
            assert sum(page.folders for page in whole[: number + 1] + rest) == sum(page.folders for page in whole)

    def test_a_look_tells_what_differs_in_a_folder_and_in_no_other(self, filled: Source) -> None:
        known = Remembered()
        known.store(self._pages(filled))
        filled.put(b"HR/contract.txt", b"second, and longer")
        filled.put(b"HR/Leavers/1.txt", b"second, and longer")
        filled.put(b"HR/new.txt", b"new")
        filled.remove(b"readme.txt")

        looked = list(filled.connector.look(self._scope(filled), known, [b"HR", b"HR"]))

        assert sorted(item.ref.path for item in found(looked)) == [b"HR/contract.txt", b"HR/new.txt"]
        assert [change for page in looked for change in page.changes if not isinstance(change, Found)] == []

    def test_a_look_goes_down_into_folders_that_are_not_known(self, filled: Source) -> None:
        known = Remembered()
        known.store(self._pages(filled))
        filled.put(b"HR/2026/May/a.txt", b"a")
        filled.put(b"HR/2026/b.txt", b"b")

        looked = list(filled.connector.look(self._scope(filled), known, [b"HR", b"HR/2026"]))

        assert sorted(item.ref.path for item in found(looked)) == [b"HR/2026/May/a.txt", b"HR/2026/b.txt"]

    def test_a_look_tells_what_has_gone(self, filled: Source) -> None:
        filled.put(b"HR/stays.txt", b"stays")
        known = Remembered()
        known.store(self._pages(filled))
        filled.remove(b"HR/Leavers")
        filled.remove(b"HR/contract.txt")

        looked = list(filled.connector.look(self._scope(filled), known, [b"HR", b"HR/Leavers"]))

        told = {repr(change) for page in looked for change in page.changes}
        assert told == {repr(FolderGone(b"HR/Leavers")), repr(Gone(ItemRef(b"HR", b"contract.txt")))}

    def test_content_is_what_was_put(self, filled: Source) -> None:
        for item in found(self._pages(filled)):
            with filled.connector.open(self._scope(filled), item) as content:
                assert os.pread(content.fileno(), 100, 0) == _TREE[item.ref.path]
                assert content.still_current()

    def test_reading_leaves_the_version_alone(self, filled: Source) -> None:
        known = Remembered()
        known.store(self._pages(filled))
        for item in found(self._pages(filled)):
            with filled.connector.open(self._scope(filled), item) as content:
                os.pread(content.fileno(), 100, 0)
        assert found(self._pages(filled, known)) == []

    def test_content_tells_when_the_item_moves_on(self, filled: Source) -> None:
        item = self._item(filled, b"HR/contract.txt")
        with filled.connector.open(self._scope(filled), item) as content:
            filled.put(b"HR/contract.txt", b"second, and longer")
            assert not content.still_current()

    def test_content_may_be_closed_twice(self, filled: Source) -> None:
        content = filled.connector.open(self._scope(filled), self._item(filled, b"readme.txt"))
        content.close()
        content.close()

    def test_an_item_that_moved_on_is_not_opened(self, filled: Source) -> None:
        item = self._item(filled, b"HR/contract.txt")
        filled.put(b"HR/contract.txt", b"second, and longer")
        with pytest.raises(ItemChanged):
            filled.connector.open(self._scope(filled), item)

    def test_an_item_that_is_gone_is_not_found(self, filled: Source) -> None:
        item = self._item(filled, b"HR/Leavers/1.txt")
        filled.remove(b"HR/Leavers")
        with pytest.raises(ItemNotFound):
            filled.connector.open(self._scope(filled), item)

    def test_a_label_is_set_on_the_decided_version_or_not_at_all(self, filled: Source) -> None:
        item = self._item(filled, b"HR/contract.txt")
        scope = self._scope(filled)
        if not filled.connector.capabilities.label:
            with pytest.raises(Unsupported):
                filled.connector.label(scope, item.ref, item.version, "payroll")
            return
        assert filled.connector.label(scope, item.ref, item.version, "payroll").done
        labelled = self._item(filled, b"HR/contract.txt")
        assert "payroll" in labelled.marks.values()
        assert not filled.connector.label(scope, item.ref, labelled.version, "payroll").done
        with pytest.raises(ItemChanged):
            filled.connector.label(scope, item.ref, item.version, "payroll")

    def test_an_item_is_deleted_at_the_decided_version_or_not_at_all(self, filled: Source) -> None:
        item = self._item(filled, b"HR/contract.txt")
        scope = self._scope(filled)
        if not filled.connector.capabilities.delete:
            with pytest.raises(Unsupported):
                filled.connector.delete(scope, item.ref, item.version)
            return
        with pytest.raises(ItemChanged):
            filled.connector.delete(scope, item.ref, b"another version")
        assert filled.connector.delete(scope, item.ref, item.version).done
        assert not filled.connector.delete(scope, item.ref, item.version).done
        assert b"HR/contract.txt" not in {left.ref.path for left in found(self._pages(filled))}

    def test_a_connector_may_be_closed_twice(self, filled: Source) -> None:
        filled.connector.close()
        filled.connector.close()

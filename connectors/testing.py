"""The contract that every connector passes. A suite of tests: derive from it and say how a source is made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import timedelta
from typing import Protocol

import pytest

from connectors.base import (
    Change,
    Connector,
    Failed,
    FolderFound,
    FolderGone,
    Found,
    Gone,
    Item,
    ItemRef,
    Known,
    KnownFolder,
    KnownItem,
    KnowsNothing,
    Met,
    Page,
    Scope,
    Skipped,
    Swept,
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
    """What a caller knows after having stored pages. Items and folders with lasting ids are followed by these."""

    def __init__(self) -> None:
        self.items: dict[ItemRef, bytes] = {}
        self._ids: dict[bytes, tuple[ItemRef, int]] = {}
        self._folders: dict[bytes, tuple[bytes, int]] = {}

    def store(self, pages: Iterable[Page]) -> None:
        for page in pages:
            for change in page.changes:
                self.apply(change)

    def apply(self, change: Change) -> None:
        match change:
            case Found(item) | Skipped(item, _):
                if item.generation:
                    self._forget(item.file_id)
                    self._ids[item.file_id] = (item.ref, item.generation)
                self.items[item.ref] = item.version
            case Met(ref, file_id, generation):
                self._ids[file_id] = (self._ids[file_id][0] if file_id in self._ids else ref, generation)
            case Failed(ref, _):
                self.items[ref] = b""
            case Gone(ref, file_id):
                self.items.pop(self._ids.pop(file_id, (ref, 0))[0] if file_id else ref, None)
            case FolderFound(folder, folder_id, generation):
                before = self._folders.get(folder_id, (folder, 0))[0]
                if before != folder:
                    self._move(before, folder)
                self._folders[folder_id] = (folder, generation)
            case FolderGone(folder, folder_id):
                self._lose(self._folders.pop(folder_id, (folder, 0))[0] if folder_id else folder)
            case Swept(generation):
                for file_id in [one for one, (_, told) in self._ids.items() if told < generation]:
                    self._forget(file_id)
                self._folders = {one: told for one, told in self._folders.items() if told[1] >= generation}

    def _forget(self, file_id: bytes) -> None:
        ref = self._ids.pop(file_id, (None, 0))[0]
        if ref is not None and not any(ref == other for other, _ in self._ids.values()):
            self.items.pop(ref, None)

    def _move(self, before: bytes, after: bytes) -> None:
        def moved(path: bytes) -> bytes:
            inside = path == before or path.startswith(before + b"/")
            return after + path[len(before) :] if inside else path

        self._folders = {one: (moved(path), told) for one, (path, told) in self._folders.items()}
        self._ids = {one: (ItemRef(moved(ref.folder), ref.name), told) for one, (ref, told) in self._ids.items()}
        self.items = {ItemRef(moved(ref.folder), ref.name): version for ref, version in self.items.items()}

    def _lose(self, folder: bytes) -> None:
        self.items = {ref: version for ref, version in self.items.items() if not _inside(ref, folder)}
        self._ids = {one: told for one, told in self._ids.items() if not _inside(told[0], folder)}

    @property
    def paths(self) -> list[bytes]:
        """Where items lie, in order."""
        return sorted(ref.path for ref in self.items)

    @property
    def folder_paths(self) -> frozenset[bytes]:
        """Where folders with lasting ids lie."""
        return frozenset(path for path, _ in self._folders.values())

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        return {ref.name: version for ref, version in self.items.items() if ref.folder == folder}

    def folders(self, folder: bytes) -> Set[bytes]:
        start = folder + b"/" if folder else b""
        below = {ref.folder for ref in self.items if ref.folder.startswith(start) and ref.folder != folder}
        return {path[len(start) :].partition(b"/")[0] for path in below}

    def item_of(self, file_id: bytes) -> KnownItem | None:
        if file_id not in self._ids:
            return None
        ref = self._ids[file_id][0]
        return KnownItem(ref, self.items[ref])

    def folder_of(self, folder_id: bytes) -> KnownFolder | None:
        if folder_id not in self._folders:
            return None
        parent, _, name = self._folders[folder_id][0].rpartition(b"/")
        inside = (one for one, (path, _) in self._folders.items() if path == parent and one != folder_id)
        return KnownFolder(next(inside, b""), name)

    def outdated(self) -> Iterator[tuple[ItemRef, bytes]]:
        return ((ref, one) for one, (ref, _) in list(self._ids.items()) if not self.items[ref])

    def generation(self) -> int:
        return max((told for _, told in [*self._ids.values(), *self._folders.values()]), default=0)


def _inside(ref: ItemRef, folder: bytes) -> bool:
    return ref.folder == folder or ref.folder.startswith(folder + b"/")


def differences(pages: Iterable[Page]) -> list[Change]:
    """What the pages tell beside what is as the caller knows it, and where folders lie."""
    as_known = (Met, FolderFound, Swept)
    return [change for page in pages for change in page.changes if not isinstance(change, as_known)]


def found(pages: Iterable[Page]) -> list[Item]:
    """The items that the pages tell to be new or changed."""
    return [change.item for page in pages for change in page.changes if isinstance(change, Found)]


TEXT_TREE = {
    b"readme.txt": b"at the top",
    b"HR/contract.txt": b"first",
    b"HR/Leavers/1.txt": b"one",
    b"HR/Leavers/2.txt": b"",
    b"HR/Leavers/3.txt": b"three",
    b"HR.old/x": b"sorts before HR/",
    b"Finance/2020/deep/er/invoice": b"deep",
}
_TREE = {**TEXT_TREE, b"Finance/\xff\xfe bytes \n.txt": b"a name that is no text"}


class ConnectorContract:
    """Derive, override the fixture `source`, and every test below judges the connector.

    Where names are always text, `tree` has no other.
    """

    tree: Mapping[bytes, bytes] = _TREE

    @pytest.fixture
    def source(self) -> Source:
        raise NotImplementedError("say how a source is made")

    @pytest.fixture
    def filled(self, source: Source) -> Source:
        for path, content in self.tree.items():
            source.put(path, content)
        return source

    @staticmethod
    def _continues(source: Source) -> bool:
        return source.connector.capabilities.continues

    @pytest.fixture
    def looking(self, filled: Source) -> Source:
        if not filled.connector.capabilities.looks:
            with pytest.raises(Unsupported):
                list(filled.connector.look(self._scope(filled), KnowsNothing(), [b"HR"]))
            pytest.skip("this source tells by itself what changed; it is not looked into")
        return filled

    @staticmethod
    def _scope(source: Source) -> Scope:
        (scope,) = source.connector.scopes()
        return scope

    def _pages(self, source: Source, known: Known | None = None, after: bytes | None = None) -> list[Page]:
        return list(source.connector.changes(self._scope(source), known or KnowsNothing(), after))

    def _item(self, source: Source, path: bytes) -> Item:
        (item,) = (item for item in found(self._pages(source)) if item.ref.path == path)
        return item

    def test_a_scope_keeps_its_identity(self, source: Source) -> None:
        assert self._scope(source) == self._scope(source)

    def test_everything_is_found_once_with_its_facts(self, filled: Source) -> None:
        pages = self._pages(filled)
        items = found(pages)
        assert {item.ref.path: item.size_bytes for item in items} == {
            path: len(text) for path, text in self.tree.items()
        }
        assert len(items) == len(self.tree) == sum(page.seen for page in pages)
        assert all(item.modified_at.utcoffset() == timedelta(0) and item.version for item in items)

    def test_an_empty_source_has_one_folder_and_no_items(self, source: Source) -> None:
        pages = self._pages(source)
        assert sum(page.seen for page in pages) == 0
        assert self._continues(source) or sum(page.folders for page in pages) == 1

    def test_the_order_is_always_the_same(self, filled: Source) -> None:
        one, other = self._pages(filled), self._pages(filled)
        assert [page.changes for page in one] == [page.changes for page in other]
        assert self._continues(filled) or one == other

    def test_what_is_known_is_counted_and_not_told(self, filled: Source) -> None:
        known = Remembered()
        known.store(self._pages(filled))
        again = self._pages(filled, known)
        assert differences(again) == []
        assert sum(page.seen for page in again) == len(self.tree)

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
        told = {FolderGone(b"Finance"), Gone(ItemRef(b"HR/Leavers", b"2.txt"))}
        assert self._continues(filled) or set(differences(pages)) == told
        known.store(pages)
        left = [path for path in self.tree if path != b"HR/Leavers/2.txt" and not path.startswith(b"Finance/")]
        assert known.paths == sorted(left)
        assert differences(self._pages(filled, known)) == []

    def test_a_walk_goes_on_behind_every_cursor(self, filled: Source) -> None:
        whole = self._pages(filled)
        for number in range(len(whole)):
            known = Remembered()
            known.store(whole[: number + 1])
            rest = self._pages(filled, known, whole[number].cursor)
            known.store(rest)
            assert known.paths == sorted(self.tree), f"behind page {number}"
            items = found(whole[: number + 1]) + found(rest)
            assert len(items) == len(self.tree), f"behind page {number}"
            if self._continues(filled):
                continue
            assert sum(page.seen for page in whole[: number + 1]) + sum(page.seen for page in rest) == len(self.tree)
            assert sum(page.folders for page in whole[: number + 1] + rest) == sum(page.folders for page in whole)

    def test_a_look_tells_what_differs_in_a_folder_and_in_no_other(self, looking: Source) -> None:
        known = Remembered()
        known.store(self._pages(looking))
        looking.put(b"HR/contract.txt", b"second, and longer")
        looking.put(b"HR/Leavers/1.txt", b"second, and longer")
        looking.put(b"HR/new.txt", b"new")
        looking.remove(b"readme.txt")

        looked = list(looking.connector.look(self._scope(looking), known, [b"HR", b"HR"]))

        assert sorted(item.ref.path for item in found(looked)) == [b"HR/contract.txt", b"HR/new.txt"]
        assert [change for page in looked for change in page.changes if not isinstance(change, Found)] == []

    def test_a_look_goes_down_into_folders_that_are_not_known(self, looking: Source) -> None:
        known = Remembered()
        known.store(self._pages(looking))
        looking.put(b"HR/2026/May/a.txt", b"a")
        looking.put(b"HR/2026/b.txt", b"b")

        looked = list(looking.connector.look(self._scope(looking), known, [b"HR", b"HR/2026"]))

        assert sorted(item.ref.path for item in found(looked)) == [b"HR/2026/May/a.txt", b"HR/2026/b.txt"]

    def test_a_look_tells_what_has_gone(self, looking: Source) -> None:
        looking.put(b"HR/stays.txt", b"stays")
        known = Remembered()
        known.store(self._pages(looking))
        looking.remove(b"HR/Leavers")
        looking.remove(b"HR/contract.txt")

        looked = list(looking.connector.look(self._scope(looking), known, [b"HR", b"HR/Leavers"]))

        told = {repr(change) for page in looked for change in page.changes}
        assert told == {repr(FolderGone(b"HR/Leavers")), repr(Gone(ItemRef(b"HR", b"contract.txt")))}

    def test_content_is_what_was_put(self, filled: Source) -> None:
        for item in found(self._pages(filled)):
            with filled.connector.open(self._scope(filled), item) as content:
                assert os.pread(content.fileno(), 100, 0) == self.tree[item.ref.path]
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

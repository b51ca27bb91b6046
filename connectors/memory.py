"""The reference connector: a source that lives in memory, small enough to be seen as correct.

Other connectors are judged by the same contract; tests of everything above connectors run on it, faults included.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from connectors.base import (
    Capabilities,
    Change,
    FolderFailed,
    FolderGone,
    FolderSkipped,
    Found,
    Gone,
    Item,
    ItemRef,
    Known,
    Page,
    Receipt,
    Scope,
)
from connectors.content import OpenContent
from connectors.errors import ConnectorError, ItemChanged, ItemNotFound, PlaceTaken, ScopeUnavailable

MARK = "label"
_FOLDER_ENDED = b"/"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of an item. `version` is given by the connector, and so is `file_id` to an item that is new."""

    content: bytes
    version: int = 0
    marks: Mapping[str, str] = field(default_factory=dict)
    modified_at: datetime | None = None
    created_at: datetime | None = None
    file_id: bytes = b""


class MemoryConnector:
    """One scope of items that a test puts, removes, and lets fail.

    Items come folder by folder in the order of their paths, at most `page_size` changes a page.
    """

    def __init__(self, name: str = "memory", identity: str = "1", page_size: int = 100) -> None:
        self.scope = Scope(name, identity)
        self.available = True
        self.opened: list[ItemRef] = []
        self.held: dict[str, Stored] = {}  # by the id under which it was taken; see `connectors.memory_holding`
        self.kept: dict[
            str, Stored
        ] = {}  # the same, of what the source keeps by itself; see `connectors.memory_keeping`
        self._page_size = page_size
        self._items: dict[ItemRef, Stored] = {}
        self._on_opening: dict[ItemRef, ConnectorError] = {}
        self._not_listed: dict[bytes, FolderFailed | FolderSkipped] = {}
        self._versions = 0
        self._folder_ids: dict[bytes, bytes] = {}
        self._ids = 0

    # What a test does to the source

    def put(
        self,
        path: bytes,
        content: bytes,
        *,
        marks: Mapping[str, str] = MappingProxyType({}),
        modified_at: datetime | None = None,
        created_at: datetime | None = None,
    ) -> None:
        """Makes the item, or gives it other content; it is at a new version in either case.

        Without dates of its own it has one that grows with every change.
        """
        self.store(ref_of(path), Stored(content, 0, marks, modified_at, created_at))

    def remove(self, path: bytes) -> None:
        """Takes the item away, or the folder with all that is in it."""
        for ref in [ref for ref in self._items if _is_at_or_below(ref.path, path)]:
            del self._items[ref]
        for folder in [folder for folder in self._folder_ids if _is_at_or_below(folder, path)]:
            del self._folder_ids[folder]

    def move(self, path: bytes, to: bytes) -> None:
        """Moves the item, or the folder with all that is in it. They keep their ids; items are at new versions only if
        they were moved themselves."""
        for ref in [ref for ref in self._items if _is_at_or_below(ref.path, path)]:
            moved = ref_of(to + ref.path.removeprefix(path))
            stored = self._items.pop(ref)
            if ref.path == path:
                self.store(moved, stored)
            else:
                self._items[moved] = stored
        for folder in [folder for folder in self._folder_ids if _is_at_or_below(folder, path)]:
            self._folder_ids[to + folder.removeprefix(path)] = self._folder_ids.pop(folder)

    def fail_to_open(self, path: bytes, error: ConnectorError | None) -> None:
        """From now on opening the item raises `error`; none lets it be opened again."""
        if error is None:
            self._on_opening.pop(ref_of(path), None)
        else:
            self._on_opening[ref_of(path)] = error

    def refuse_to_list(self, answer: FolderFailed | FolderSkipped) -> None:
        """From now on the folder answers with that instead of its content."""
        self._not_listed[answer.folder] = answer

    # The contract

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(keeps_access_time=True, file_ids=True, marks=True, label=True, delete=True)

    def scopes(self) -> Sequence[Scope]:
        self.verify()
        return (self.scope,)

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        self.verify()
        tree = self._tree()
        reached, _, last = (after or b"").partition(b"\0")
        for folder in sorted(tree):
            if after is not None and (folder < reached or (folder == reached and last == _FOLDER_ENDED)):
                continue
            behind = last if after is not None and folder == reached else b""
            yield from self._folder_pages(folder, tree[folder], known, behind)
        self.verify()

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        self.verify()
        tree = self._tree()
        waiting = sorted(set(folders), reverse=True)
        looked = set[bytes]()
        while waiting:
            folder = waiting.pop()
            if folder in looked:
                continue
            looked.add(folder)
            if folder not in tree:
                yield Page((FolderGone(folder),), 0, 0, folder + b"\0" + _FOLDER_ENDED)
                continue
            waiting.extend(_join(folder, name) for name in sorted(tree[folder] - known.folders(folder), reverse=True))
            yield from self._folder_pages(folder, tree[folder], known, b"")
        self.verify()

    def _folder_pages(self, folder: bytes, below: set[bytes], known: Known, behind: bytes) -> Iterator[Page]:
        if folder in self._not_listed:
            yield Page((self._not_listed[folder],), 0, 0, folder + b"\0" + _FOLDER_ENDED)
            return
        versions = known.versions(folder)
        names = sorted(ref.name for ref in self._items if ref.folder == folder)
        told: list[Change] = [FolderGone(_join(folder, name)) for name in sorted(known.folders(folder) - below)]
        told.extend(Gone(ItemRef(folder, name)) for name in sorted(versions.keys() - set(names)) if name > behind)
        seen = 0
        for name in names:
            if name <= behind:
                continue
            seen += 1
            item = self.item(ItemRef(folder, name))
            if versions.get(name) != item.version:
                told.append(Found(item))
            if len(told) >= self._page_size:
                yield Page(tuple(told), seen, 0, folder + b"\0" + name)
                told, seen = [], 0
        yield Page(tuple(told), seen, 1, folder + b"\0" + _FOLDER_ENDED)

    def open(self, scope: Scope, item: Item) -> OpenContent:
        self.verify()
        if item.ref in self._on_opening:
            raise self._on_opening[item.ref]
        stored = self.at(item.ref, item.version)
        self.opened.append(item.ref)
        descriptor = os.memfd_create("content", os.MFD_CLOEXEC)
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(stored.content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return OpenContent(descriptor, lambda _: self.is_at(item.ref, item.version))

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        stored = self.at(ref, version)
        if stored.marks.get(MARK) == label:
            return Receipt(ref, False, "already labelled")
        self.store(ref, replace(stored, marks={**stored.marks, MARK: label}))
        return Receipt(ref, True, "labelled")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        if ref not in self._items:
            return Receipt(ref, False, "already gone")
        self.at(ref, version)
        del self._items[ref]
        return Receipt(ref, True, "deleted")

    def close(self) -> None:
        """Nothing is held."""

    # What the contract, and a holding, stand on

    def verify(self) -> None:
        """Raises `ScopeUnavailable` as long as a test says so."""
        if not self.available:
            raise ScopeUnavailable("the source does not answer")

    def store(self, ref: ItemRef, stored: Stored) -> None:
        """Puts the item there, at a new version. If it has no id it is the item that lies there, or a new one."""
        there = self._items.get(ref)
        file_id = stored.file_id or (there.file_id if there else self._new_id(b"item"))
        self._items[ref] = replace(stored, version=self.new_version(), file_id=file_id)

    def new_version(self) -> int:
        """One that no item has had."""
        self._versions += 1
        return self._versions

    def _new_id(self, kind: bytes) -> bytes:
        self._ids += 1
        return b"%s-%d" % (kind, self._ids)

    def folder_id(self, folder: bytes) -> bytes:
        """The lasting id of the folder."""
        if folder not in self._folder_ids:
            self._folder_ids[folder] = self._new_id(b"folder")
        return self._folder_ids[folder]

    def of_id(self, file_id: bytes) -> ItemRef | None:
        """Where the item of that id lies; none if it is gone, or out of people's reach."""
        return next((ref for ref, stored in self._items.items() if stored.file_id == file_id), None)

    def withdraw(self, ref: ItemRef) -> None:
        """Takes the item away."""
        del self._items[ref]

    def refs(self) -> Iterable[ItemRef]:
        """Where items lie."""
        return self._items.keys()

    def check_free(self, ref: ItemRef) -> None:
        """Raises `PlaceTaken` if an item or a folder lies there, or an item where a folder on the way should be."""
        for other in self._items:
            a_folder = other.path.startswith(ref.path + b"/")
            in_the_way = ref.path.startswith(other.path + b"/")
            if other == ref or a_folder or in_the_way:
                raise PlaceTaken("something else lies there")

    def is_at(self, ref: ItemRef, version: bytes) -> bool:
        """Whether an item lies there at that version."""
        return ref in self._items and self.item(ref).version == version

    def at(self, ref: ItemRef, version: bytes) -> Stored:
        """What is kept of the item at that version. Raises `ItemNotFound`, `ItemChanged`."""
        if ref not in self._items:
            raise ItemNotFound("there is no such item")
        if not self.is_at(ref, version):
            raise ItemChanged("the item has moved on")
        return self._items[ref]

    def item(self, ref: ItemRef) -> Item:
        """What the source says about the item that lies there."""
        stored = self._items[ref]
        made = datetime.fromtimestamp(1_700_000_000 + stored.version, UTC)
        modified, created = stored.modified_at or made, stored.created_at or stored.modified_at or made
        version = b"%d" % stored.version
        size = len(stored.content)
        return Item(ref, version, size, modified, created, modified, file_id=stored.file_id, marks=stored.marks)

    def _tree(self) -> dict[bytes, set[bytes]]:
        """Every folder with the names of the folders directly in it."""
        tree: dict[bytes, set[bytes]] = {b"": set()}
        for folder in [*(ref.folder for ref in self._items), *self._not_listed]:
            steps = folder.split(b"/") if folder else []
            for depth, step in enumerate(steps):
                tree[b"/".join(steps[:depth])].add(step)
                tree.setdefault(b"/".join(steps[: depth + 1]), set())
        return tree


def ref_of(path: bytes) -> ItemRef:
    """The item at that path of a scope."""
    folder, _, name = path.rpartition(b"/")
    return ItemRef(folder, name)


def _is_at_or_below(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder + b"/")


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name

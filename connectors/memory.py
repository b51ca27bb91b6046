"""The reference connector: a source that lives in memory, small enough to be seen as correct.

Other connectors are judged by the same contract; tests of everything above connectors run on it, faults included.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
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
from connectors.errors import ConnectorError, ItemChanged, ItemNotFound, ScopeUnavailable

MARK = "label"
_FOLDER_ENDED = b"/"


@dataclass(frozen=True, slots=True)
class _Stored:
    content: bytes
    version: int
    marks: Mapping[str, str] = field(default_factory=dict)
    modified_at: datetime | None = None
    created_at: datetime | None = None


class MemoryConnector:
    """One scope of items that a test puts, removes, and lets fail.

    Items come folder by folder in the order of their paths, at most `page_size` changes a page.
    """

    def __init__(self, name: str = "memory", identity: str = "1", page_size: int = 100) -> None:
        self.scope = Scope(name, identity)
        self.available = True
        self.opened: list[ItemRef] = []
        self._page_size = page_size
        self._items: dict[ItemRef, _Stored] = {}
        self._on_opening: dict[ItemRef, ConnectorError] = {}
        self._not_listed: dict[bytes, FolderFailed | FolderSkipped] = {}
        self._versions = 0

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
        self._store(_ref(path), _Stored(content, 0, marks, modified_at, created_at))

    def remove(self, path: bytes) -> None:
        """Takes the item away, or the folder with all that is in it."""
        for ref in [ref for ref in self._items if ref.path == path or ref.path.startswith(path + b"/")]:
            del self._items[ref]

    def fail_to_open(self, path: bytes, error: ConnectorError | None) -> None:
        """From now on opening the item raises `error`; none lets it be opened again."""
        if error is None:
            self._on_opening.pop(_ref(path), None)
        else:
            self._on_opening[_ref(path)] = error

    def refuse_to_list(self, answer: FolderFailed | FolderSkipped) -> None:
        """From now on the folder answers with that instead of its content."""
        self._not_listed[answer.folder] = answer

    # The contract

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(keeps_access_time=True, marks=True, label=True, delete=True)

    def scopes(self) -> Sequence[Scope]:
        self._verify()
        return (self.scope,)

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        self._verify()
        tree = self._tree()
        reached, _, last = (after or b"").partition(b"\0")
        for folder in sorted(tree):
            if after is not None and (folder < reached or (folder == reached and last == _FOLDER_ENDED)):
                continue
            behind = last if after is not None and folder == reached else b""
            yield from self._folder_pages(folder, tree[folder], known, behind)
        self._verify()

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
            item = self._item(ItemRef(folder, name))
            if versions.get(name) != item.version:
                told.append(Found(item))
            if len(told) >= self._page_size:
                yield Page(tuple(told), seen, 0, folder + b"\0" + name)
                told, seen = [], 0
        yield Page(tuple(told), seen, 1, folder + b"\0" + _FOLDER_ENDED)

    def open(self, scope: Scope, item: Item) -> OpenContent:
        self._verify()
        if item.ref in self._on_opening:
            raise self._on_opening[item.ref]
        stored = self._at(item.ref, item.version)
        self.opened.append(item.ref)
        descriptor = os.memfd_create("content", os.MFD_CLOEXEC)
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(stored.content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return OpenContent(descriptor, lambda _: self._is_at(item.ref, item.version))

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        stored = self._at(ref, version)
        if stored.marks.get(MARK) == label:
            return Receipt(ref, False, "already labelled")
        self._store(ref, replace(stored, marks={**stored.marks, MARK: label}))
        return Receipt(ref, True, "labelled")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        if ref not in self._items:
            return Receipt(ref, False, "already gone")
        self._at(ref, version)
        del self._items[ref]
        return Receipt(ref, True, "deleted")

    def close(self) -> None:
        """Nothing is held."""

    def _verify(self) -> None:
        if not self.available:
            raise ScopeUnavailable("the source does not answer")

    def _store(self, ref: ItemRef, stored: _Stored) -> None:
        self._versions += 1
        self._items[ref] = replace(stored, version=self._versions)

    def _is_at(self, ref: ItemRef, version: bytes) -> bool:
        return ref in self._items and self._item(ref).version == version

    def _at(self, ref: ItemRef, version: bytes) -> _Stored:
        if ref not in self._items:
            raise ItemNotFound("there is no such item")
        if not self._is_at(ref, version):
            raise ItemChanged("the item has moved on")
        return self._items[ref]

    def _item(self, ref: ItemRef) -> Item:
        stored = self._items[ref]
        made = datetime.fromtimestamp(1_700_000_000 + stored.version, UTC)
        modified, created = stored.modified_at or made, stored.created_at or stored.modified_at or made
        version = b"%d" % stored.version
        return Item(ref, version, len(stored.content), modified, created, modified, marks=stored.marks)

    def _tree(self) -> dict[bytes, set[bytes]]:
        """Every folder with the names of the folders directly in it."""
        tree: dict[bytes, set[bytes]] = {b"": set()}
        for folder in [*(ref.folder for ref in self._items), *self._not_listed]:
            steps = folder.split(b"/") if folder else []
            for depth, step in enumerate(steps):
                tree[b"/".join(steps[:depth])].add(step)
                tree.setdefault(b"/".join(steps[: depth + 1]), set())
        return tree


def _ref(path: bytes) -> ItemRef:
    folder, _, name = path.rpartition(b"/")
    return ItemRef(folder, name)


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name

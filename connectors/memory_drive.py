"""The reference for connectors whose source tells by itself what changed: a drive in memory, for tests and examples."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.base import (
    Capabilities,
    Change,
    FolderFound,
    FolderGone,
    Found,
    Gone,
    Item,
    ItemRef,
    Known,
    Met,
    Page,
    Receipt,
    Scope,
    Swept,
)
from connectors.content import OpenContent
from connectors.errors import ConnectorError, ItemChanged, ItemNotFound, ScopeUnavailable, Unsupported

_ROOT = b"root"
_BEGAN = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Node:
    """A folder, if it has no content, or an item. `version` counts all changes, `content_version` those of content."""

    parent: bytes
    name: bytes
    content: bytes | None
    version: int = 1
    content_version: int = 1


class MemoryDrive:
    """Items and folders with lasting ids, and a log of what has happened to which.

    A cursor says which enumeration it belongs to, and either how far that has come or up to where the log was told.
    """

    def __init__(self, name: str = "drive", identity: str = "memory", page_size: int = 4) -> None:
        self.scope = Scope(name, identity, "memory")
        self.available = True
        self.opened: list[ItemRef] = []
        self._page_size = page_size
        self._nodes: dict[bytes, _Node] = {}
        self._log: list[tuple[bytes, bool]] = []  # ids, and whether it is an item
        self._numbers = itertools.count(1)
        self._told_from = 0  # what happened before this can no longer be told
        self._on_opening: dict[bytes, ConnectorError] = {}

    # What a test does to the source

    def put(self, path: bytes, content: bytes) -> bytes:
        """Makes the item and the folders on its way, or gives it other content; gives its id."""
        folder, _, name = path.rpartition(b"/")
        parent = self._folder(folder)
        for node_id, node in self._nodes.items():
            if (node.parent, node.name) == (parent, name):
                changed = replace(node, content=content, content_version=node.content_version + 1)
                self._happened(node_id, changed)
                return node_id
        node_id = b"i%06d" % next(self._numbers)
        self._happened(node_id, _Node(parent, name, content))
        return node_id

    def remove(self, path: bytes) -> None:
        """Takes the item away, or the folder with all that is in it: then only the folder is told to be gone."""
        node_id = self.id_of(path)
        self._log.append((node_id, self._nodes[node_id].content is not None))
        gone = {node_id}
        while below := {one for one, node in self._nodes.items() if node.parent in gone} - gone:
            gone |= below
        for one in gone:
            del self._nodes[one]

    def move(self, path: bytes, to: bytes) -> None:
        """Gives the item or folder another place, in a folder that is there.

        Raises `FileExistsError` where there is something else: no drive has two of one name in a folder.
        """
        node_id = self.id_of(path)
        if any(self._path(one) == to for one in self._nodes if one != node_id):
            raise FileExistsError(to)
        folder, _, name = to.rpartition(b"/")
        self._happened(node_id, replace(self._nodes[node_id], parent=self._folder(folder), name=name))

    def touch(self, path: bytes) -> None:
        """Changes something about the item that is not its content."""
        node_id = self.id_of(path)
        self._happened(node_id, self._nodes[node_id])

    def forget_log(self) -> None:
        """From now on nothing of what has happened so far can be told: cursors are of no use any more."""
        self._told_from = len(self._log) + 1

    def fail_to_open(self, path: bytes, error: ConnectorError | None) -> None:
        """From now on opening the item raises `error`; none lets it be opened again."""
        self._on_opening.pop(self.id_of(path), None)
        if error is not None:
            self._on_opening[self.id_of(path)] = error

    def id_of(self, path: bytes) -> bytes:
        """The id of what lies at that path."""
        return next(one for one in self._nodes if self._path(one) == path)

    def paths(self) -> list[bytes]:
        """Where items lie, in order."""
        return sorted(self._path(one) for one, node in self._nodes.items() if node.content is not None)

    # The contract

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            keeps_access_time=True, file_ids=True, delete=True, looks=False, continues=True, copies=False
        )

    def scopes(self) -> Sequence[Scope]:
        self._verify()
        return (self.scope,)

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        self._verify()
        generation, enumerated, log_at = _read(after) if after else (known.generation() + 1, False, len(self._log))
        if enumerated and log_at < self._told_from:
            generation, enumerated, log_at = generation + 1, False, len(self._log)
        if not enumerated:
            yield from self._enumeration(known, generation, log_at)
        yield from self._happenings(known, generation, log_at)  # also of what happened during the enumeration
        missing = [Found(self._item(one, generation)) for _, one in known.outdated() if one in self._nodes]
        if missing:
            yield Page(tuple(missing), len(missing), 0, _write(generation, True, len(self._log)))
        self._verify()

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        raise Unsupported("this source tells by itself what changed")

    def open(self, scope: Scope, item: Item) -> OpenContent:
        self._verify()
        if item.file_id in self._on_opening:
            raise self._on_opening[item.file_id]
        node = self._at(item.file_id, item.version)
        self.opened.append(item.ref)
        descriptor = os.memfd_create("content", os.MFD_CLOEXEC)
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(node.content or b"")
        os.lseek(descriptor, 0, os.SEEK_SET)
        return OpenContent(descriptor, lambda _: self._is_at(item.file_id, item.version))

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        raise Unsupported("this source has no labels")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        node_id, _, _ = version.partition(b":")
        if node_id not in self._nodes:
            if b":" in version:
                return Receipt(ref, False, "already gone")
            raise ItemChanged("the item has moved on")
        self._at(node_id, version)
        self.remove(self._path(node_id))
        return Receipt(ref, True, "deleted")

    def close(self) -> None:
        """Nothing is held."""

    # Telling

    def _enumeration(self, known: Known, generation: int, log_at: int) -> Iterator[Page]:
        ids = sorted(self._nodes, key=self._depth)
        blocks = [ids[at : at + self._page_size] for at in range(0, len(ids), self._page_size)] or [[]]
        for number, block in enumerate(blocks):
            last = number == len(blocks) - 1
            told: list[Change] = [self._told(known, one, generation) for one in block]
            if last:
                told.append(Swept(generation))
            # Going on in the middle begins anew, under the same number: what was told is told again, as met.
            cursor = _write(generation, last, log_at)
            yield Page(tuple(told), sum(self._nodes[one].content is not None for one in block), 0, cursor)

    def _happenings(self, known: Known, generation: int, log_at: int) -> Iterator[Page]:
        happened = dict.fromkeys(self._log[log_at:])
        if not happened:
            return
        # Folders come before what lies in them.
        happened = dict.fromkeys(sorted(happened, key=lambda one: self._depth(one[0])))
        told: list[Change] = []
        for node_id, is_item in happened:
            if node_id in self._nodes:
                told.append(self._told(known, node_id, generation))
            elif is_item:
                told.append(Gone(ItemRef(b"", node_id), node_id))
            else:
                told.append(FolderGone(node_id, node_id))
        yield Page(tuple(told), len(told), 0, _write(generation, True, len(self._log)))

    def _told(self, known: Known, node_id: bytes, generation: int) -> Change:
        if self._nodes[node_id].content is None:
            return FolderFound(self._path(node_id), node_id, generation)
        item = self._item(node_id, generation)
        before = known.item_of(node_id)
        if before is not None and before.version == item.version and before.ref == item.ref:
            return Met(item.ref, node_id, generation)
        same = before is not None and before.version.rpartition(b":")[2] == item.version.rpartition(b":")[2]
        return Found(item, same_content=same and before is not None and bool(before.version))

    # What the above stands on

    def _verify(self) -> None:
        if not self.available:
            raise ScopeUnavailable("the source does not answer")

    def _happened(self, node_id: bytes, node: _Node) -> None:
        self._nodes[node_id] = replace(node, version=node.version + 1)
        self._log.append((node_id, node.content is not None))

    def _folder(self, path: bytes) -> bytes:
        parent = _ROOT
        for name in path.split(b"/") if path else ():
            found = next((one for one, node in self._nodes.items() if (node.parent, node.name) == (parent, name)), None)
            if found is None:
                found = b"f%06d" % next(self._numbers)
                self._happened(found, _Node(parent, name, None))
            parent = found
        return parent

    def _path(self, node_id: bytes) -> bytes:
        node = self._nodes[node_id]
        return node.name if node.parent == _ROOT else self._path(node.parent) + b"/" + node.name

    def _depth(self, node_id: bytes) -> tuple[bool, int]:
        """By this the folders come first, each before those in it, and then the rest."""
        node = self._nodes.get(node_id)
        is_folder = node is not None and node.content is None
        return not is_folder, self._path(node_id).count(b"/") if is_folder else 0

    def _item(self, node_id: bytes, generation: int) -> Item:
        node, path = self._nodes[node_id], self._path(node_id)
        folder, _, name = path.rpartition(b"/")
        size = len(node.content or b"")
        return Item(
            ItemRef(folder, name), self._version(node_id), size, _BEGAN, _BEGAN, file_id=node_id, generation=generation
        )

    def _version(self, node_id: bytes) -> bytes:
        node = self._nodes[node_id]
        return b"%b:%d:%d" % (node_id, node.version, node.content_version)

    def _is_at(self, node_id: bytes, version: bytes) -> bool:
        return node_id in self._nodes and self._version(node_id) == version

    def _at(self, node_id: bytes, version: bytes) -> _Node:
        if node_id not in self._nodes:
            raise ItemNotFound("there is no such item")
        if not self._is_at(node_id, version):
            raise ItemChanged("the item has moved on")
        return self._nodes[node_id]


def _write(generation: int, enumerated: bool, log_at: int) -> bytes:
    return b"%d:%d:%d" % (generation, enumerated, log_at)


def _read(cursor: bytes) -> tuple[int, bool, int]:
    generation, enumerated, log_at = map(int, cursor.split(b":"))
    return generation, bool(enumerated), log_at

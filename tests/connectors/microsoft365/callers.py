"""A caller of the connector that stores what it is told by lasting ids, late as the catalogue does, and strictly."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from connectors.base import (
    Change,
    Failed,
    FolderFound,
    FolderGone,
    FolderSkipped,
    Found,
    Gone,
    Item,
    ItemRef,
    KnownFolder,
    KnownItem,
    Met,
    Page,
    Skipped,
    Swept,
)
from connectors.microsoft365.version import Version
from tests.emulator.drive_items import Drive


@dataclass
class Stored:
    """A folder or item. `content` is what was read of it; `version` is empty if it has to be read again."""

    parent: bytes
    name: bytes
    generation: int
    is_folder: bool = False
    version: bytes = b""
    content: bytes | None = None
    item: Item | None = None
    skipped: str = ""


@dataclass(frozen=True)
class TakenUp:
    """A change, with the content read when it was taken up; none if it was at another version then."""

    change: Change
    content: bytes | None = None


class Caller:
    """Satisfies `connectors.base.Known`. Stores pages in order, `lag` pages after they were given.

    It believes nothing that does not fit: what is told to be the same must be known, what lies in a folder must lie in
    one that was told.
    """

    def __init__(self, drive: Drive, lag: int = 0) -> None:
        self.drive = drive
        self.lag = lag
        self.cursor: bytes | None = None
        self.read: list[str] = []  # what was opened, by the ids of items
        self.told: list[Change] = []
        self._nodes: dict[bytes, Stored] = {}
        self._places: dict[tuple[bytes, bytes], bytes] = {}
        self._waiting: deque[tuple[list[TakenUp], bytes]] = deque()

    # Taking pages up, and storing them

    def take(self, page: Page) -> None:
        """The page is given; what is found is read at once, and stored later."""
        self._waiting.append(([self._taken_up(change) for change in page.changes], page.cursor))
        while len(self._waiting) > self.lag:
            self._store()

    def finish(self) -> None:
        """Everything that was given is stored."""
        while self._waiting:
            self._store()

    def lose(self) -> None:
        """The caller dies: what was given and not stored is as if it had not been given."""
        self._waiting.clear()

    def _taken_up(self, change: Change) -> TakenUp:
        if not isinstance(change, Found) or change.same_content:
            return TakenUp(change)
        item_id = change.item.file_id.decode()
        self.read.append(item_id)
        node = self.drive.node(item_id)
        version = Version.decode(change.item.version)
        assert version is not None, "a version that nobody can read"
        there = node is not None and node.etag == version.etag
        return TakenUp(change, self.drive.content(item_id) if there else None)

    def _store(self) -> None:
        taken, cursor = self._waiting.popleft()
        for each in taken:
            self._apply(each.change, each.content)
            self.told.append(each.change)
        self.cursor = cursor

    def _apply(self, change: Change, content: bytes | None) -> None:
        place = getattr(getattr(change, "item", change), "ref", None)
        assert place is None or b"\0" not in place.path, f"{place} is our own name for what was set aside"
        match change:
            case Found(item, same_content=True):
                node = self._nodes.get(item.file_id)
                assert node is not None, f"{item.ref} is told to be the same, but is not known"
                assert node.content is not None, f"{item.ref} is told to be the same, but was never read"
                self._put_item(item, item.version, node.content)
            case Found(item):
                self._put_item(item, b"" if content is None else item.version, content)
            case Skipped(item, reason):
                self._put_item(item, item.version, None)
                self._nodes[item.file_id].skipped = str(reason)
            case Failed(ref):
                raise AssertionError(f"{ref} failed")
            case Met(ref, file_id, generation):
                node = self._nodes.get(file_id)
                assert node is not None, f"{ref} is told to be as it was, but is not known"
                node.generation = generation
            case Gone(_, file_id):
                self._drop(file_id)
            case FolderFound(path, folder_id, generation):
                self._put_folder(path, folder_id, generation)
            case FolderGone(_, folder_id):
                self._drop(folder_id)
            case FolderSkipped():
                pass
            case Swept(generation):
                old = [one for one, node in self._nodes.items() if node.generation < generation]
                for one in sorted(old, key=lambda each: self._nodes[each].is_folder):
                    self._drop(one)
            case _:
                raise AssertionError(f"{change!r} was not expected")

    def _put_item(self, item: Item, version: bytes, content: bytes | None) -> None:
        before = self._nodes.get(item.file_id)
        if before is not None:
            self._places.pop((before.parent, before.name), None)
        parent = self._folder_at(item.ref.folder)
        node = Stored(parent, item.ref.name, item.generation, version=version, content=content, item=item)
        self._settle(item.file_id, node)

    def _put_folder(self, path: bytes, folder_id: bytes, generation: int) -> None:
        assert b"\0" not in path, f"{path!r} is our own name for what was set aside"
        if not path:
            self._settle(folder_id, Stored(b"", b"", generation, is_folder=True))
            return
        above, _, name = path.rpartition(b"/")
        before = self._nodes.get(folder_id)
        if before is not None:
            self._places.pop((before.parent, before.name), None)
        self._settle(folder_id, Stored(self._folder_at(above), name, generation, is_folder=True))

    def _settle(self, one: bytes, node: Stored) -> None:
        """Puts it there. What is in the way is another one, and set aside until it is told itself."""
        other = self._places.get((node.parent, node.name))
        if other is not None and other != one:
            aside = self._nodes[other]
            aside.name = aside.name + b"\0" + other
            self._places[aside.parent, aside.name] = other
        self._nodes[one] = node
        self._places[node.parent, node.name] = one

    def _folder_at(self, path: bytes) -> bytes:
        at = self._places.get((b"", b""))
        assert at is not None, "nothing was told of the root"
        for name in path.split(b"/") if path else ():
            at = self._places.get((at, name))
            assert at is not None, f"nothing was told of the folder {path!r}"
        return at

    def _drop(self, one: bytes) -> None:
        node = self._nodes.pop(one, None)
        if node is None:
            return
        if self._places.get((node.parent, node.name)) == one:
            del self._places[node.parent, node.name]
        if node.is_folder:
            for inner in [each for each, inside in self._nodes.items() if inside.parent == one]:
                self._drop(inner)

    # What it knows

    def item_of(self, file_id: bytes) -> KnownItem | None:
        node = self._nodes.get(file_id)
        return None if node is None or node.is_folder else KnownItem(self._ref(node), node.version)

    def folder_of(self, folder_id: bytes) -> KnownFolder | None:
        node = self._nodes.get(folder_id)
        return KnownFolder(node.parent, node.name) if node is not None and node.is_folder else None

    def outdated(self) -> Iterator[tuple[ItemRef, bytes]]:
        return iter(
            [(self._ref(node), one) for one, node in self._nodes.items() if not node.is_folder and not node.version]
        )

    def generation(self) -> int:
        return max((node.generation for node in self._nodes.values()), default=0)

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        raise AssertionError("this source tells by itself what changed")

    def folders(self, folder: bytes) -> Set[bytes]:
        raise AssertionError("this source tells by itself what changed")

    def _ref(self, node: Stored) -> ItemRef:
        return ItemRef(self._path(node.parent), node.name)

    def _path(self, folder_id: bytes) -> bytes:
        node = self._nodes[folder_id]
        if not node.parent:
            return node.name
        above = self._path(node.parent)
        return above + b"/" + node.name if above else node.name

    # What a test asks

    def at(self, path: str) -> Stored:
        """What is stored of the item there."""
        (found,) = [node for node in self._items() if self._ref(node).path.decode() == path]
        return found

    @property
    def paths(self) -> list[str]:
        """Where items lie, as far as it knows."""
        return sorted(self._ref(node).path.decode() for node in self._items())

    def require_again(self, path: str) -> None:
        """The item has to be read again, for reasons of the caller's own."""
        self.at(path).version = b""

    def contents(self) -> dict[str, bytes | None]:
        """What it has read of each item, by id; without what was skipped."""
        return {
            one.decode(): node.content for one, node in self._nodes.items() if not node.is_folder and not node.skipped
        }

    def _items(self) -> list[Stored]:
        return [node for node in self._nodes.values() if not node.is_folder]

"""Where the folders of a drive lie: the change feed tells folders by id, and paths are derived from that.

What has been told in this run comes before what is recorded, which lags behind. Two folders cannot lie in one place:
what was known of the one that was there before is out of date. Only folders are kept in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from connectors.base import Known
from connectors.microsoft365.restricted import QUARANTINE_NAME

_MOST_STEPS = 1000  # SharePoint's paths have at most 400 characters


class Kind(Enum):
    """What may lie in a folder for us."""

    FOLDER = auto()
    PARTS = auto()  # of a package: they are no items of their own


class UnknownFolder(LookupError):
    """Nothing is known of the folder of that id; the source has to be asked."""

    def __init__(self, folder_id: str) -> None:
        super().__init__("a folder is not known")
        self.folder_id = folder_id


class FolderCircle(LookupError):
    """What is known puts these folders into one another: some of it is out of date, and the source has to be asked."""

    def __init__(self, folder_ids: tuple[str, ...]) -> None:
        super().__init__("folders lie in one another")
        self.folder_ids = folder_ids


@dataclass(frozen=True, slots=True)
class Place:
    """Where a folder lies. `parts`: it is a package or lies in one. `ours`: it is our quarantine or lies in it."""

    path: bytes
    depth: int
    parts: bool = False
    ours: bool = False


@dataclass(frozen=True, slots=True)
class _Node:
    parent_id: str
    name: bytes
    kind: Kind = Kind.FOLDER


class Tree:
    """The folders of one drive, as one run sees them."""

    def __init__(self, known: Known, root_id: str) -> None:
        """`root_id` is `""` as long as it is not known."""
        self._known = known
        self._told: dict[str, _Node] = {}
        self._at: dict[tuple[str, bytes], str] = {}
        self._stale: set[str] = set()  # folders in whose places others were told to be
        self._places: dict[str, Place] = {}
        self.root_id = ""
        self.set_root(root_id)

    def set_root(self, folder_id: str) -> None:
        """The drive's root is the folder of that id."""
        if folder_id and folder_id != self.root_id:
            self.root_id = folder_id
            self._places = {folder_id: Place(b"", 0)}

    def put(self, folder_id: str, parent_id: str, name: bytes, kind: Kind = Kind.FOLDER) -> bool:
        """The folder of that id lies in that one, under that name; gives whether this is news."""
        node = _Node(parent_id, name, kind)
        before = self._node(folder_id)
        if node != before:
            self._note(folder_id, node)
            self._places = {self.root_id: Place(b"", 0)} if self.root_id else {}
        return node != before

    def has(self, folder_id: str) -> bool:
        """Whether there is, or was, a folder of that id."""
        if folder_id == self.root_id or folder_id in self._told:
            return True
        return self._known.folder_of(folder_id.encode()) is not None

    def place(self, folder_id: str) -> Place:
        """Where the folder of that id lies. Raises `UnknownFolder` or `FolderCircle`."""
        below: list[str] = []
        while (place := self._places.get(folder_id)) is None:
            node = self._node(folder_id)
            if node is None:
                raise UnknownFolder(folder_id)
            if folder_id in below or len(below) > _MOST_STEPS:
                raise FolderCircle(tuple(below))
            below.append(folder_id)
            folder_id = node.parent_id
        for inner in reversed(below):
            place = self._places[inner] = self._inside(place, self._told[inner])
        return place

    def path_or(self, folder_id: str, otherwise: bytes) -> bytes:
        """The path of the folder if it can be told without asking the source."""
        try:
            return self.place(folder_id).path
        except LookupError:
            return otherwise

    @staticmethod
    def _inside(above: Place, node: _Node) -> Place:
        path = above.path + b"/" + node.name if above.path else node.name
        ours = above.ours or (above.depth == 0 and is_quarantine(node.name))
        return Place(path, above.depth + 1, above.parts or node.kind is Kind.PARTS, ours)

    def _node(self, folder_id: str) -> _Node | None:
        """What is known of a folder, unless it must be out of date: another one lies in its place."""
        if folder_id in self._stale or not folder_id:
            return None
        node = self._told.get(folder_id)
        if node is None:
            recorded = self._known.folder_of(folder_id.encode())
            if recorded is None or not recorded.parent_id or b"\0" in recorded.name:
                return None  # the caller does not know where it lies, or has set it aside for another one
            node = _Node(recorded.parent_id.decode("utf-8", "replace"), recorded.name)
            if (node.parent_id, node.name) in self._at:
                return None
            self._note(folder_id, node)
        return node

    def _note(self, folder_id: str, node: _Node) -> None:
        before = self._told.get(folder_id)
        if before is not None and self._at.get((before.parent_id, before.name)) == folder_id:
            del self._at[before.parent_id, before.name]
        other = self._at.get((node.parent_id, node.name), folder_id)
        if other != folder_id:
            self._stale.add(other)
        self._stale.discard(folder_id)
        self._told[folder_id] = node
        self._at[node.parent_id, node.name] = folder_id


def is_quarantine(name: bytes) -> bool:
    """Whether a folder of that name, at the root of a drive, is the one in which we keep what was taken."""
    return name.decode("utf-8", "surrogatepass").casefold() == QUARANTINE_NAME.casefold()

"""Where the folders of a mailbox lie, which of them are left out, and what they are called in a path.

Folders are known by their ids, which last; a path is derived. What has been told in this run comes before what is
recorded, which lags behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Known
from connectors.errors import ItemNotFound, ScopeUnavailable, SourceFault, Unsupported
from connectors.microsoft365 import mail_facts as facts
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.restricted import QUARANTINE_NAME

HEADERS: Mapping[str, str] = {"Prefer": 'IdType="ImmutableId"'}  # on every request, or else ids change with every move
ROOT = "msgfolderroot"
DELETED_ITEMS = "deleteditems"
RECOVERABLE = "recoverableitemsroot"
_KINDS = ("inbox", "sentitems", "drafts", "junkemail", "archive", DELETED_ITEMS)
_SELECT = "$select=id,displayName,parentFolderId,isHidden"
_PAGE = 100
_MOST_STEPS = 300  # Exchange has folders in one another up to this deep
_SLASH = "\N{DIVISION SLASH}"  # a folder's own name may have a slash, a component of a path may not


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as the service describes it. `component` is its name as part of a path."""

    id: str
    parent_id: str
    name: str = field(repr=False)
    is_hidden: bool

    @property
    def component(self) -> bytes:
        return component(self.name)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a folder lies: its path, and the well-known name of the folder that it is or is in, if it has one.

    `left_out` says that it is among what people have deleted, `ours` that it is our quarantine.
    """

    path: bytes = field(repr=False)
    depth: int
    kind: str = ""
    left_out: bool = False
    ours: bool = False


def component(name: str) -> bytes:
    """A folder's name as a part of a path: never empty, `.` or `..`, and without slashes."""
    text = name.replace("/", _SLASH).replace("\0", "")
    return (f"({text})" if text in ("", ".", "..") else text).encode("utf-8", "surrogatepass")


def read_folder(described: Mapping[str, Any]) -> Folder:
    """The folder that the service describes. Raises `SourceFault` if it names no id."""
    id, parent, name = (described.get(key) for key in ("id", "parentFolderId", "displayName"))
    if not isinstance(id, str) or not id:
        raise SourceFault("the service described a folder without its id")
    hidden = described.get("isHidden") is True
    return Folder(id, parent if isinstance(parent, str) else "", name if isinstance(name, str) else "", hidden)


class Mailbox:
    """One mailbox of the service, by the address or id of the user whose it is."""

    def __init__(self, graph: Graph, user: str) -> None:
        self.graph = graph
        self.path = f"/users/{quoted(user)}"

    def folder(self, id: str) -> Folder:
        """The folder of that id or well-known name. Raises `ItemNotFound`."""
        return read_folder(self.graph.get(f"{self.path}/mailFolders/{quoted(id)}?{_SELECT}", headers=HEADERS))

    def below(self, folder_id: str | None) -> Iterator[Folder]:
        """The folders directly in that one; without an id those at the top of the mailbox, hidden ones among them."""
        if folder_id is None:
            path = f"{self.path}/mailFolders?includeHiddenFolders=true&$top={_PAGE}&{_SELECT}"
        else:
            path = f"{self.path}/mailFolders/{quoted(folder_id)}/childFolders?$top={_PAGE}&{_SELECT}"
        return map(read_folder, self.graph.all(path, cost=1, headers=HEADERS))

    def well_known(self, name: str) -> Folder | None:
        """The folder of that well-known name, if the mailbox has one."""
        try:
            return self.folder(name)
        except (ItemNotFound, Unsupported):
            return None

    def message(self, id: str, expand: str = facts.EXPAND) -> dict[str, Any]:
        """What is said of the message of that id. Raises `ItemNotFound`."""
        path = f"{self.path}/messages/{quoted(id)}?{facts.SELECT}&{expand}"
        described = self.graph.get(path, headers=HEADERS)
        if facts.id_of(described) != id:
            raise SourceFault("the service described another message than it was asked for")
        return described

    def climb(self, folder_id: str, *tops: str) -> tuple[str, bytes]:
        """Which of these folders that one is, or lies in, and its path from there; `""` if it is in none of them."""
        names: list[bytes] = []
        while folder_id not in tops:
            try:
                folder = self.folder(folder_id)
            except ItemNotFound:
                return "", b""
            if folder.parent_id in ("", folder_id) or len(names) > _MOST_STEPS:
                return "", b""
            names.append(folder.component)
            folder_id = folder.parent_id
        return folder_id, b"/".join(reversed(names))

    def quarantine(self) -> Folder | None:
        """Our quarantine: a hidden folder of that name, such as only programs can make."""
        return next((one for one in self.below(None) if is_quarantine(one)), None)

    def check_root(self, root_id: str) -> None:
        """Raises `ScopeUnavailable` if this is another mailbox than the one with that root."""
        try:
            found = self.folder(ROOT)
        except ItemNotFound:
            raise ScopeUnavailable("there is no such mailbox any more") from None
        if found.id != root_id:
            raise ScopeUnavailable("another mailbox answers here now")


def is_quarantine(folder: Folder) -> bool:
    """Whether a folder at the top of a mailbox is the one in which we keep what was taken."""
    return folder.is_hidden and folder.name.casefold() == QUARANTINE_NAME.casefold()


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a mailbox that mean something: its root, and those with well-known names, by id."""

    root_id: str
    kinds: Mapping[str, str]
    left_out: Mapping[str, Folder]
    quarantine: Folder | None = None

    @classmethod
    def of(cls, mailbox: Mailbox, root_id: str) -> Layout:
        """Asks for those with well-known names; a mailbox need not have all of them."""
        kinds: dict[str, str] = {}
        left_out: dict[str, Folder] = {}
        for name in (*_KINDS, RECOVERABLE):
            found = mailbox.well_known(name)
            if found is None:
                continue
            kinds[found.id] = name
            if name in (DELETED_ITEMS, RECOVERABLE):
                left_out[found.id] = found
        return cls(root_id, kinds, left_out)


class MailTree:
    """The folders of one mailbox, as one run sees them."""

    def __init__(self, mailbox: Mailbox, layout: Layout, known: Known) -> None:
        self.layout = layout
        self._mailbox = mailbox
        self._known = known
        self._told: dict[str, tuple[str, bytes]] = {}
        self._places: dict[str, Place] = {}
        self._forget_places()

    def put(self, folder: Folder) -> None:
        """That is where the folder lies now."""
        self._told[folder.id] = (folder.parent_id, folder.component)
        self._forget_places()

    def place(self, folder_id: str) -> Place:
        """Where the folder of that id lies; the service is asked for what is not known. Raises `ItemNotFound`."""
        below: list[tuple[str, bytes]] = []
        at = folder_id
        while (place := self._places.get(at)) is None:
            parent_id, name = self._node(at)
            if len(below) > _MOST_STEPS:
                raise SourceFault("the service describes folders that lie in one another")
            below.append((at, name))
            at = parent_id
        for id, name in reversed(below):
            place = self._places[id] = self._inside(place, id, name)
        return place

    def is_in(self, folder_id: str, above_id: str) -> bool:
        """Whether the folder is that one or lies in it, as far as can be told without asking."""
        for _ in range(_MOST_STEPS):
            if folder_id == above_id:
                return True
            node = self._told.get(folder_id) or self._recorded(folder_id)
            if node is None:
                return False
            folder_id = node[0]
        return False

    def recorded_path(self, folder_id: str) -> bytes:
        """Where the folder is recorded, as far as that is known."""
        names: list[bytes] = []
        while (recorded := self._known.folder_of(folder_id.encode())) is not None and len(names) < _MOST_STEPS:
            names.append(recorded.name)
            folder_id = recorded.parent_id.decode("utf-8", "replace")
        return b"/".join(filter(None, reversed(names)))

    def _inside(self, above: Place, id: str, name: bytes) -> Place:
        layout = self.layout
        ours = layout.quarantine is not None and layout.quarantine.id == id
        path = above.path + b"/" + name if above.path else name
        return Place(path, above.depth + 1, layout.kinds.get(id, above.kind), above.left_out, ours or above.ours)

    def _forget_places(self) -> None:
        self._places = {self.layout.root_id: Place(b"", 0)}
        for id, folder in self.layout.left_out.items():
            self._places[id] = Place(folder.component, 1, DELETED_ITEMS, left_out=True)

    def _node(self, folder_id: str) -> tuple[str, bytes]:
        node = self._told.get(folder_id) or self._recorded(folder_id)
        if node is None:
            folder = self._mailbox.folder(folder_id)
            node = (folder.parent_id, folder.component)
        self._told[folder_id] = node
        return node

    def _recorded(self, folder_id: str) -> tuple[str, bytes] | None:
        recorded = self._known.folder_of(folder_id.encode())
        if recorded is None:
            return None
        return recorded.parent_id.decode("utf-8", "replace") or self.layout.root_id, recorded.name

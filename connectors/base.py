"""The contract every connector keeps.

A connector lists scopes, tells what changed in a scope since a cursor, and opens content.
Where its declared capabilities allow, it also labels and deletes; such calls take the version
the decision was made on and raise `ItemChanged` when the item has moved on.
`connectors.testing.ConnectorContract` judges every implementation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

_ESCAPED = re.compile(r"\\(\\|x[0-9a-f]{2})")


def show_name(name: bytes) -> str:
    """The name as text: valid UTF-8 as it is, every other byte, control character and backslash escaped.

    `read_name` gives the bytes back exactly.
    """
    shown = []
    for char in name.decode("utf-8", "surrogateescape"):
        if char == "\\":
            shown.append("\\\\")
        elif "\udc80" <= char <= "\udcff":
            shown.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif char.isprintable():
            shown.append(char)
        else:
            shown.extend(f"\\x{byte:02x}" for byte in char.encode("utf-8"))
    return "".join(shown)


def read_name(text: str) -> bytes:
    """The bytes that `show_name` printed."""
    parts = []
    position = 0
    for escape in _ESCAPED.finditer(text):
        parts.append(text[position : escape.start()].encode("utf-8"))
        code = escape.group(1)
        parts.append(b"\\" if code == "\\" else bytes([int(code[1:], 16)]))
        position = escape.end()
    parts.append(text[position:].encode("utf-8"))
    return b"".join(parts)


@dataclass(frozen=True, slots=True, order=True)
class ItemRef:
    """Where an item lies inside its scope: folder and name as the source spells them.

    `folder` is relative to the scope, with `/` between components; the scope's root is `b""`.
    `str()` prints it for people and logs; `ItemRef.parse` reads that back without loss.
    """

    folder: bytes
    name: bytes

    @property
    def path(self) -> bytes:
        return self.folder + b"/" + self.name if self.folder else self.name

    def __str__(self) -> str:
        return show_name(self.path)

    @classmethod
    def parse(cls, text: str) -> Self:
        folder, _, name = read_name(text).rpartition(b"/")
        return cls(folder, name)


class SkipReason(StrEnum):
    """Why an item or folder that was seen is left unread on purpose."""

    SYMBOLIC_LINK = "symbolic_link"
    FIFO = "fifo"
    SOCKET = "socket"
    DEVICE = "device"
    OTHER_MOUNT = "other_mount"
    OWN_STATE = "own_state"
    OFFLINE = "offline"
    SPARSE = "sparse"
    ACCESS_TIME = "access_time_would_change"
    PACKAGE = "package"  # a notebook or the like: a folder of parts that only its own application may touch
    SHORTCUT = "shortcut"  # a link to an item of another drive
    MALWARE = "malware"  # the source says so, and gives out no content
    NO_CONTENT = "no_content"  # there is nothing to download: never checked in, or a link only
    OWN_QUARANTINE = "own_quarantine"  # lies in the folder in which we keep what was taken
    LEFT_OUT = "left_out"  # by rule: what people have deleted, say


class FailReason(StrEnum):
    """Why an item or folder that should have been read could not be."""

    PERMISSION_DENIED = "permission_denied"
    IO_ERROR = "io_error"


@dataclass(frozen=True, slots=True)
class Item:
    """What the source says about one item. Times are aware and in UTC, sizes in bytes.

    `version` is opaque: two equal versions mean that nothing relevant changed in between.
    `file_id` and `link_count` tell names of one file apart from copies; `file_id` is `b""` where the source has none.
    `marks` are labels found at the source (extended attributes, columns), by name. Where the source itself tells what
    changed, `file_id` is the item's own lasting id, and `generation` numbers the enumeration in which it was told.
    """

    ref: ItemRef
    version: bytes
    size_bytes: int
    modified_at: datetime
    created_at: datetime | None = None
    accessed_at: datetime | None = None
    owner: str = ""
    file_id: bytes = b""
    link_count: int = 1
    marks: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """An item that is new or no longer at the version the caller knows.

    With `same_content` its bytes are those of the version the caller knows, though it moved or facts about it changed.
    """

    item: Item
    same_content: bool = False


@dataclass(frozen=True, slots=True)
class Met:
    """An item that is as the caller knows it, told by a source that enumerates: it is still there."""

    ref: ItemRef
    file_id: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that must not be read; recorded all the same."""

    item: Item
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that was listed but about which the source would say nothing more."""

    ref: ItemRef
    reason: FailReason


@dataclass(frozen=True, slots=True)
class Gone:
    """An item the caller knows, missing from a complete listing of its folder, or told to be deleted by its id."""

    ref: ItemRef
    file_id: bytes = b""


@dataclass(frozen=True, slots=True)
class FolderGone:
    """A folder the caller knows, missing from a complete listing of its parent, with all that was in it; or told to be
    deleted by its id: then what was in it and has not been told to lie elsewhere is gone with it."""

    folder: bytes
    folder_id: bytes = b""


@dataclass(frozen=True, slots=True)
class FolderFound:
    """Where the folder of that id lies now, told by a source whose folders have lasting ids. All that is recorded below
    the folder of that id moves with it. It is told before what lies in it."""

    folder: bytes
    folder_id: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class Swept:
    """An enumeration has come to its end: what was told in an earlier one only is gone."""

    generation: int


@dataclass(frozen=True, slots=True)
class FolderSkipped:
    """A folder that is left out on purpose."""

    folder: bytes
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class FolderFailed:
    """A folder that could not be listed, or not to its end. Nothing may be inferred about what lies in it."""

    folder: bytes
    reason: FailReason


Change = Found | Met | Skipped | Failed | Gone | FolderFound | FolderGone | FolderSkipped | FolderFailed | Swept


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of the change stream.

    `seen` counts every item listed for this page, changed or not: `Found`, `Skipped` and `Failed` are among them.
    `folders` counts the folders whose listing ended with this page.
    Once everything in the page is stored, a later call with `after=cursor` continues behind it. The changes are stored
    in the order in which they are told; of two about one id the later one holds.
    """

    changes: tuple[Change, ...]
    seen: int
    folders: int
    cursor: bytes


@dataclass(frozen=True, slots=True)
class KnownItem:
    """Where an item is recorded and at which version; `version` is `b""` if its content has to be read again."""

    ref: ItemRef
    version: bytes


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """The id of the folder that a folder is recorded in (`b""` for one that has none) and the name it has there."""

    parent_id: bytes
    name: bytes


class Known(Protocol):
    """What the caller has recorded of a scope, so that a connector can tell what changed.

    It may lag behind the pages that the caller was given: pages are stored in order, but some time later.
    """

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        """Name to version of every item recorded directly in `folder`."""

    def folders(self, folder: bytes) -> Set[bytes]:
        """Names of the folders recorded directly in `folder`."""

    def item_of(self, file_id: bytes) -> KnownItem | None:
        """The live item of that id. For sources whose items have lasting ids, as all below."""

    def folder_of(self, folder_id: bytes) -> KnownFolder | None:
        """The folder of that id."""

    def outdated(self) -> Iterator[tuple[ItemRef, bytes]]:
        """Live items, with their ids, whose content has to be read again although they have not changed."""

    def generation(self) -> int:
        """The number of the newest enumeration of which anything is recorded; 0 if there is none."""


class KnowsNothing:
    """A caller that has recorded nothing yet: every item is new to it."""

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        return {}

    def folders(self, folder: bytes) -> Set[bytes]:
        return frozenset()

    def item_of(self, file_id: bytes) -> KnownItem | None:
        return None

    def folder_of(self, folder_id: bytes) -> KnownFolder | None:
        return None

    def outdated(self) -> Iterator[tuple[ItemRef, bytes]]:
        return iter(())

    def generation(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Scope:
    """One share, drive or mailbox.

    `identity` changes when another file system or drive answers under the same name (an unmounted share, say),
    and stays the same across restarts of the machine as far as the source can tell. `location` is where people find
    it, where the connector knows better than its caller. `stored_in` are words of `agent.model.condition.StorageKind`.
    """

    name: str
    identity: str
    location: str = ""
    stored_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connector has shown it can do here; probed, not assumed.

    `continues` says that the source itself tells what changed: a new run goes on behind the last cursor of the run
    before, and one from the start enumerates everything anew. `looks` says that `look` can be asked. `copies` says that
    `open` gives out a copy which is known to be that version whole, so that nobody needs to ask again.
    """

    keeps_access_time: bool = False
    file_ids: bool = False
    case_sensitive: bool = True
    marks: bool = False
    label: bool = False
    delete: bool = False
    looks: bool = True
    continues: bool = False
    copies: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a changing call really did.

    `done` is false when the state asked for was there already or nothing was allowed to change.
    """

    ref: ItemRef
    done: bool
    note: str


class Content(Protocol):
    """An item's bytes behind a seekable, read-only file descriptor that stays valid until `close`."""

    def fileno(self) -> int: ...

    def still_current(self) -> bool:
        """Whether the source still holds the version that was opened."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Connector(Protocol):
    """One kind of place where documents lie."""

    @property
    def capabilities(self) -> Capabilities: ...

    def scopes(self) -> Sequence[Scope]:
        """Everything this connector has been pointed at. Raises `ScopeUnavailable`."""

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        """What differs between the source and `known`, in a fixed order, from the start or behind the cursor `after`.

        Every item is told at most once in a run from the start, unless the source itself tells what changed: then a
        later telling replaces an earlier one. Raises `ScopeUnavailable` when the scope cannot be read or is no longer
        the one it was; pages already given stay valid.
        """

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        """What differs in these folders, and in folders that lie in them and are not known yet, with all below.

        For a source that has said where something happened. Cursors of these pages lead nowhere. A folder that is not
        there, or that cannot be listed, is told as in `changes`. Raises `ScopeUnavailable`, `Unsupported`.
        """

    def open(self, scope: Scope, item: Item) -> Content:
        """The content of `item` at `item.version`.

        Raises `ItemNotFound`, `ItemChanged`, `PermissionDenied`, `Offline`, `Sparse`, `AccessTimeWouldChange`,
        `LockedAtSource`, `Throttled`, `SourceFault` or `ScopeUnavailable`.
        """

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        """Marks the item with a retention label. Raises `ItemChanged`, `ItemNotFound`, `Unsupported`."""

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        """Removes the item; a second call for the same version is a receipt with `done=False`.

        Raises `ItemChanged`, `Unsupported`.
        """

    def close(self) -> None:
        """Releases descriptors and connections. Safe to call twice."""

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


class FailReason(StrEnum):
    """Why an item or folder that should have been read could not be."""

    PERMISSION_DENIED = "permission_denied"
    IO_ERROR = "io_error"


@dataclass(frozen=True, slots=True)
class Item:
    """What the source says about one item. Times are aware and in UTC, sizes in bytes.

    `version` is opaque: two equal versions mean that nothing relevant changed in between.
    `file_id` and `link_count` tell names of one file apart from copies; `file_id` is `b""` where the source has none.
    `marks` are labels found at the source (extended attributes, columns), by name.
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


@dataclass(frozen=True, slots=True)
class Found:
    """An item that is new or no longer at the version the caller knows."""

    item: Item


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
    """An item the caller knows, missing from a complete listing of its folder."""

    ref: ItemRef


@dataclass(frozen=True, slots=True)
class FolderGone:
    """A folder the caller knows, missing from a complete listing of its parent, with all that was in it."""

    folder: bytes


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


Change = Found | Skipped | Failed | Gone | FolderGone | FolderSkipped | FolderFailed


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of the change stream.

    `seen` counts every item listed for this page, changed or not: `Found`, `Skipped` and `Failed` are among them.
    `folders` counts the folders whose listing ended with this page.
    Once everything in the page is stored, a later call with `after=cursor` continues behind it.
    """

    changes: tuple[Change, ...]
    seen: int
    folders: int
    cursor: bytes


class Known(Protocol):
    """What the caller has recorded of a scope, so that a connector can tell what changed."""

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        """Name to version of every item recorded directly in `folder`."""

    def folders(self, folder: bytes) -> Set[bytes]:
        """Names of the folders recorded directly in `folder`."""


class KnowsNothing:
    """A caller that has recorded nothing yet: every item is new to it."""

    def versions(self, folder: bytes) -> Mapping[bytes, bytes]:
        return {}

    def folders(self, folder: bytes) -> Set[bytes]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """One share, drive or mailbox.

    `identity` changes when another file system or drive answers under the same name (an unmounted share, say),
    and stays the same across restarts of the machine as far as the source can tell.
    """

    name: str
    identity: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connector has shown it can do here; probed, not assumed."""

    keeps_access_time: bool = False
    file_ids: bool = False
    case_sensitive: bool = True
    marks: bool = False
    label: bool = False
    delete: bool = False


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

        Every item is told at most once in a run from the start. Raises `ScopeUnavailable` when the scope cannot be
        read or is no longer the one it was; pages already given stay valid.
        """

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        """What differs in these folders, and in folders that lie in them and are not known yet, with all below.

        For a source that has said where something happened. Cursors of these pages lead nowhere. A folder that is not
        there, or that cannot be listed, is told as in `changes`. Raises `ScopeUnavailable`.
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

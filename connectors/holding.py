"""What a connector offers that can take items out of reach and give them back.

An item that is *taken* lies in the hold of its source: out of its place, at the same device, where nobody but us
reaches it. From there it is put back, or let go for good once it is whole elsewhere. The caller gives each act an id
(32 lower-case hexadecimal digits), records it before the act, and asks by that id what has become of it after a crash.
`connectors.testing_holding.HoldingContract` judges every implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from connectors.base import Content, ItemRef, Scope


class Doubt(StrEnum):
    """What could not be made sure here when an item was taken; goes on record with the act."""

    OPEN_UNKNOWN = "open_unknown"  # whether somebody has it open cannot be asked here; it had been quiet for a while
    SHARED_EXTENTS = "shared_extents"  # other files or snapshots may share its blocks
    COPIES_ON_WRITE = "copies_on_write"  # old blocks are left behind: they are not, or could not be, overwritten


@dataclass(frozen=True, slots=True)
class Taken:
    """An item in the hold. `size_bytes` counts holes too.

    `properties` is everything it has beside its content (owner, mode, lists, attributes, times, holes), in the
    connector's own form for `make`. It may hold values: it is sealed with the content and never logged.
    """

    id: str
    size_bytes: int
    properties: bytes = field(repr=False)
    doubts: frozenset[Doubt] = frozenset()


class TakenContent(Content, Protocol):
    """A taken item, open for reading. `still_current` says whether nobody has changed it since it was opened."""

    @property
    def taken(self) -> Taken: ...


@dataclass(frozen=True, slots=True)
class Made:
    """What `make` did. `version` is that of the item which lies there now; `made` is false if it lay there already.

    `lacking` are words for what the place would not take (`owner`, `acl`, `attributes`, `times`, `mode`).
    """

    ref: ItemRef
    version: bytes
    made: bool
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LetGo:
    """How an item left the hold for good. `method` is a word of a fixed vocabulary (`overwritten`, `unlinked`,
    `nothing_there`)."""

    method: str
    doubts: frozenset[Doubt] = frozenset()


class Holding(Protocol):
    """The changing half of a connector. Every call may raise `ScopeUnavailable` and `SourceFault`.

    Whatever is durable when a call returns is durable for good.
    """

    def take(self, scope: Scope, ref: ItemRef, version: bytes, id: str) -> TakenContent:
        """Moves the item into the hold if it is at that very version, and opens it.

        If this raises, the item is in its place as it was, or no longer there at all; after a crash `taken` tells.
        Raises `ItemChanged`, `ItemNotFound`, `LockedAtSource` (somebody has it open for writing), `Immutable`,
        `SeveralNames`, `PermissionDenied`, `ReadOnlySource`, `NoRoom`, `HoldUnavailable`, `NoPlace` (it could not be
        put back there). `PlaceTaken` alone says that something lies in the hold under that id: from before, or what was
        moved there by this call and cannot go back.
        """

    def taken(self, scope: Scope, id: str) -> TakenContent | None:
        """What lies in the hold under that id, open for reading. Raises `LockedAtSource` if somebody writes to it."""

    def put_back(self, scope: Scope, id: str, ref: ItemRef) -> bool:
        """Moves what was taken to `ref`, never over anything; tells whether there was something to move.

        Missing folders on the way are made. Raises `PlaceTaken` if something lies there, `NoPlace` if nothing can: then
        it stays in the hold.
        """

    def let_go(self, scope: Scope, id: str) -> LetGo:
        """Destroys what lies in the hold under that id, as well as the source can; its content must be closed.

        Idempotent: what a crash has cut off is finished, and in the meantime neither `taken` nor `put_back` knows of
        it. Raises `ItemChanged` if it is another than when it was last taken or looked at (`taken`), `LockedAtSource`
        if somebody has it open for writing: then nothing has been destroyed.
        """

    def in_hold(self, scope: Scope) -> Iterator[str]:
        """The names of all that lies in the hold: ids, and others for what is being made or destroyed or is foreign."""

    def make(
        self,
        scope: Scope,
        ref: ItemRef,
        properties: bytes,
        write: Callable[[int], None],
        sha256: str,
        *,
        keep_times: bool = True,
    ) -> Made:
        """Makes an item at `ref` whose bytes `write` puts into an empty file, with the properties of a taken one.

        It appears whole or not at all, and never in another's place: if an item with that SHA-256 (hexadecimal) lies
        there already, that counts as made before; anything else raises `PlaceTaken`. Raises `NoRoom`, `ReadOnlySource`,
        `PermissionDenied`, `NoPlace` if nothing can lie there, `ItemChanged` if what was written has another SHA-256:
        then nothing was made. Only after a `SourceFault` it may lie there all the same.
        """

    def version_at(self, scope: Scope, ref: ItemRef, sha256: str) -> bytes | None:
        """The version of the item at `ref` if it is there and has that SHA-256 (hexadecimal), else none."""

    def mark(self, scope: Scope, ref: ItemRef, version: bytes, marks: Mapping[str, str]) -> bytes:
        """Sets marks (`name` to value, an empty value removes it) on the item at that version; gives its new version.

        Raises `ItemChanged`, `ItemNotFound`, `Unsupported` where the source keeps no marks.
        """

    def close(self) -> None:
        """Releases descriptors. Safe to call twice."""

"""What a connector offers whose source keeps by itself what is taken: out of people's reach, under its own id.

Where documents lie in a service, taking one out means to move it into a restricted folder of the same drive or
mailbox. It keeps its id, its versions and its labels; it is given back by moving it again, or deleted there for good.
Each act is recorded by the caller before it is done, under an id of the caller's own (32 lower-case hexadecimal
digits), by which it is asked after a crash what has become of it.
`connectors.testing_keeping.KeepingContract` judges every implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from connectors.base import ItemRef, Scope


class Remains(StrEnum):
    """What the source may keep of an item after it was deleted; goes on the certificate."""

    RECYCLE_BIN = "recycle_bin"  # people can take it out of there
    SECOND_STAGE = "second_stage_recycle_bin"  # administrators of the site can
    PRESERVATION_HOLD = "preservation_hold_library"  # a retention policy of the source keeps a copy, as long as it says
    RECOVERABLE_ITEMS = "recoverable_items"  # of a mailbox: its owner, or an administrator, can take it out of there
    SERVICE_BACKUP = "service_backup"  # what the provider keeps for its own recovery


@dataclass(frozen=True, slots=True)
class Target:
    """An item as the caller knows it: by its id, with where it lies (`ref`), the id of the folder there (`b""` if the
    caller knows none), and the version that was decided on."""

    file_id: bytes
    ref: ItemRef
    folder_id: bytes
    version: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An item that lies in the source's quarantine under the caller's id, at this version there. `sha256` (hexadecimal)
    is that of its content, empty if it was not read."""

    id: str
    file_id: bytes
    version: bytes
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Where an item lies again, and at which version; that is empty if somebody has changed it right after.
    `lacking` are words for what it had and has no more (`label`, `sharing`); `given` is false if it lay there
    already. `before` is the version at which it was in quarantine when it was moved, empty if it was not.
    """

    ref: ItemRef
    version: bytes
    given: bool
    lacking: tuple[str, ...] = ()
    before: bytes = b""


@dataclass(frozen=True, slots=True)
class Deleted:
    """How an item was deleted: `method` is `deleted_permanently`, `recycled` or `nothing_there`. `remains` is what the
    source may keep, with for how many days at most; none where nobody can say."""

    method: str
    remains: Mapping[Remains, int | None]


class Keeping(Protocol):
    """The changing half of a connector whose source keeps what is taken.

    Every call may raise `ScopeUnavailable`, `Throttled`, `NotSignedIn`, `PermissionDenied` and `SourceFault`. After a
    `SourceFault` it may have happened all the same: ask. Nothing is ever forced: holds, records, locks and check-outs
    of the source stand.
    """

    def keep(self, scope: Scope, target: Target, id: str) -> Kept:
        """Moves the item into quarantine if it is at that very version, lies under that name in the folder of that id
        (of that path, if the caller knows no id), and is the same once it is there.

        If this raises anything but `SourceFault`, `PlaceTaken` or `ItemChanged`, the item was not moved; where one of
        those is raised, `kept` tells whether it was. Raises `ItemChanged`, `ItemNotFound`, `LockedAtSource`,
        `CheckedOut`, `HeldAtSource`, `RecordAtSource`, `Unsupported` (a package, a folder), `HoldUnavailable` (there is
        no quarantine that only we reach, and none can be made), `PlaceTaken`.
        """

    def kept(self, scope: Scope, file_id: bytes, id: str) -> Kept | None:
        """The item of that file id if it lies in quarantine under that id, as it is now; else none."""

    def give_back(self, scope: Scope, file_id: bytes, id: str, to: ItemRef, folder_id: bytes) -> GivenBack:
        """Moves what lies in quarantine under that id to `to`, never over anything: into the folder of that id if there
        still is one and it lies there, else into the folder of that path, which is made if it is missing. Idempotent.

        Raises `ItemNotFound` if it lies neither in quarantine nor there, `PlaceTaken`, `NoPlace`, `LockedAtSource`,
        `CheckedOut`, `HeldAtSource`, `RecordAtSource`.
        """

    def delete(self, scope: Scope, file_id: bytes, id: str, version: bytes) -> Deleted:
        """Deletes what lies in quarantine under that id, as finally as the source lets us, if it is at that version.

        Idempotent: what is nowhere any more counts as deleted, `nothing_there`. Raises `ItemChanged` (also if somebody
        has taken it out of quarantine and it lies elsewhere), `HeldAtSource`, `RecordAtSource`, `LockedAtSource`,
        `CheckedOut`: then nothing has been deleted.
        """

    def in_quarantine(self, scope: Scope) -> Iterator[tuple[str, bytes]]:
        """The ids under which items lie in quarantine, with the items' own ids. What is foreign there is left out."""

    def label(self, scope: Scope, target: Target, label: str) -> bytes:
        """Sets the retention label on the item at that version; gives its new version, the same if it had that label.

        Raises `ItemChanged`, `ItemNotFound`, `HeldAtSource`, `RecordAtSource`, `LabelledByOthers`, `LockedAtSource`,
        `CheckedOut`, `Unsupported` (the source has no such label, or none at all).
        """

    def mark(self, scope: Scope, target: Target, marks: Mapping[str, str]) -> bytes:
        """Sets columns or properties of the item at that version; gives its new version. Raises as `label`."""

    def close(self) -> None:
        """Releases connections. Safe to call twice."""

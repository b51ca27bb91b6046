"""An item of an emulated drive, with all that is known about it.

Most items of a big drive have nothing special about them; what is rare lies in `Traits`, made when it is first needed.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.emulator.contents import Content
from tests.emulator.people import Person

if TYPE_CHECKING:
    from tests.emulator.labels import AppliedLabel
    from tests.emulator.permissions import Permission

FILE, FOLDER, PACKAGE, SHORTCUT = "file", "folder", "package", "shortcut"
_ROOT_SUFFIX = "56Y2GOVW7725BZO354PWSELRRZ"  # the same in every drive
OFFICE = (".docx", ".xlsx", ".pptx")


@dataclass(frozen=True, slots=True)
class OldVersion:
    """What a file was before it was written again."""

    number: int
    content: Content
    modified_at: datetime
    modified_by: Person


@dataclass(slots=True)
class Traits:
    """What only few items have."""

    label: AppliedLabel | None = None
    checked_out_by: Person | None = None
    never_checked_in: bool = False
    locked: str = ""  # the error code of the 423 that changing it answers
    held: bool = False
    sensitivity: str = ""  # the id of a sensitivity label
    malware: bool = False
    remote: Node | None = None  # what a shortcut leads to
    remote_drive: str = ""
    claimed_size: int | None = None  # reported instead of the true size
    claimed_hash: str | None = None
    permissions: list[Permission] | None = None  # None: those of the folder it lies in
    fields: dict[str, Any] = field(default_factory=dict)
    versions: list[OldVersion] = field(default_factory=list)
    lost: bool = False  # its deletion is never told


class Node:
    """One item: file, folder, package or shortcut."""

    __slots__ = (
        "children",
        "content",
        "content_revision",
        "created_at",
        "created_by",
        "gone",
        "id",
        "kind",
        "modified_at",
        "modified_by",
        "name",
        "number",
        "parent",
        "revision",
        "told",
        "traits",
        "unique",
    )

    def __init__(
        self,
        id: str,
        number: int,
        parent: Node | None,
        name: str,
        kind: str,
        content: Content | None,
        created: tuple[datetime, Person],
        modified: tuple[datetime, Person],
    ) -> None:
        self.id = id
        self.number = number  # as an entry of the library's list
        self.parent = parent
        self.name = name
        self.kind = kind
        self.content = content
        self.created_at, self.created_by = created
        self.modified_at, self.modified_by = modified
        self.revision = 1
        self.content_revision = 1
        self.told = 0
        self.children: dict[str, Node] | None = {} if kind in (FOLDER, PACKAGE) else None
        self.traits: Traits | None = None
        self.gone = False
        self.unique = ""

    def __repr__(self) -> str:
        return f"Node({self.id}, {self.kind})"

    @property
    def special(self) -> Traits:
        """Its traits, to be changed."""
        if self.traits is None:
            self.traits = Traits()
        return self.traits

    @property
    def is_folder(self) -> bool:
        return self.kind == FOLDER

    @property
    def unique_id(self) -> str:
        """The GUID that is in its id and its tags."""
        if not self.unique:
            self.unique = str(uuid.UUID(bytes=base64.b32decode(self.id[8:] + "======"))).upper()
        return self.unique

    @property
    def etag(self) -> str:
        return f'"{{{self.unique_id}}},{self.revision}"'

    @property
    def ctag(self) -> str:
        return f'"c:{{{self.unique_id}}},{self.content_revision}"'

    @property
    def true_size(self) -> int:
        return self.content.size if self.content else 0

    @property
    def size(self) -> int:
        """What is said about its size."""
        if self.traits and self.traits.claimed_size is not None:
            return self.traits.claimed_size
        return self.true_size

    @property
    def hash(self) -> str:
        """What is said about its quickXorHash."""
        if self.traits and self.traits.claimed_hash is not None:
            return self.traits.claimed_hash
        return self.content.quick_xor() if self.content else ""

    @property
    def label(self) -> AppliedLabel | None:
        return self.traits.label if self.traits else None

    @property
    def path(self) -> str:
        """From the drive's root, without a slash at the beginning; the root's own is empty."""
        names = [node.name for node in (self, *self.above()) if node.parent is not None]
        return "/".join(reversed(names))

    def above(self) -> list[Node]:
        """The folders it lies in, the nearest first; the root is the last."""
        found = []
        node = self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found

    def below(self) -> list[Node]:
        """All that lies in it, folders before what is in them."""
        found: list[Node] = []
        waiting = [self]
        while waiting:
            for child in (waiting.pop().children or {}).values():
                found.append(child)
                if child.children:
                    waiting.append(child)
        return found


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as a test sees it: how it is now, not a thing to change it by."""

    id: str
    path: str
    name: str
    parent_id: str
    kind: str
    size: int
    etag: str
    ctag: str
    created_at: datetime
    modified_at: datetime
    label: str

    @property
    def is_folder(self) -> bool:
        return self.kind == FOLDER


def entry_of(node: Node, path: str) -> Entry:
    return Entry(
        id=node.id,
        path=path,
        name=node.name,
        parent_id=node.parent.id if node.parent else "",
        kind=node.kind,
        size=node.true_size,
        etag=node.etag,
        ctag=node.ctag,
        created_at=node.created_at,
        modified_at=node.modified_at,
        label=node.label.name if node.label else "",
    )


def item_id(prefix: str, unique: bytes) -> str:
    """An id as the service makes them: six characters of the drive, then the GUID in base 32."""
    return f"01{prefix}{base64.b32encode(unique).decode().rstrip('=')}"


def root_id(prefix: str) -> str:
    return f"01{prefix}{_ROOT_SUFFIX}"

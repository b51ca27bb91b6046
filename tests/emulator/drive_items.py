"""A drive of the emulated tenant, and everything that people do to what lies in it.

What is called here is a person's deed, or the service's own, and always succeeds: what Graph refuses to an application
is decided where its requests come in. Each deed is one step: no request sees half of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from tests.emulator.contents import Content, Ruled, Stored
from tests.emulator.drive_nodes import FILE, FOLDER, PACKAGE, SHORTCUT, Node
from tests.emulator.drive_tree import DriveTree
from tests.emulator.labels import AppliedLabel
from tests.emulator.people import person
from tests.emulator.permissions import effective, sharing

_ANN = "ann@contoso.example"
_ITEMS_PER_FOLDER = 100

P = ParamSpec("P")
R = TypeVar("R")


def _one_step(deed: Callable[Concatenate[Drive, P], R]) -> Callable[Concatenate[Drive, P], R]:
    @wraps(deed)
    def locked(self: Drive, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.tenant.lock:
            return deed(self, *args, **kwargs)

    return locked


class Drive(DriveTree):
    """A document library, or a person's OneDrive."""

    # What people do to items

    @_one_step
    def put(
        self,
        path: str,
        content: bytes | Content = b"",
        *,
        by: str = _ANN,
        modified_at: datetime | None = None,
        created_at: datetime | None = None,
        checked_in: bool = True,
    ) -> str:
        """Writes a file; folders are made as needed. Where there is one already it gets new content and keeps its id.

        Not `checked_in`: it is checked out to its author and has no version that others could read.
        """
        data = Stored(content) if isinstance(content, bytes) else content
        parent, name = self._place(path, by)
        there = (parent.children or {}).get(name.lower())
        if there is not None:
            self.rewrite(there, data, person(by), modified_at)
            return there.id
        node = self.make(parent, name, FILE, data, person(by), created_at or modified_at, modified_at)
        if not checked_in:
            node.special.never_checked_in = True
            node.special.checked_out_by = person(by)
        return node.id

    @_one_step
    def folder(self, path: str, *, by: str = _ANN) -> str:
        """The folder there; made, with those above it, if it is missing."""
        node = self.root
        for name in filter(None, path.split("/")):
            there = (node.children or {}).get(name.lower())
            node = there or self.make(node, name, FOLDER, None, person(by))
        return node.id

    @_one_step
    def package(self, path: str, *, by: str = _ANN) -> str:
        """A OneNote notebook, with two parts in it that are told as files of their own."""
        parent, name = self._place(path, by)
        node = self.make(parent, name, PACKAGE, None, person(by))
        self.make(node, "Open Notebook.onetoc2", FILE, Stored(b"\x01table of contents"), person(by))
        self.make(node, "Meetings.one", FILE, Stored(b"\x02notes of meetings"), person(by))
        return node.id

    @_one_step
    def shortcut(self, path: str, to: tuple[Drive, str], *, by: str = _ANN) -> str:
        """A shortcut to an item of another drive, given as that drive and the item's id."""
        drive, id = to
        parent, name = self._place(path, by)
        node = self.make(parent, name, SHORTCUT, None, person(by))
        node.special.remote = drive.nodes[id]
        node.special.remote_drive = drive.id
        return node.id

    @_one_step
    def move(self, id: str, path: str, *, by: str = _ANN) -> None:
        """Moves the item to that path; folders are made as needed."""
        parent, name = self._place(path, by)
        self.place(self.nodes[id], parent, name, person(by))

    @_one_step
    def rename(self, id: str, name: str, *, by: str = _ANN) -> None:
        node = self.nodes[id]
        assert node.parent is not None, "the root has no name that could change"
        self.place(node, node.parent, name, person(by))

    @_one_step
    def remove(self, id: str, *, by: str = _ANN) -> None:
        """Deletes the item, with what is in it, to the site's recycle bin."""
        self.take_out(self.nodes[id], person(by))

    @_one_step
    def purge(self, id: str, *, by: str = _ANN) -> None:
        """Deletes the item so that it is in no recycle bin."""
        self.take_out(self.nodes[id], person(by), permanently=True)

    @_one_step
    def restore(self, id: str) -> None:
        """Takes the item out of the recycle bin, back to where it was. It keeps its id. Raises KeyError."""
        recycled = self.site.recycle_bin.of(id)
        if recycled is None:
            raise KeyError(id)
        parent = self.at(recycled.folder)
        self.site.recycle_bin.take_back(recycled)
        recycled.node.parent = parent
        assert parent.children is not None
        parent.children[recycled.node.name.lower()] = recycled.node
        for node in (recycled.node, *recycled.below):
            node.gone = False
            self.nodes[node.id] = node
            self.tell(node)

    @_one_step
    def label(self, id: str, name: str | None, *, by: str = _ANN) -> None:
        """Sets a retention label by hand, or takes it away (None). A folder's label goes to all that is in it."""
        applied = None
        if name is not None:
            applied = AppliedLabel(self.tenant.retention_label(name), person(by), self.tenant.clock.now())
        self.apply_label(self.nodes[id], applied)

    @_one_step
    def sensitivity(self, id: str, label_id: str) -> None:
        """Puts a sensitivity label on the file; it is told only to those who have the file looked into."""
        self.nodes[id].special.sensitivity = label_id
        self.bump(self.nodes[id])

    @_one_step
    def check_out(self, id: str, by: str = _ANN) -> None:
        self.nodes[id].special.checked_out_by = person(by)
        self.bump(self.nodes[id])

    @_one_step
    def check_in(self, id: str) -> None:
        """Checks the file in; from now on others can read it."""
        self.nodes[id].special.checked_out_by = None
        self.nodes[id].special.never_checked_in = False
        self.bump(self.nodes[id])

    @_one_step
    def lock(self, id: str, code: str = "resourceLocked") -> None:
        """Somebody has the file open: changing it answers 423 with that code (`accessDenied` has been seen too)."""
        self.nodes[id].special.locked = code

    @_one_step
    def unlock(self, id: str) -> None:
        self.nodes[id].special.locked = ""

    @_one_step
    def hold(self, id: str) -> None:
        """Puts the item under a hold that nothing about it tells of."""
        self.nodes[id].special.held = True

    @_one_step
    def release(self, id: str) -> None:
        self.nodes[id].special.held = False

    @_one_step
    def malware(self, id: str) -> None:
        """The service has found malware in the file: nobody can download it."""
        self.nodes[id].special.malware = True
        self.bump(self.nodes[id])

    @_one_step
    def claim(self, id: str, *, size: int | None = None, hash: str | None = None) -> None:
        """From now on another size or hash is reported than the content has."""
        self.nodes[id].special.claimed_size = size
        self.nodes[id].special.claimed_hash = hash
        self.tell(self.nodes[id])

    @_one_step
    def touch(self, id: str) -> None:
        """The service works on the item by itself: its eTag and cTag change, nothing else does."""
        node = self.nodes[id]
        node.content_revision += 1
        self.bump(node)

    @_one_step
    def share(self, id: str, scope: str = "anonymous", *, to: tuple[str, ...] = (), role: str = "read") -> str:
        """Shares the item by a link (`anonymous`, `organization`, `users`) or directly (`people`).

        Gives the permission's id. The item has permissions of its own from then on, which begin with its folder's.
        """
        node = self.nodes[id]
        permission = sharing(scope, to, role, self.tenant.domain)
        node.special.permissions = [*effective(node), permission]
        self.bump(node)
        return permission.id

    @_one_step
    def restrict(self, id: str, *people: str) -> None:
        """Only these may reach the item from now on."""
        node = self.nodes[id]
        node.special.permissions = [sharing("people", (each,), "write", self.tenant.domain) for each in people]
        self.bump(node)

    @_one_step
    def fields(self, id: str, /, **values: Any) -> None:
        """Sets columns of the item."""
        self.nodes[id].special.fields.update(values)
        self.bump(self.nodes[id])

    @_one_step
    def expire_tokens(self) -> None:
        """No token of the change feed that was given out so far is taken any more."""
        self.epoch += 1

    @_one_step
    def fill(self, count: int, *, seed: int = 1, under: str = "") -> None:
        """Makes so many files in folders of a hundred, their content made by rule when it is read."""
        moment, by = self.tenant.clock.now(), person(_ANN)
        parent = self.nodes[self.folder(under)]
        for number in range(count):
            if number % _ITEMS_PER_FOLDER == 0:
                folder = self.make(parent, f"Folder {seed}-{number // _ITEMS_PER_FOLDER:05}", FOLDER, None, by, moment)
            self.make(folder, f"Document {number:07}.txt", FILE, Ruled(seed, number), by, moment)

    def _place(self, path: str, by: str) -> tuple[Node, str]:
        folder, _, name = path.rpartition("/")
        return self.nodes[self.folder(folder, by=by)], name

"""The tree of a drive: its items, what they are made, changed and removed by, and the log of all that.

What is done here to an item is one step for whoever holds `tenant.lock`, and is told in the log.
"""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.emulator.change_log import ChangeLog
from tests.emulator.columns import Columns
from tests.emulator.contents import Content
from tests.emulator.drive_nodes import FILE, FOLDER, Entry, Node, OldVersion, entry_of, item_id, root_id
from tests.emulator.labels import AppliedLabel, inherited_label
from tests.emulator.people import SYSTEM, Person, person
from tests.emulator.permissions import Permission, effective
from tests.emulator.quirks import Quirks
from tests.emulator.recycle_bin import Preserved, Recycled

if TYPE_CHECKING:
    from tests.emulator.tenant import Site, Tenant, User


class DriveTree:
    """All items of a drive.

    Paths are relative to the root, without a slash at either end; names in one folder differ in more than case.
    """

    def __init__(
        self,
        site: Site,
        name: str,
        *,
        kind: str = "documentLibrary",
        template: str = "documentLibrary",
        hidden: bool = False,
        owner: User | None = None,
    ) -> None:
        self.site, self.name, self.kind, self.template, self.hidden, self.owner = (
            site,
            name,
            kind,
            template,
            hidden,
            owner,
        )
        self.tenant: Tenant = site.tenant
        self.quirks = Quirks()
        self.columns = Columns()
        self.log: ChangeLog[Node] = ChangeLog()
        self.epoch = 0  # tokens of an earlier one have expired
        self.created_at = self.tenant.clock.now()
        self._chance = random.Random(self.tenant.chance.getrandbits(64))
        self.list_id = self._unique()
        self.id = _drive_id(site, self.list_id)
        self._prefix = base64.b32encode(uuid.UUID(self.list_id).bytes).decode()[:6]
        self._numbers = 0
        self.nodes: dict[str, Node] = {}
        by = person(SYSTEM)
        self.root = Node(
            root_id(self._prefix), 0, None, "root", FOLDER, None, (self.created_at, by), (self.created_at, by)
        )
        self.root.special.permissions = site.permissions()
        self.nodes[self.root.id] = self.root
        self.tell(self.root)

    def __repr__(self) -> str:
        return f"Drive({self.name!r} of {self.site.name!r})"

    @property
    def root_id(self) -> str:
        return self.root.id

    @property
    def web_url(self) -> str:
        return f"{self.site.web_url}/{self.name.replace(' ', '%20')}"

    # What there is

    def items(self) -> Iterator[Entry]:
        """All items but the root, folders before what is in them."""
        found = []
        paths = {self.root.id: ""}
        with self.tenant.lock:
            for node in self.root.below():
                assert node.parent is not None
                above = paths[node.parent.id]
                path = f"{above}/{node.name}" if above else node.name
                if node.children is not None:
                    paths[node.id] = path
                found.append(entry_of(node, path))
        return iter(found)

    def node(self, id: str) -> Node | None:
        """The item of that id, for those who answer requests."""
        return self.root if id == "root" else self.nodes.get(id)

    def entry(self, id: str) -> Entry | None:
        node = self.nodes.get(id)
        return entry_of(node, node.path) if node else None

    def id_of(self, path: str) -> str:
        """The id of what lies there. Raises KeyError."""
        return self.at(path).id

    def path_of(self, id: str) -> str | None:
        """Where the item lies; None if it is not there (any more)."""
        node = self.nodes.get(id)
        return node.path if node else None

    def at(self, path: str) -> Node:
        """What lies there. Raises KeyError."""
        node = self.root
        for name in filter(None, path.split("/")):
            node = (node.children or {})[name.lower()]
        return node

    def content(self, id: str) -> bytes:
        """All bytes of the file as it is now."""
        node = self.nodes[id]
        return b"".join(node.content.pieces()) if node.content else b""

    def permissions_of(self, id: str) -> list[Permission]:
        """Who may reach the item, wherever it has that from."""
        return effective(self.nodes[id])

    def is_shared_alone(self, id: str) -> bool:
        """Whether the item has permissions of its own, not those of its folder."""
        traits = self.nodes[id].traits
        return traits is not None and traits.permissions is not None

    def label_of(self, id: str) -> AppliedLabel | None:
        return self.nodes[id].label

    def fields_of(self, id: str) -> dict[str, Any]:
        """The values of the item's columns, as they were set."""
        traits = self.nodes[id].traits
        return dict(traits.fields) if traits else {}

    # What can be done to it

    def make(
        self,
        parent: Node,
        name: str,
        kind: str,
        content: Content | None,
        by: Person,
        created_at: datetime | None = None,
        modified_at: datetime | None = None,
    ) -> Node:
        """A new item in that folder."""
        assert parent.children is not None, "only folders have anything in them"
        assert name.lower() not in parent.children, f"{name!r} is taken"
        created_at = created_at or self.tenant.clock.now()
        self._numbers += 1
        unique = self._chance.getrandbits(128).to_bytes(16, "big")
        node = Node(
            item_id(self._prefix, unique),
            self._numbers,
            parent,
            name,
            kind,
            content,
            (created_at, by),
            (modified_at or created_at, by),
        )
        parent.children[name.lower()] = node
        self.nodes[node.id] = node
        if self.quirks.loses_recreated and kind == FOLDER:
            self._lose(parent, name)
        if (label := inherited_label(parent)) is not None:
            node.special.label = label
        self.tell(node)
        return node

    def rewrite(self, node: Node, content: Content, by: Person, modified_at: datetime | None = None) -> None:
        """New content; what was there is an older version."""
        assert node.kind == FILE, "only files have content"
        assert node.content is not None
        node.special.versions.append(
            OldVersion(len(node.special.versions) + 1, node.content, node.modified_at, node.modified_by)
        )
        node.content = content
        node.content_revision += 1
        node.modified_at, node.modified_by = modified_at or self.tenant.clock.now(), by
        self.bump(node)

    def place(self, node: Node, parent: Node, name: str, by: Person) -> None:
        """The item lies in that folder under that name from now on."""
        assert node.parent is not None, "the root stays where it is"
        assert node is not parent and node not in parent.above(), "a folder cannot lie in itself"
        there = (parent.children or {}).get(name.lower())
        assert there in (None, node), f"{name!r} is taken"
        moved = parent is not node.parent
        assert node.parent.children is not None
        assert parent.children is not None
        del node.parent.children[node.name.lower()]
        parent.children[name.lower()] = node
        node.parent, node.name = parent, name
        node.modified_by = by
        if moved:
            self._after_move(node)
        self.bump(node)

    def take_out(self, node: Node, by: Person, *, permanently: bool = False) -> None:
        """Deletes the item, with what is in it; what a policy retains leaves a copy behind."""
        assert node.parent is not None, "the root cannot be deleted"
        assert node.parent.children is not None
        below = node.below()
        moment = self.tenant.clock.now()
        for each in (node, *below):
            each.gone = True
            del self.nodes[each.id]
            if each.content and (self.site.retention_policy or (each.label and each.label.retains)):
                self.site.preservation_hold.append(Preserved(each.id, each.name, each.content, moment))
        del node.parent.children[node.name.lower()]
        if not permanently:
            self.site.recycle_bin.put(Recycled(self.id, node, below, node.parent.path, moment, by))
        self.tell(node)
        if self.quirks.tells_children_of_deleted:
            for each in below:
                self.tell(each)

    def apply_label(self, node: Node, applied: AppliedLabel | None) -> None:
        """The label is on the item, and on all in it that has none set by hand."""
        node.special.label = applied
        self.bump(node)
        for each in node.below():
            if each.label is None or not each.label.explicit:
                each.special.label = applied and applied.handed_down()
                self.bump(each)

    def bump(self, node: Node) -> None:
        """Something about the item changed."""
        node.revision += 1
        self.tell(node)

    def _after_move(self, node: Node) -> None:
        traits = node.traits
        if self.quirks.moves_drop_sharing and traits and traits.permissions is not None:
            traits.permissions = None
        if self.quirks.moves_drop_labels and traits:
            traits.label = None
        assert node.parent is not None
        handed_down = inherited_label(node.parent)
        if handed_down is not None and (node.label is None or not node.label.explicit):
            node.special.label = handed_down

    def _lose(self, parent: Node, name: str) -> None:
        for each in self.site.recycle_bin.items():
            if each.drive_id == self.id and each.node.parent is parent and each.name.lower() == name.lower():
                each.node.special.lost = True

    def tell(self, node: Node) -> None:
        """The item changed, or is gone."""
        self.log.tell(node, self.tenant.clock.time())

    def _unique(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128)))


def _drive_id(site: Site, list_id: str) -> str:
    parts = b"".join(uuid.UUID(each).bytes_le for each in (site.collection_id, site.web_id, list_id))
    return "b!" + base64.urlsafe_b64encode(parts).decode()

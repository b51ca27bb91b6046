"""An emulated mailbox with the connector to it, as the contracts want to see a source.

Messages have no names of their own: the connector makes them from the date and the id. So where a contract names what
it puts, this remembers which message that was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from connectors.base import (
    Capabilities,
    Change,
    FolderSkipped,
    Found,
    Gone,
    Item,
    ItemRef,
    Known,
    KnownItem,
    Met,
    Page,
    Scope,
    Skipped,
    SkipReason,
)
from connectors.content import OpenContent
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.mailboxes import MailboxConnector, WantedMailboxes
from tests.connectors.microsoft365.asking import asking, gate_of
from tests.emulator import Emulator
from tests.emulator.mail import Mailbox

READER = frozenset({"Mail.Read"})
WRITER = frozenset({"Mail.ReadWrite"})
ADDRESS = "ann@contoso.example"


DELETED = FolderSkipped(b"Deleted Items", SkipReason.LEFT_OUT)


class Named:
    """A connector whose messages have the names that a test gave them. It says nothing of Deleted Items, which are in
    every mailbox and of which the contracts know nothing."""

    def __init__(self, connector: MailboxConnector, names: dict[str, bytes]) -> None:
        self._connector = connector
        self._names = names
        self.real: dict[bytes, bytes] = {}
        self.look = connector.look
        self.label = connector.label
        self.delete = connector.delete
        self.close = connector.close
        self.scopes = connector.scopes

    @property
    def capabilities(self) -> Capabilities:
        return self._connector.capabilities

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        for page in self._connector.changes(scope, _Known(known, self.real), after):
            yield replace(page, changes=tuple(self._named(change) for change in page.changes if change != DELETED))

    def open(self, scope: Scope, item: Item) -> OpenContent:
        return self._connector.open(scope, item)

    def _named(self, change: Change) -> Change:
        match change:
            case Found(item) | Skipped(item, _):
                self.real[item.file_id] = item.ref.name
                return replace(change, item=replace(item, ref=self._ref(item.ref, item.file_id)))
            case Met(ref, file_id, _) | Gone(ref, file_id):
                return replace(change, ref=self._ref(ref, file_id))
            case _:
                return change

    def _ref(self, ref: ItemRef, file_id: bytes) -> ItemRef:
        return ItemRef(ref.folder, self._names.get(file_id.decode(), ref.name))


class _Known:
    def __init__(self, known: Known, real: dict[bytes, bytes]) -> None:
        self._known = known
        self._real = real
        self.versions = known.versions
        self.folders = known.folders
        self.folder_of = known.folder_of
        self.outdated = known.outdated
        self.generation = known.generation

    def item_of(self, file_id: bytes) -> KnownItem | None:
        found = self._known.item_of(file_id)
        if found is None:
            return None
        return replace(found, ref=ItemRef(found.ref.folder, self._real.get(file_id, found.ref.name)))


class MailboxSource:
    """Ann's mailbox. `put` delivers a message, or edits the one it delivered there."""

    def __init__(self, emulator: Emulator, graph: Graph, **terms: Any) -> None:
        self.emulator = emulator
        self.graph = graph
        self.mailbox: Mailbox = emulator.tenant.add_user(ADDRESS, drive=False).mailbox
        self.names: dict[str, bytes] = {}
        wanted = terms.pop("wanted", WantedMailboxes((ADDRESS,)))
        self.plain = MailboxConnector(graph, wanted, **{"now": emulator.clock.now, **terms})
        self.connector = Named(self.plain, self.names)

    def put(self, path: bytes, content: bytes) -> None:
        folder, _, name = path.decode().rpartition("/")
        id = self.id_of(path)
        if id is not None:
            self.mailbox.edit(id, content)
        else:
            self.names[self.mailbox.deliver(folder, content)] = name.encode()

    def move(self, path: bytes, to: bytes) -> None:
        folder, _, name = to.decode().rpartition("/")
        id = self.id_of(path)
        if id is None:
            self.mailbox.move_folder(path.decode(), to.decode())
        else:
            self.names[id] = name.encode()
            self.mailbox.move(id, folder)

    def remove(self, path: bytes) -> None:
        id = self.id_of(path)
        if id is None:
            self.mailbox.remove_folder(path.decode())
        else:
            self.mailbox.remove(id)

    def id_of(self, path: bytes) -> str | None:
        """The message that was put at that path."""
        folder, _, name = path.decode().rpartition("/")
        return next(
            (id for at, id in self.mailbox.messages() if at == folder and self.names.get(id) == name.encode()), None
        )

    @cached_property
    def scope(self) -> Scope:
        """The mailbox, which is asked for once."""
        (scope,) = self.scopes()
        return scope

    def scopes(self) -> Sequence[Scope]:
        return self.plain.scopes()


@contextmanager
def mailbox_source(roles: frozenset[str] = READER, *, check: bool = True, **terms: Any) -> Iterator[MailboxSource]:
    """A mailbox of an emulator of its own."""
    with Emulator(check=check) as emulator:
        gate = gate_of(emulator, most_at_once=4)
        with asking(emulator, roles, gate=gate) as graph:
            yield MailboxSource(emulator, graph, **terms)
        assert_immutable(emulator)


def assert_immutable(emulator: Emulator) -> None:
    """Every call about a mailbox asked for ids that last."""
    without = [
        f"{call.method} {call.path}"
        for call in emulator.log
        if call.host == "graph"
        and ("/messages" in call.path or "/mailFolders" in call.path)
        and 'IdType="ImmutableId"' not in call.headers.get("Prefer", "")
    ]
    assert without == []

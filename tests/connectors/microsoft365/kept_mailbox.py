"""An emulated mailbox as the contract of keepings wants to see a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.base import ItemRef
from connectors.errors import ConnectorError, HeldAtSource
from connectors.keeping import Kept, Target
from connectors.microsoft365 import mail_facts as facts
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.mail_folders import Mailbox
from connectors.microsoft365.mail_keeping import MailKeeping
from connectors.testing_kept import ID
from tests.connectors.microsoft365.asking import asking, gate_of
from tests.connectors.microsoft365.mailbox_source import ADDRESS, WRITER, MailboxSource, assert_immutable
from tests.emulator import Call, Emulator
from tests.emulator.http import Problem
from tests.emulator.mail_model import Message

TEXT = b"From: Ann <ann@contoso.example>\r\nSubject: Agreed\r\n\r\nwhat was agreed\r\n"
MORE = TEXT + b"and more\r\n"
PATH = b"HR/contract"
ON_HOLD = Problem(403, "ErrorAccessDenied", "The item is on hold and cannot be moved or deleted.")


class KeptMailbox(MailboxSource):
    """Ann's mailbox, with a keeping beside the connector. `terms` are the keeping's."""

    def __init__(self, emulator: Emulator, graph: Graph, **terms: Any) -> None:
        super().__init__(emulator, graph)
        self.connector = self.plain  # type: ignore[assignment]
        self._terms = {"now": emulator.clock.time, **terms}
        self.keeping = self.restart()

    def restart(self, **terms: Any) -> MailKeeping:
        return MailKeeping(self.graph, **self._terms, **terms)

    def item(self, path: bytes) -> Target:
        id = self.id_of(path)
        assert id is not None, f"nothing was put at {path!r}"
        return self.target(id)

    def target(self, id: str) -> Target:
        """The message as a scan would have recorded it just now."""
        described = Mailbox(self.graph, ADDRESS).message(id)
        folder_id = facts.folder_of(described)
        folder = (self.mailbox.path_of(folder_id) or "").encode()
        item = facts.item_of(described, folder, "", ADDRESS, 1)
        return Target(item.file_id, item.ref, folder_id.encode(), item.version)

    def reach(self, file_id: bytes) -> ItemRef | None:
        visible = {id: folder for folder, id in self.mailbox.messages()}
        return self.target(file_id.decode()).ref if file_id.decode() in visible else None

    def content(self, file_id: bytes) -> bytes:
        return self.mailbox.content(file_id.decode())

    def change(self, file_id: bytes, content: bytes) -> None:
        self.mailbox.edit(file_id.decode(), content)

    def carry_off(self, file_id: bytes, path: bytes) -> None:
        folder, _, name = path.decode().rpartition("/")
        self.names[file_id.decode()] = name.encode()
        self.mailbox.move(file_id.decode(), folder)

    def protect(self, file_id: bytes, error: type[ConnectorError] | None) -> None:
        assert error in (None, HeldAtSource)
        self.mailbox.protect(file_id.decode(), None if error is None else ON_HOLD)


@contextmanager
def kept_mailbox(*, check: bool = True, **terms: Any) -> Iterator[KeptMailbox]:
    """A mailbox of an emulator of its own, and an application that may change it."""
    with Emulator(check=check) as emulator:
        gate = gate_of(emulator, most_at_once=4)
        with asking(emulator, WRITER, gate=gate, acting=True) as graph:
            yield KeptMailbox(emulator, graph, **terms)
        assert_immutable(emulator)


def keep(source: KeptMailbox, target: Target, id: str = ID) -> Kept:
    return source.keeping.keep(source.scope, target, id)


def message_of(source: KeptMailbox, target: Target) -> Message:
    message = source.mailbox.message(target.file_id.decode())
    assert message is not None
    return message


def is_in_place(source: KeptMailbox, target: Target, content: bytes = TEXT) -> bool:
    there = source.reach(target.file_id)
    if there is None or there.folder != target.ref.folder or source.content(target.file_id) != content:
        return False
    return [*source.restart().in_quarantine(source.scope)] == []


def is_kept(source: KeptMailbox, target: Target, content: bytes = TEXT) -> bool:
    in_quarantine = [*source.restart().in_quarantine(source.scope)]
    away = source.reach(target.file_id) is None and source.content(target.file_id) == content
    return away and in_quarantine == [(ID, target.file_id)]


def acts(source: KeptMailbox) -> list[Call]:
    """What we have sent that changes a message."""
    return [call for call in source.emulator.log if call.method != "GET" and "/messages/" in call.path]

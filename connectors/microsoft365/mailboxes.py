"""The connector to mailboxes of a tenant, in Exchange Online."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.base import Capabilities, Item, ItemRef, Known, Page, Receipt, Scope
from connectors.content import OpenContent
from connectors.errors import (
    ConnectorError,
    ItemChanged,
    ItemNotFound,
    NoRoom,
    PermissionDenied,
    SourceFault,
    Sparse,
    Unsupported,
)
from connectors.microsoft365.answers import Resync
from connectors.microsoft365.content import Spool, SpooledContent
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.mail_cursor import MailCursor
from connectors.microsoft365.mail_delta import Run, again, begin
from connectors.microsoft365.mail_facts import MailVersion, folder_of, size_of, version_of
from connectors.microsoft365.mail_folders import DELETED_ITEMS, HEADERS, ROOT, Layout, Mailbox
from connectors.microsoft365.sites import Unreachable
from connectors.microsoft365.unavailable import made_unavailable

_USER = "$select=id,userPrincipalName"
_MOST_RESYNCS = 3
_TRIES = 3
_STORED_IN = ("cloud",)
_NONE = "there is no mailbox, or none that programs reach: it has no licence, or lies on a server of the house's own"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class WantedMailboxes:
    """Whose mailboxes are read: everybody's (`"all"`), or those of these people, by address (that with which they sign
    in) or id. For everybody's the directory has to be read."""

    users: str | tuple[str, ...] = ()


class MailboxConnector:
    """Reads the mailboxes that are wanted; each is a scope, whose items are messages in their MIME form.

    What people have deleted is left out. `per_page` messages are listed at once. At most `spool_bytes` of content lie
    in memory at any moment, more goes to files without names in `spool_directory`; messages beyond `largest_bytes` are
    refused. After `full_every_days` a mailbox is enumerated anew. `spend` is told of downloaded bytes and may wait.
    `close` closes `graph`, whose gate must let at most four requests through at once.
    """

    def __init__(
        self,
        graph: Graph,
        wanted: WantedMailboxes,
        *,
        spool_bytes: int = 64 << 20,
        spool_directory: Path | None = None,
        largest_bytes: int = 4 << 30,
        full_every_days: float = 7,
        per_page: int = 200,
        now: Callable[[], datetime] = _utc_now,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._graph = graph
        self._wanted = wanted
        self._spool = Spool(spool_bytes, spool_directory)
        self._largest_bytes = largest_bytes
        self._full_every = timedelta(days=full_every_days)
        self._per_page = per_page
        self._now = now
        self._spend = spend
        self._layouts: dict[str, Layout] = {}
        self.unreachable: tuple[Unreachable, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(keeps_access_time=True, file_ids=True, marks=True, looks=False, continues=True, copies=True)

    def scopes(self) -> Sequence[Scope]:
        """The mailboxes. Whoever was named and has none that we reach is in `unreachable` afterwards, with the reason.

        Where everybody's is wanted, whoever has none is no news.
        """
        unreachable: list[Unreachable] = []
        found: list[Scope] = []
        with made_unavailable():
            for name in self._names():
                try:
                    root = Mailbox(self._graph, name).folder(ROOT)
                except ItemNotFound:
                    unreachable.append(Unreachable(name, _NONE))
                except PermissionDenied as error:
                    unreachable.append(Unreachable(name, f"we are not allowed to read this mailbox ({error})"))
                else:
                    found.append(Scope(name, root.id, name, _STORED_IN))
        self.unreachable = () if self._wanted.users == "all" else tuple(unreachable)
        return tuple(found)

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        with made_unavailable():
            mailbox, root_id = Mailbox(self._graph, scope.name), scope.identity
            mailbox.check_root(root_id)
            layout = self._layout(mailbox, root_id)
            cursor = self._usable(after, root_id) or begin(root_id, known.generation() + 1, self._now())
            for _ in range(_MOST_RESYNCS + 1):
                run = Run(mailbox, layout, known, cursor, scope.name, self._per_page)
                try:
                    yield from run.pages()
                    return
                except Resync:
                    newest = max(run.cursor.generation, known.generation())
                    cursor = begin(root_id, newest + 1, self._now())
            raise SourceFault("the source keeps forgetting where we were")

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        raise Unsupported("this source tells by itself what changed")

    def open(self, scope: Scope, item: Item) -> OpenContent:
        mailbox = Mailbox(self._graph, scope.name)
        version = MailVersion.decode(item.version)
        if version is None:
            raise ItemChanged("the message has moved on")
        described = _unchanged(mailbox, version)
        if version_of(described).folder != version.folder:
            _check_not_deleted(mailbox, folder_of(described), scope.identity)
        if size_of(described) > self._largest_bytes:
            raise Sparse("the message is larger than we take")
        content = SpooledContent(self._spool, lambda _: is_current(mailbox, version))
        try:
            self._fetch(mailbox, version.message_id, content)
        except OSError as error:
            content.close()
            reason = os.strerror(error.errno or 0)
            raise NoRoom(f"the content cannot be kept here while it is read ({reason})") from None
        except BaseException:
            content.close()
            raise
        return content

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        raise Unsupported("messages bear no retention labels that programs may set")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        raise Unsupported("this connector only reads")

    def close(self) -> None:
        self._graph.close()

    # Parts of the above

    def _names(self) -> Iterator[str]:
        """Whose mailboxes are wanted, by address where that can be told."""
        if self._wanted.users == "all":
            for user in self._graph.all(f"/users?{_USER}&$top=999"):
                if address := _address(user):
                    yield address
            return
        for name in dict.fromkeys(self._wanted.users):
            if "@" in name:
                yield name
                continue
            try:
                yield _address(self._graph.get(f"/users/{quoted(name)}?{_USER}")) or name
            except (ItemNotFound, PermissionDenied):
                yield name  # the mailbox itself will say what there is to say

    def _layout(self, mailbox: Mailbox, root_id: str) -> Layout:
        """Folders with well-known names keep their ids; whether there is a quarantine is asked each time."""
        if root_id not in self._layouts:
            self._layouts[root_id] = Layout.of(mailbox, root_id)
        return replace(self._layouts[root_id], quarantine=mailbox.quarantine())

    def _usable(self, after: bytes | None, root_id: str) -> MailCursor | None:
        """Where to go on: none if the cursor is no one of this mailbox, or a new enumeration is due."""
        cursor = MailCursor.decode(after) if after is not None else None
        if cursor is None or cursor.root_id != root_id:
            return None
        if not cursor.enumerates and self._now() - cursor.began >= self._full_every:
            return None
        return again(cursor) if cursor.stage == "end" else cursor

    def _fetch(self, mailbox: Mailbox, message_id: str, content: SpooledContent) -> None:
        """Writes the whole message. It comes in one piece or not at all: one that breaks off is asked for anew."""
        attempt = 1
        while True:
            os.ftruncate(content.fileno(), 0)
            os.lseek(content.fileno(), 0, os.SEEK_SET)
            try:
                self._stream(mailbox, message_id, content)
                break
            except SourceFault:
                if attempt == _TRIES:
                    raise
            self._graph.pause(attempt)
            attempt += 1
        os.lseek(content.fileno(), 0, os.SEEK_SET)

    def _stream(self, mailbox: Mailbox, message_id: str, content: SpooledContent) -> None:
        length = 0
        with self._graph.bytes_of(f"{mailbox.path}/messages/{quoted(message_id)}/$value", headers=HEADERS) as pieces:
            for piece in pieces:
                length += len(piece)
                if length > self._largest_bytes:
                    raise Sparse("the message is larger than we take")
                self._spend(len(piece))
                content.make_room(len(piece))
                left = memoryview(piece)
                while left:
                    left = left[os.write(content.fileno(), left) :]


def is_current(mailbox: Mailbox, version: MailVersion) -> bool:
    """Whether the message still has that content. If the source does not say so, what was read must not count."""
    with suppress(ConnectorError):
        return bool(_unchanged(mailbox, version))
    return False


def _unchanged(mailbox: Mailbox, version: MailVersion) -> Mapping[str, Any]:
    """What is said of the message if it still has the content that it has at that version.

    People read their mail and move it while we do: that it has another change key does not matter here.
    """
    described = mailbox.message(version.message_id)
    if not version_of(described).same_content(version):
        raise ItemChanged("the message has moved on")
    return described


def _check_not_deleted(mailbox: Mailbox, folder_id: str, root_id: str) -> None:
    """Raises `ItemNotFound` if the folder is among what people have deleted, or out of their sight."""
    deleted = mailbox.well_known(DELETED_ITEMS)
    tops = (root_id,) if deleted is None else (root_id, deleted.id)
    if mailbox.climb(folder_id, *tops)[0] != root_id:
        raise ItemNotFound("the message has been deleted")


def _address(user: Mapping[str, Any]) -> str:
    address = user.get("userPrincipalName")
    return address if isinstance(address, str) else ""

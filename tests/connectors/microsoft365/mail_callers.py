"""A caller that remembers what it is told of a mailbox, and how the mailbox really is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.base import Change, FolderFound, FolderSkipped, Found, Item, KnowsNothing, Met, Page, Swept
from connectors.testing import Remembered
from tests.connectors.microsoft365.mailbox_source import MailboxSource, mailbox_source

MAIL = b"From: Ann <ann@contoso.example>\r\nTo: bob@contoso.example\r\nSubject: Sick leave\r\n\r\nI am ill.\r\n"


class Caller(Remembered):
    """Stores what it is told, and reads what it is told to read."""

    def __init__(self, source: MailboxSource) -> None:
        super().__init__()
        self.source = source
        self.read: dict[str, bytes] = {}
        self.reads: list[str] = []
        self.cursor: bytes | None = None
        self.told: list[Change] = []

    def run(self, after: bytes | None = None) -> list[Page]:
        """A whole run behind the last cursor; what was told is in `told` until the next one."""
        pages = []
        self.told = []
        for page in self.source.plain.changes(self.source.scope, self, after or self.cursor):
            self.take(page)
            pages.append(page)
        return pages

    def take(self, page: Page) -> None:
        self.store([page])
        self.cursor = page.cursor
        self.told.extend(page.changes)
        for change in page.changes:
            if isinstance(change, Found):
                id = change.item.file_id.decode()
                if change.same_content:
                    assert id in self.read, "told to be the same, and was never read"
                else:
                    self.read[id] = self.source.mailbox.content(id)
                    self.reads.append(id)

    def differences(self) -> list[Change]:
        known = (Met, FolderFound, Swept, FolderSkipped)
        return [change for change in self.told if not isinstance(change, known)]

    @property
    def places(self) -> dict[str, str]:
        """The folder of every message that is known to be there."""
        return {file_id.decode(): ref.folder.decode() for file_id, (ref, _) in self._ids.items()}


def true_places(source: MailboxSource) -> dict[str, str]:
    """Where messages lie that a scan should know."""
    return {
        id: folder
        for folder, id in source.mailbox.messages()
        if folder != "Deleted Items" and not folder.startswith("Deleted Items/")
    }


def ids_in(source: MailboxSource, folder: str) -> list[str]:
    return [id for at, id in source.mailbox.messages() if at == folder]


def item_of(source: MailboxSource, id: str) -> Item:
    pages = source.plain.changes(source.scope, KnowsNothing())
    found = [change.item for page in pages for change in page.changes if isinstance(change, Found)]
    return next(item for item in found if item.file_id == id.encode())


@contextmanager
def filled_mailbox() -> Iterator[MailboxSource]:
    """A mailbox with a few folders and messages, of which two come at once."""
    with mailbox_source(per_page=2) as made:
        for folder in ("Inbox", "Inbox", "Inbox", "Inbox/Projects", "Archive", "HR/Leavers", "HR/Leavers"):
            made.mailbox.deliver(folder, MAIL)
        yield made


def caller_of(source: MailboxSource) -> Caller:
    """One that knows all that is there."""
    made = Caller(source)
    made.run()
    assert made.places == true_places(source)
    return made

"""What an emulated mailbox is made of, and how it may behave."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from tests.emulator.http import Problem
from tests.emulator.mail_parts import Attachment, Parsed, parse

ROOT = "msgfolderroot"
DUMPSTER = ("recoverableitemsdeletions", "recoverableitemsversions", "recoverableitemspurges")
DISCOVERY_HOLDS = "recoverableitemsdiscoveryholds"
CREATED, ARRIVED, LEFT, CHANGED, READ = "created", "arrived", "left", "changed", "read"


@dataclass(slots=True)
class MailQuirks:
    """How the emulated mailbox behaves where the real one is known to differ, or not known at all."""

    page_size: int = 10  # messages or folders in a page, where the caller prefers no number
    largest_page: int = 500
    token_days: float = 30.0  # how long a link to changes is taken, by the emulator's clock
    tells_hidden_folders: bool = True  # hidden folders are among the changes of folders
    loses_arrivals: bool = False  # with immutable ids, a message that is moved is told where it left and nowhere else
    tells_flags_in_part: bool = True  # of a message that was only read, id, isRead and parentFolderId are told
    expands: bool = True  # $expand is taken where changes are asked for
    conditions: bool = True  # If-Match is honoured where it is documented
    conditions_on_moves: bool = False  # and where it is not
    extra_bytes: int = 0  # by how much a mailbox counts a message larger than its MIME is
    moves_modify: bool = True  # moving sets lastModifiedDateTime
    dumpster_is_visible: bool = True  # what was deleted can still be had by its id
    deletes_into: str = "recoverableitemsdeletions"  # or deleteditems
    single_item_recovery: bool = True  # what is purged stays for so many days
    recoverable_days: float = 14.0


@dataclass(slots=True)
class Folder:
    """A mail folder. `known_as` is its well-known name, or empty."""

    id: str
    name: str
    parent_id: str
    known_as: str = ""
    hidden: bool = False


@dataclass
class Message:
    """A message. `number` is its place in the mailbox; `default_id` the id that changes."""

    id: str
    default_id: str
    folder_id: str
    raw: bytes
    created_at: datetime
    received_at: datetime
    sent_at: datetime
    modified_at: datetime
    change_key: str = ""
    is_draft: bool = False
    is_read: bool = False
    categories: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)  # extended properties by id
    references: list[Attachment] = field(default_factory=list)  # links to files elsewhere
    protection: Problem | None = None  # what acts on it are answered with
    deleted_at: datetime | None = None

    @cached_property
    def parsed(self) -> Parsed:
        return parse(self.raw, self.id, self.references)

    def parse_anew(self) -> None:
        self.__dict__.pop("parsed", None)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a message while it lay in a folder."""

    what: str
    message_id: str
    folder_id: str

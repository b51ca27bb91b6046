"""What the service says of a message, read as facts. Subjects, addresses and text are not even asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Self
from urllib.parse import quote

from connectors.base import Item, ItemRef
from connectors.errors import SourceFault

Described = Mapping[str, Any]  # a message as the service describes it

_FORM = "m1"  # of a message, first form
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZE, _SENSITIVITY = 0x0E08, 0x0036  # MAPI's PidTagMessageSize and PidTagSensitivity
_SENSITIVE = {"1": "personal", "2": "private", "3": "confidential"}
_SHOWN = 12  # of the characters of an id: enough to tell the messages of one minute apart

# `isRead` is asked for because the service tells that a message was read, which gives it another change key, only to
# those who do.
SELECT = (
    "$select=id,changeKey,createdDateTime,lastModifiedDateTime,receivedDateTime,sentDateTime,hasAttachments,isDraft,"
    "isRead,parentFolderId"
)


def expand(*properties: str) -> str:
    """What asks for the extended properties of these ids."""
    wanted = quote(" or ".join(f"id eq '{id}'" for id in properties), safe="'")
    return f"$expand=singleValueExtendedProperties($filter={wanted})"


SIZE_AND_SENSITIVITY = (f"Long 0x{_SIZE:04X}", f"Integer 0x{_SENSITIVITY:04X}")
EXPAND = expand(*SIZE_AND_SENSITIVITY)


@dataclass(frozen=True, slots=True)
class MailVersion:
    """One state of one message.

    `change_key` changes with everything, being read among it; `modified` with whatever anybody does to the message but
    read it; `body` if its size, its date or its having attachments changes; `folder` stands for the folder it lies in.
    """

    message_id: str
    change_key: str = field(repr=False)
    modified: str
    body: str
    folder: str

    def encode(self) -> bytes:
        """The bytes that stand for this version outside this package: equal for equal versions."""
        parts = [_FORM, self.message_id, self.change_key, self.modified, self.body, self.folder]
        return json.dumps(parts, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, recorded: bytes) -> Self | None:
        """The version that `encode` gave these bytes for; none if they are anything else."""
        try:
            parts = json.loads(recorded)
        except (ValueError, RecursionError):
            return None
        if not (isinstance(parts, list) and len(parts) == 6 and all(isinstance(part, str) for part in parts)):
            return None
        return cls(*parts[1:]) if parts[0] == _FORM else None

    def same_content(self, other: MailVersion) -> bool:
        """Whether both are versions of one message with the same content.

        A message that was only read is not modified. That one is moved is told as a modification too: then the same
        size, which here is that of all its properties together, has to do. Whatever else modifies a message (a
        category, a flag, somebody who edits it) may have changed its content.
        """
        if self.message_id != other.message_id or (self.body and other.body and self.body != other.body):
            return False
        moved = self.folder != other.folder and self.body != "" and other.body != ""
        return self.modified == other.modified or moved

    def is_at(self, other: MailVersion) -> bool:
        """Whether both are the very same version, though one of them may have been told without its size."""
        return self.change_key == other.change_key and self.folder == other.folder and self.same_content(other)


def id_of(described: Described) -> str:
    """The message's id. Raises `SourceFault` where there is none."""
    found = described.get("id")
    if not isinstance(found, str) or not found:
        raise SourceFault("the service described a message without its id")
    return found


def folder_of(described: Described) -> str:
    """The id of the folder in which the message lies, `""` if that is not said."""
    return _text(described.get("parentFolderId"))


def is_removed(described: Described) -> bool:
    """Whether it has left the folder of which changes are told: it may lie in another one, or in the same one again."""
    return "@removed" in described


def is_whole(described: Described) -> bool:
    """Whether all that was asked for is there. Of a message that was only read a part is told."""
    wanted = ("changeKey", "lastModifiedDateTime", "parentFolderId")
    return all(isinstance(described.get(name), str) for name in wanted)


def version_of(described: Described) -> MailVersion:
    """The version of the message. Raises `SourceFault` where it cannot be told."""
    if not is_whole(described):
        raise SourceFault("the service described a message without its change key, its date or its folder")
    size = _property(described, _SIZE)
    is_draft = described.get("isDraft") is True
    body = "" if size == "" or is_draft else f"{size}/{_text(described.get('sentDateTime'))}/{_has(described)}"
    folder = sha256(folder_of(described).encode()).hexdigest()[:16]
    modified = _text(described.get("lastModifiedDateTime"))
    return MailVersion(id_of(described), _text(described.get("changeKey")), modified, body, folder)


def etag_of(described: Described) -> str:
    """What `If-Match` takes."""
    return _text(described.get("@odata.etag")) or f'W/"{_text(described.get("changeKey"))}"'


def size_of(described: Described) -> int:
    """In bytes, as the mailbox counts it: its MIME form may have more or fewer. 0 where it is not told."""
    size = _property(described, _SIZE)
    return int(size) if size.isdecimal() and len(size) < 16 else 0


def property_of(described: Described, name: str) -> str:
    """The value of the extended property of that id, `""` if the message has none."""
    found = described.get("singleValueExtendedProperties")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping) and _text(one.get("id")).lower() == name.lower():
            return _text(one.get("value"))
    return ""


def name_of(described: Described) -> bytes:
    """When it came and a part of its id: nothing that anybody wrote. As the name of a file, it says what it is."""
    came = _came(described)
    short = id_of(described)[-_SHOWN:].replace("/", "-")
    return f"{came:%Y-%m-%d %H%M} {short}.eml".encode("utf-8", "surrogatepass")


def name_of_gone(message_id: str) -> bytes:
    """What stands for the name of a message of which nothing is known any more."""
    return f"{message_id[-_SHOWN:].replace('/', '-')}.eml".encode("utf-8", "surrogatepass")


def item_of(described: Described, folder: bytes, kind: str, owner: str, generation: int) -> Item:
    """The message as a caller hears of it. `kind` is the well-known name of the folder it is in or below, or empty.

    It was created when it was received or, in Sent Items, when it was sent; and modified then too, since what changes
    later is where it lies and how it is flagged: except for a draft, which is modified whenever it is written on. The
    owner is whose mailbox it is.
    """
    is_draft = described.get("isDraft") is True
    created = (_moment(described.get("sentDateTime")) if kind == "sentitems" else None) or _came(described)
    modified = _moment(described.get("lastModifiedDateTime")) if is_draft else None
    marks = {
        "mail_folder": kind,
        "has_attachments": "yes" if described.get("hasAttachments") is True else "no",
        "sensitivity": _SENSITIVE.get(_property(described, _SENSITIVITY), ""),
        "draft": "yes" if is_draft else "",
    }
    return Item(
        ItemRef(folder, name_of(described)),
        version_of(described).encode(),
        size_of(described),
        modified or created,
        created,
        owner=owner,
        file_id=id_of(described).encode(),
        marks={name: value for name, value in marks.items() if value},
        generation=generation,
    )


def _came(described: Described) -> datetime:
    return _moment(described.get("receivedDateTime")) or _moment(described.get("createdDateTime")) or _EPOCH


def _has(described: Described) -> str:
    return "attachments" if described.get("hasAttachments") is True else ""


def _property(described: Described, tag: int) -> str:
    """The value of a MAPI property, by its number: the service writes `Long 0xe08` for `Long 0x0E08`."""
    found = described.get("singleValueExtendedProperties")
    for one in found if isinstance(found, list) else ():
        number = _text(one.get("id")).lower().rpartition(" 0x")[2] if isinstance(one, Mapping) else ""
        if number and number.lstrip("0") == f"{tag:x}":
            return _text(one.get("value"))
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """A point in time in UTC; none for what is no date, or none of a message."""
    try:
        moment = datetime.fromisoformat(_text(value))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1 else None

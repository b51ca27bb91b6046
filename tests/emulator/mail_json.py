"""Folders and messages of an emulated mailbox as Graph words them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.emulator.http import Request
from tests.emulator.mail import Mailbox
from tests.emulator.mail_model import Folder, Message

_ALWAYS = ("id", "@odata.type", "@odata.etag", "@removed", "singleValueExtendedProperties")
_PROPERTY = re.compile(r"id eq '([^']+)'")
_SIZE = ("long 0x0e08", "long 0xe08", "integer 0x0e08", "integer 0xe08")


def prefers_immutable_ids(request: Request) -> bool:
    return 'IdType="ImmutableId"' in request.prefer


def selected(entity: dict[str, Any], select: Iterable[str] | None) -> dict[str, Any]:
    """What `$select` leaves; none leaves all."""
    return entity if select is None else {name: value for name, value in entity.items() if name in {*select, *_ALWAYS}}


def folder_json(mailbox: Mailbox, folder: Folder) -> dict[str, Any]:
    messages = mailbox.messages_in(folder.id)
    return {
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent_id or folder.id,
        "childFolderCount": len(mailbox.children(folder.id)),
        "totalItemCount": len(messages),
        "unreadItemCount": sum(not message.is_read for message in messages),
        "isHidden": folder.hidden,
    }


def message_json(
    mailbox: Mailbox, message: Message, immutable: bool, select: Iterable[str] | None, expand: str = ""
) -> dict[str, Any]:
    parsed = message.parsed
    entity: dict[str, Any] = {
        "@odata.type": "#microsoft.graph.message",
        "@odata.etag": f'W/"{message.change_key}"',
        "id": message.id if immutable else message.default_id,
        "changeKey": message.change_key,
        "createdDateTime": moment(message.created_at),
        "lastModifiedDateTime": moment(message.modified_at),
        "receivedDateTime": moment(message.received_at),
        "sentDateTime": moment(message.sent_at),
        "categories": message.categories,
        "hasAttachments": any(not one.is_inline for one in parsed.attachments),
        "internetMessageId": parsed.message_id,
        "subject": parsed.subject,
        "bodyPreview": parsed.preview,
        "body": {"contentType": "text", "content": parsed.preview},
        "importance": "normal",
        "parentFolderId": message.folder_id,
        "isRead": message.is_read,
        "isDraft": message.is_draft,
        "sender": parsed.sender[0] if parsed.sender else None,
        "from": parsed.sender[0] if parsed.sender else None,
        "toRecipients": parsed.to,
        "ccRecipients": parsed.copied,
        "flag": {"flagStatus": "notFlagged"},
    }
    if expand.startswith("singleValueExtendedProperties"):
        found = _properties(mailbox, message, expand)
        if found:
            entity["singleValueExtendedProperties"] = found
    return selected({name: value for name, value in entity.items() if value is not None}, select)


def _properties(mailbox: Mailbox, message: Message, expand: str) -> list[dict[str, str]]:
    """The extended properties that are asked for and there. The size is one that every message has."""
    found = []
    for id in _PROPERTY.findall(expand):
        if id.lower() in _SIZE:
            found.append({"id": id, "value": str(mailbox.size_of(message))})
        elif id in message.properties:
            found.append({"id": id, "value": message.properties[id]})
    return found


def moment(when: datetime) -> str:
    """To the second, as Exchange tells it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""What an emulated mailbox finds in the MIME of a message: who, when, about what, and what is attached."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a message. `kind` is fileAttachment, itemAttachment or referenceAttachment."""

    id: str
    kind: str
    name: str
    content_type: str
    content: bytes
    is_inline: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "@odata.type": f"#microsoft.graph.{self.kind}",
            "id": self.id,
            "name": self.name,
            "contentType": self.content_type or None,
            "size": len(self.content),
            "isInline": self.is_inline,
        }


@dataclass(frozen=True, slots=True)
class Parsed:
    """The facts of one message that are in its MIME."""

    message_id: str
    subject: str
    sender: list[dict[str, Any]]
    to: list[dict[str, Any]]
    copied: list[dict[str, Any]]
    preview: str
    attachments: tuple[Attachment, ...]


def parse(raw: bytes, id: str, references: Iterable[Attachment]) -> Parsed:
    """Reads anything; what is no mail has neither sender nor subject."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain", "html")) if mail.keys() else None
    attached = [_attachment(f"{id}ATT{number}", part) for number, part in enumerate(mail.iter_attachments())]
    return Parsed(
        str(mail.get("Message-ID", f"<{id}@contoso.example>")),
        str(mail.get("Subject", "")),
        _people(mail, "From"),
        _people(mail, "To"),
        _people(mail, "Cc"),
        "" if body is None else str(body.get_content())[:255],
        (*attached, *references),
    )


def _people(mail: EmailMessage, header: str) -> list[dict[str, Any]]:
    found = getaddresses([str(value) for value in mail.get_all(header, [])])
    return [{"emailAddress": {"name": name or address, "address": address}} for name, address in found]


def _attachment(id: str, part: Any) -> Attachment:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_content()
        return Attachment(id, "itemAttachment", str(inner.get("Subject", "")), "message/rfc822", inner.as_bytes())
    content = part.get_payload(decode=True) or b""
    inline = part.get_content_disposition() == "inline"
    return Attachment(id, "fileAttachment", part.get_filename() or "", part.get_content_type(), content, inline)

"""Messages (RFC 5322, MIME): header fields, texts, and whatever is attached."""

from __future__ import annotations

import email
import email.policy
import html
import io
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from agent.extraction.charset import decode
from agent.extraction.document import Damaged, Document
from agent.extraction.formats.html import write_markup
from agent.extraction.formats.nested import Nested
from agent.model.location import at, inside

_WHOLE_BYTES = 128 * 1024 * 1024
# Fields that machines write for machines: no person is in them who is not in another one.
_DULL = re.compile(
    r"(?:mime-version|content-transfer-encoding|content-type|dkim-signature|arc-.*|x-ms-.*|x-microsoft-.*|x-exchange-.*"
    r"|x-google-.*|x-gm-.*|authentication-results|received-spf|x-spam-.*|x-virus-.*|x-proofpoint-.*)",
    re.IGNORECASE,
)


def read(document: Document, nested: Nested) -> None:
    """Writes header fields and texts; attachments are read as the documents they are. `part` counts from 1."""
    document.stream.seek(0)
    try:
        message = email.message_from_bytes(document.stream.read(_WHOLE_BYTES), policy=email.policy.compat32)
    except RecursionError:
        raise Damaged("nested_too_deep") from None
    _write_headers(document, message, at(headers=1))
    number = 0
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.is_multipart():
            inner = [sub for sub in part.get_payload() if isinstance(sub, Message)]
            waiting.extend(reversed(inner))
            if part.get_content_type() == "message/rfc822":
                for sub in inner:
                    _write_headers(document, sub, at(part=number + 1))
            continue
        number += 1
        document.budget.enter(document.depth)
        _write_part(document, part, at(part=number), nested)
    if document.size > _WHOLE_BYTES:
        raise Damaged("too_large")


def _write_headers(document: Document, message: Message, location: str) -> None:
    place = inside(document.place, location)
    for name, value in message.items():
        if not _DULL.fullmatch(name):
            document.output.write(f"{name}: {_header(str(value))}\n", place)
    document.output.write("\n", place)


def _header(value: str) -> str:
    """The field as people see it (RFC 2047)."""
    unfolded = re.sub(r"\r?\n[ \t]+", " ", value)
    try:
        return str(make_header(decode_header(unfolded)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return unfolded


def _write_part(document: Document, part: Message, location: str, nested: Nested) -> None:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return
    document.budget.expand(len(content))
    name = _name(part)
    kind = part.get_content_type()
    if name:
        document.output.write(name + "\n", inside(document.place, location))
    if kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
        text = _text(part, content)
        if kind == "text/html":
            here = Document(
                io.BytesIO(), 0, b"", document.output, document.budget, document.depth, inside(document.place, location)
            )
            write_markup(here, text)
        else:
            document.output.write(html.unescape(text) + "\n", inside(document.place, location))
        return
    nested(document, io.BytesIO(content), len(content), name.encode("utf-8", "replace"), location)


def _name(part: Message) -> str:
    try:
        return _header(part.get_filename() or "")
    except (ValueError, LookupError, UnicodeError):
        return ""


def _text(part: Message, content: bytes) -> str:
    charset = part.get_content_charset()
    if charset:
        try:
            return content.decode(charset)
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(content)

"""Messages (RFC 5322, MIME): header fields, texts, and what is attached, each cleaned as the document it is."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from email import message_from_bytes
from email.message import Message

from agent.anonymisation import plain, webpage
from agent.anonymisation.base import CannotAnonymise
from agent.anonymisation.charset import Decoded, decode, sample
from agent.anonymisation.mail_fields import Fields, readable
from agent.anonymisation.work import Work

_ENVELOPE = re.compile(rb"From [^\r\n]*\r?\n")
_HEAD_END = re.compile(rb"(?:^|\r?\n)\r?\n")
_SECRET = re.compile(r"multipart/(?:signed|encrypted)|application/(?:x-)?(?:pkcs7|pgp)-.*|application/ms-tnef")
_SECRET_TEXT = re.compile(rb"^-----BEGIN (?:PGP|PKCS7)", re.MULTILINE)
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})


def edit(content: bytes, work: Work) -> bytes:
    """The message without what must go. Raises `CannotAnonymise`."""
    envelope = _ENVELOPE.match(content)
    try:
        return _entity(content[envelope.end() :] if envelope else content, work)
    except RecursionError:
        raise _damaged() from None


def _entity(content: bytes, work: Work) -> bytes:
    """A message, or a part of one: fields, an empty line, and a body."""
    line_end = b"\r\n" if b"\r\n" in content else b"\n"
    found = _HEAD_END.search(content)
    head = content if found is None else content[: found.start()] + line_end * bool(found.start())
    body = content[found.end() :] if found else b""
    fields = Fields(head, line_end)
    kind = fields.message.get_content_type()
    if _SECRET.fullmatch(kind) or _SECRET_TEXT.search(body):
        raise CannotAnonymise("The message is signed, encrypted, or packed by Outlook (winmail.dat). Save it without.")
    if _transfer_encoding(fields.message) not in _ENCODINGS:
        raise CannotAnonymise("A part of the message is written in an encoding that is not known. Take it out.")
    if kind.startswith("multipart/"):
        new_body = _parts(body, fields.message, work)
    elif kind == "message/rfc822":
        new_body = edit(body, work)
    else:
        new_body = _leaf(head, body, work, line_end)
    return fields.edit(work) + line_end + new_body


def _parts(body: bytes, message: Message, work: Work) -> bytes:
    """The parts between their boundaries, and what stands before and behind them."""
    boundary = message.get_boundary()
    if not boundary:
        raise _damaged()
    line = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary.encode("ascii", "replace")) + rb"(--)?[ \t]*(?=\r?\n|$)")
    pieces: list[bytes] = []
    position = 0
    inside = closed = False
    for found in line.finditer(body):
        if not closed:
            pieces += [_piece(body[position : found.start()], work, is_part=inside), found[0]]
            position = found.end()
            inside = True
            closed = found[1] is not None
    if not pieces:
        raise _damaged()
    pieces.append(_piece(body[position:], work, is_part=not closed))
    return b"".join(pieces)


def _piece(content: bytes, work: Work, *, is_part: bool) -> bytes:
    """A part behind the end of its boundary's line, or a text that is none."""
    if not is_part:
        return plain.edit_text(content.decode("latin-1"), work).encode("latin-1")
    line_end = re.match(rb"\r?\n", content)
    start = line_end.end() if line_end else 0
    return content[:start] + _entity(content[start:], work)


def _leaf(head: bytes, body: bytes, work: Work, line_end: bytes) -> bytes:
    """A body that is one document."""
    part = message_from_bytes(head + line_end + body)
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise _damaged()
    kind = part.get_content_type()
    if kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
        decoded = _decoded(content, part.get_content_charset(), work)
        edit_text = webpage.edit_markup if kind == "text/html" else plain.edit_text
        new = decoded.encode(edit_text(decoded.text, work))
    else:
        new = work.inner(content, readable(part.get_filename() or "")) if content else content
    return body if new == content else _encoded(new, body, part, line_end)


def _decoded(content: bytes, charset: str | None, work: Work) -> Decoded:
    """The text, in the charset that is told if it is one, else in what it looks like."""
    if charset:
        with contextlib.suppress(LookupError, UnicodeError):
            content.decode(charset)
            return decode(content, charset)
    return decode(content, work.encoding_of(sample(content)) or "cp1252")


def _encoded(content: bytes, before: bytes, part: Message, line_end: bytes) -> bytes:
    """The content in the encoding that the part says it has."""
    encoding = _transfer_encoding(part)
    if encoding == "base64":
        encoded = base64.encodebytes(content)
    elif encoding == "quoted-printable":
        lines = content.replace(b"\r\n", b"\n")
        is_text = b"\r" not in lines and lines.replace(b"\n", line_end) == content
        encoded = binascii.b2a_qp(lines if is_text else content, istext=is_text)
    else:
        return content
    ending = line_end if before.endswith(b"\n") else b""
    return encoded.removesuffix(b"\n").replace(b"\n", line_end) + ending


def _transfer_encoding(part: Message) -> str:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower()


def _damaged() -> CannotAnonymise:
    return CannotAnonymise("The message's parts are damaged. Open it in a mail program and save it anew.")

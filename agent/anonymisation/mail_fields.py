"""The header fields of a message or of a part of one.

What people read stays, without what must go. What servers wrote for servers goes as a whole: it names machines, and
the message itself to whoever keeps a copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime

from agent.anonymisation.base import CannotAnonymise
from agent.anonymisation.page import Page, Place
from agent.anonymisation.story import Story
from agent.anonymisation.work import Work

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)(?:\r?\n|$)", re.MULTILINE)
_ADDRESSES = frozenset({"from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to", "resent-cc"})
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+")  # of a house's own server, too
_TEXTS = frozenset(
    "subject comments keywords organization thread-topic content-description importance priority sensitivity".split()
)
_AS_THEY_ARE = frozenset({"mime-version", "content-transfer-encoding", "content-id", "content-language"})
_NAMED = {"content-type": "name", "content-disposition": "filename"}
_LINE_CHARACTERS = 76


@dataclass(frozen=True, slots=True)
class _Field:
    """A field whose value may change: its name as it is written, its bytes, and the page that its value is."""

    name: str
    raw: bytes
    page: Page


class Fields:
    """A block of header fields. Raises `CannotAnonymise` if something else stands in it."""

    def __init__(self, block: bytes, line_end: bytes) -> None:
        self.message: Message = message_from_bytes(block)
        self._line_end = line_end
        if _FIELD.sub(b"", block).strip():
            raise CannotAnonymise("The message's header is damaged. Open it in a mail program and save it anew.")
        self._fields = [(found[1].decode("ascii"), found[2], found[0]) for found in _FIELD.finditer(block)]

    def edit(self, work: Work) -> bytes:
        """The block without what must go."""
        kept = list(self._kept())
        story = Story()
        for field in kept:
            if isinstance(field, _Field):
                is_name = field.name.lower() in _ADDRESSES or field.name.lower() in _NAMED
                place = Place(field.page, 0, len(field.page.text), is_name=is_name)
                story.gap(f"{field.name}: ")
                if field.name.lower() in _ADDRESSES:
                    for address in _ADDRESS.findall(place.text):
                        work.known.learn("EMAIL_ADDRESS", address)
                    story.say(place, place.text)
                else:
                    story.add(place)
                story.gap("\n")
        work.settle([story])
        return b"".join(field if isinstance(field, bytes) else self._written(field, work) for field in kept)

    def _kept(self) -> Iterator[_Field | bytes]:
        """The fields that stay: those whose value may change, and those that are what they are."""
        for name, value, raw in self._fields:
            kind = name.lower()
            if kind in _AS_THEY_ARE:
                yield raw
            elif kind in _ADDRESSES or kind in _TEXTS:
                yield _Field(name, raw, Page(readable(_characters(value))))
            elif kind in _NAMED:
                named = self.message.get_param(_NAMED[kind], "", header=name)
                yield _Field(name, raw, Page(readable(_collapsed(named))))
            elif kind == "date" and (day := _day(_characters(value))):
                yield f"{name}: {day}".encode("ascii") + self._line_end

    def _written(self, field: _Field, work: Work) -> bytes:
        if not field.page.edited:
            return field.raw
        value = work.changed(field.page)
        if field.name.lower() in _NAMED:
            charset = "" if value.isascii() else "utf-8"
            self.message.set_param(_NAMED[field.name.lower()], value, header=field.name, charset=charset)
            text = f"{field.name}: {self.message[field.name]}"
        else:
            charset = "us-ascii" if value.isascii() else "utf-8"
            header = Header(value, charset, maxlinelen=_LINE_CHARACTERS, header_name=field.name)
            text = f"{field.name}: {header.encode()}"
        return re.sub(r"\r?\n", self._line_end.decode("ascii"), text).encode("ascii") + self._line_end


def readable(value: str) -> str:
    """A field's value as people see it (RFC 2047), on one line."""
    unfolded = re.sub(r"\r?\n[ \t]+", " ", value).strip()
    try:
        return str(make_header(decode_header(unfolded))).encode("utf-8", "replace").decode("utf-8")
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return unfolded


def _characters(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _collapsed(parameter: object) -> str:
    """A parameter as text; one in the form of RFC 2231 comes in three parts."""
    if isinstance(parameter, tuple):
        charset, _, value = parameter
        try:
            return str(value).encode("latin-1", "replace").decode(charset or "ascii", "replace")
        except LookupError:
            return str(value)
    return str(parameter)


def _day(value: str) -> str:
    """The day of a moment, at midnight: the second would tell which message this is."""
    try:
        moment = parsedate_to_datetime(value.strip())
    except (TypeError, ValueError):
        return ""
    return format_datetime(moment.replace(hour=0, minute=0, second=0, microsecond=0))

"""Mailboxes in one file (mbox, RFC 4155): message after message, each read as one."""

from __future__ import annotations

import io
import re

from agent.extraction.document import Document
from agent.extraction.formats.nested import Nested
from agent.model.location import at

_FROM_LINE = re.compile(rb"From \S+.*\d{4}")
_LONGEST_LINE = 1024 * 1024


def read(document: Document, nested: Nested) -> None:
    """Hands over one message at a time, so that memory is bounded by the largest; `message` counts from 1."""
    document.stream.seek(0)
    message = bytearray()
    number = 0
    after_blank = True
    while line := document.stream.readline(_LONGEST_LINE):
        if after_blank and _FROM_LINE.match(line):
            number = _hand_over(document, message, number, nested)
            message = bytearray()
        else:
            message += line[1:] if re.match(rb">+From ", line) else line
        after_blank = line in (b"\n", b"\r\n")
    _hand_over(document, message, number, nested)


def _hand_over(document: Document, message: bytearray, number: int, nested: Nested) -> int:
    if not message.strip():
        return number
    document.budget.expand(len(message))
    nested(document, io.BytesIO(message), len(message), b"message.eml", at(message=number + 1))
    return number + 1

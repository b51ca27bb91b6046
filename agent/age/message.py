"""Small age files that are held in memory as a whole, and their form as text."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from agent.age.base import Damaged
from agent.age.stream import Reader, Writer

_COLUMNS = 64
_BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----"
_END = "-----END AGE ENCRYPTED FILE-----"


def encrypt(plain: bytes, recipients: Sequence[str]) -> bytes:
    """An age file that each of the recipients (`age1…`) can open alone.

    Raises `UsageError` for a recipient that is not one.
    """
    target = io.BytesIO()
    writer = Writer(target, recipients)
    writer.write(plain)
    writer.finish()
    return target.getvalue()


def decrypt(sealed: bytes, identity: str) -> bytes:
    """What is in an age file, opened with one identity (`AGE-SECRET-KEY-1…`).

    Raises `UsageError` for an identity that is not one, `WrongKey` if the file was not made for it, `Damaged`.
    """
    return b"".join(Reader(io.BytesIO(sealed), identity))


def armour(sealed: bytes) -> str:
    """The age file as text that can be printed and typed in again."""
    text = base64.b64encode(sealed).decode()
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join((_BEGIN, *lines, _END, ""))


def unarmour(text: str) -> bytes:
    """The age file in such a text. Raises `Damaged`."""
    begin, *lines = text.strip().splitlines() or [""]
    body = "".join(line.strip() for line in lines[:-1])
    try:
        sealed = base64.b64decode(body, validate=True)
    except ValueError:
        raise Damaged from None
    if (begin, lines[-1:]) != (_BEGIN, [_END]) or base64.b64encode(sealed).decode() != body:
        raise Damaged
    return sealed

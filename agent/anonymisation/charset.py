"""The bytes of a text as characters and back, with nothing lost on the way."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from agent.anonymisation.base import CannotAnonymise

_SAMPLE_BYTES = 64 * 1024
_MARKED = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_ANY_STRAY = re.compile("[\udc80-\udcff]")
_STRAY = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the mark before it, and the encoding. Bytes that the encoding does not know are kept as surrogates."""

    text: str
    mark: bytes
    encoding: str

    def encode(self, text: str) -> bytes:
        """The bytes of this text after changes."""
        return self.mark + text.encode(self.encoding, _errors(self.encoding))


def decode(content: bytes, encoding: str | None) -> Decoded:
    """The text in `content`; a byte order mark is believed more than `encoding`. Raises `CannotAnonymise`."""
    mark = next((mark for mark in _MARKED if content.startswith(mark)), b"")
    encoding = _MARKED.get(mark, encoding)
    if encoding is not None:
        try:
            text = content[len(mark) :].decode(encoding, _errors(encoding))
            return Decoded(text, mark, encoding)
        except (LookupError, UnicodeError):
            pass
    raise CannotAnonymise("The text's bytes cannot be read in any encoding. Save it anew as UTF-8.")


def sample(content: bytes) -> bytes:
    """What is looked at to tell an encoding."""
    return content[:_SAMPLE_BYTES]


def as_read(text: str) -> str:
    """The text with stray bytes shown as Windows would, each still one character."""
    return text.translate(_STRAY) if _ANY_STRAY.search(text) else text


def _errors(encoding: str) -> str:
    return "surrogatepass" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"

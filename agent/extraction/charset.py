"""How the bytes of a text are to be read: by their mark, as UTF-8, by where zeros stand, else by an old code page."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

SAMPLE_BYTES = 64 * 1024
_BLOCK_BYTES = 256 * 1024
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b\b\x1a") + b"\x7f"
_BAD_SHARE = 0.02
# High bytes at or in the end of a word, but for those with which Windows writes quotation marks, dashes and spaces.
_WITHIN_WORDS = re.compile(rb"(?<=[A-Za-z])[\x80-\x84\x86-\x90\x98-\x9f\xa1-\xff](?![^ ,.;:!?\r\n)a-zA-Z])")
_EURO_OF_UNIX = re.compile(rb"\xa4 ?\d|\d ?\xa4")
_BEYOND_LATIN = re.compile(rb"[\x80-\x9f]")  # characters in Windows' code page, controls in Unix's
_FALLBACK = "retentiond.cp1252"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace"), error.end


codecs.register_error(_FALLBACK, _as_windows)


def encoding_of(sample: bytes) -> str | None:
    """The encoding of a text that begins with `sample`, or none if this is no text."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if b"\0" in sample:
        return _wide(sample) or _with_gaps(sample)
    return _narrow(sample)


def _with_gaps(sample: bytes) -> str | None:
    """A text in which zeros stand, as a crash or a damaged disk leaves them; most of it must still be text."""
    rest = sample.replace(b"\0", b"")
    return _narrow(rest) if len(rest) * 2 >= len(sample) else None


def _narrow(sample: bytes) -> str | None:
    if len(sample.translate(None, _CONTROLS)) < len(sample) * (1 - _BAD_SHARE):
        return None
    return "utf-8" if _is_utf8(sample) else _code_page(sample)


def _code_page(sample: bytes) -> str:
    """Windows' code page, unless that of DOS makes letters where a letter must be, or Unix's a euro of a sum."""
    within = _WITHIN_WORDS.findall(sample)
    as_dos = sum(char.decode("cp850").isalpha() for char in within)
    as_windows = sum(char.decode("cp1252", "replace").isalpha() for char in within)
    if as_dos > 2 * as_windows:
        return "cp850"
    if _EURO_OF_UNIX.search(sample) and not _BEYOND_LATIN.search(sample):
        return "iso-8859-15"
    return "cp1252"


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # a character may be cut off at the end
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: in Western text, one in two or three in four bytes are zero, always the same."""
    sample = sample[: len(sample) // 4 * 4]
    if len(sample) < 4:
        return None
    zeros = [sample[phase::4].count(0) / (len(sample) / 4) for phase in range(4)]
    for name, expected in (
        ("utf-32-le", (0, 1, 1, 1)),
        ("utf-32-be", (1, 1, 1, 0)),
        ("utf-16-le", (0, 1, 0, 1)),
        ("utf-16-be", (1, 0, 1, 0)),
    ):
        fits = all(share > 0.7 if zero else share < 0.1 for share, zero in zip(zeros, expected, strict=True))
        if fits and _decodes(sample, name):
            return name
    return None


def _decodes(sample: bytes, name: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return False
    odd = sum(not (char.isprintable() or char.isspace()) for char in text)
    return odd <= len(text) * _BAD_SHARE


def looks_like_text(head: bytes) -> bool:
    """Whether bytes that begin like this can be read as text."""
    return encoding_of(head) is not None


def decode(data: bytes) -> str:
    """The text in `data`; what cannot be read becomes U+FFFD."""
    encoding = encoding_of(data[:SAMPLE_BYTES]) or "cp1252"
    return data.decode(encoding, _FALLBACK if encoding.startswith("utf-8") else "replace")


def text_blocks(stream: BinaryIO) -> Iterator[str]:
    """The text of the stream from its start, block by block; memory does not grow with its length."""
    stream.seek(0)
    block = stream.read(_BLOCK_BYTES)
    encoding = encoding_of(block[:SAMPLE_BYTES]) or "cp1252"
    errors = _FALLBACK if encoding.startswith("utf-8") else "replace"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    while block:
        yield decoder.decode(block)
        block = stream.read(_BLOCK_BYTES)
    yield decoder.decode(b"", True)


def text_of_whole_lines(stream: BinaryIO, longest: int = 1024 * 1024) -> Iterator[str]:
    """The text in blocks that end with a line, each line with a single line feed; an endless line is split."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)  # those of old Macintoshes, too
    rest = ""
    for block in text_blocks(stream):
        rest += newlines.decode(block, final=not block)
        end = rest.rfind("\n") + 1
        if end or len(rest) > longest:
            yield rest[: end or len(rest)]
            rest = rest[end:] if end else ""
    if rest:
        yield rest


def text_lines(stream: BinaryIO, longest: int = 1024 * 1024) -> Iterator[str]:
    """The lines of the stream, each ended by a single line feed; one longer than `longest` characters is split."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)  # those of old Macintoshes, too
    rest = ""
    for block in text_blocks(stream):
        rest += newlines.decode(block, final=not block)
        *lines, rest = rest.split("\n")
        for line in lines:
            yield line + "\n"
        while len(rest) > longest:
            yield rest[:longest]
            rest = rest[longest:]
    if rest:
        yield rest

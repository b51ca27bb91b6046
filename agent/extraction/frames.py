"""The messages between us and the process that parses: a tag, a length, a JSON body; never a pickle.

What comes from that process may have been written by a document, so `chunk_of` and `extraction_of` believe nothing.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from typing import Any

from agent.extraction.base import COUNTED, MAX_CHUNK_CHARACTERS, Chunk
from agent.model.confinement import Confinement
from agent.model.location import read
from agent.model.outcome import Extraction, ExtractionStatus

HEADER = struct.Struct("!cI")
# The process is ready, a stretch of text, a picture whose text is about to be recognised (which takes its own time),
# the end of a document, and an end after which the process goes as well.
READY, CHUNK, PICTURE, END, LAST_END = b"R", b"C", b"P", b"E", b"L"
# Set in the length of a name that is sent: read only what looks like text, with none of the readers.
STRINGS_ONLY = 0x80000000
# What the zygote is asked: to fork a process, and how one has ended; the answer to each is a number.
FORK, WAIT = b"F", b"W"
NUMBER = struct.Struct("!i")
MAX_BODY_BYTES = 16 * 1024 * 1024

_WORD = re.compile(r"[a-z0-9_]{1,40}")


class BadFrame(Exception):
    """The process said something it may not say."""


def frame(tag: bytes, body: Any) -> bytes:
    """The message as it goes over the socket."""
    encoded = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return HEADER.pack(tag, len(encoded)) + encoded


def receive_exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes from the socket. Raises `EOFError` when the other end is gone."""
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def chunk_body(chunk: Chunk) -> dict[str, Any]:
    return {"text": chunk.text, "places": chunk.places}


def chunk_of(body: Any) -> Chunk:
    """The chunk in a message's body. Raises `BadFrame`."""
    text, places = _keys(body, "text", "places")
    if not isinstance(text, str) or not 0 < len(text) <= MAX_CHUNK_CHARACTERS:
        raise BadFrame("text")
    if not isinstance(places, list) or not places:
        raise BadFrame("places")
    read_places = []
    before = -1
    for place in places:
        if not (isinstance(place, list) and len(place) == 2):
            raise BadFrame("place")
        offset, location = place
        if type(offset) is not int or not before < offset < len(text) or not isinstance(location, str):
            raise BadFrame("place")
        try:
            step = read(location.removesuffix(COUNTED))[-1:]
        except ValueError:
            raise BadFrame("location") from None
        if location.endswith(COUNTED) and not (step and step[0].parts[-1][1].isdecimal()):
            raise BadFrame("location")
        read_places.append((offset, location))
        before = offset
    if read_places[0][0] != 0:
        raise BadFrame("first place")
    return Chunk(text, tuple(read_places))


def confinement_of(body: Any) -> Confinement:
    """What a process that is ready says of its confinement. Raises `BadFrame`."""
    landlock, unrefused = _keys(body, "landlock", "unrefused")
    if type(landlock) is not int or not isinstance(unrefused, list):
        raise BadFrame("confinement")
    if not all(isinstance(word, str) and _WORD.fullmatch(word) for word in unrefused):
        raise BadFrame("confinement")
    return Confinement(landlock, tuple(unrefused))


def extraction_body(extraction: Extraction) -> dict[str, Any]:
    return {
        "status": extraction.status.value,
        "format": extraction.format,
        "reasons": extraction.reasons,
        "characters": extraction.characters,
        "met": sorted(extraction.met),
    }


def extraction_of(body: Any) -> Extraction:
    """The result in a message's body. Raises `BadFrame`."""
    status, kind, reasons, characters, met = _keys(body, "status", "format", "reasons", "characters", "met")
    words = [kind, *reasons, *met] if isinstance(reasons, list) and isinstance(met, list) else []
    if len(words) not in range(1, 200) or not all(isinstance(word, str) and _WORD.fullmatch(word) for word in words):
        raise BadFrame("words")
    if type(characters) is not int or characters < 0:
        raise BadFrame("characters")
    try:
        return Extraction(ExtractionStatus(status), kind, tuple(reasons), characters, frozenset(met))
    except ValueError:
        raise BadFrame("status") from None


def _keys(body: Any, *names: str) -> tuple[Any, ...]:
    if not isinstance(body, dict) or set(body) != set(names):
        raise BadFrame("keys")
    return tuple(body[name] for name in names)

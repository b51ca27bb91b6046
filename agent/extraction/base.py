"""What the extraction engine promises to those who call it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.model.outcome import Extraction

MAX_CHUNK_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document's text, at most `MAX_CHUNK_CHARACTERS` long, cut at white space where there is any.

    `places` says from which character on which location holds (`agent.model.location`), the first one from 0 on.
    """

    text: str
    places: tuple[tuple[int, str], ...]

    def location_at(self, offset: int) -> str:
        """Where the character at `offset` stood in the document."""
        return self.places[bisect_right(self.places, offset, key=lambda place: place[0]) - 1][1]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may cost.

    `reading_seconds` are processor time after which reading stops with what there is (partial), as with the limits of
    output; a document that exceeds the wall clock, `cpu_seconds` or the memory is given up (killed).

    `ocr` names the languages in which text in pictures is recognised, as Tesseract does (`eng`, `eng+cym`); empty, it
    is not. So many `pictures` of a document may take `picture_seconds` each beyond its other limits.
    """

    wall_seconds: float = 30.0
    cpu_seconds: int = 30
    reading_seconds: float = 24.0
    memory_bytes: int = 1024 * 1024 * 1024
    output_characters: int = 64_000_000
    expanded_bytes: int = 512 * 1024 * 1024
    members: int = 20_000
    depth: int = 8
    ocr: str = ""
    pictures: int = 50
    picture_seconds: float = 20.0


class Extractor(Protocol):
    """Gets text out of documents."""

    def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
        """Reads the document behind `descriptor` from its start and hands its text to `on_chunk`, in order.

        `name` serves only to tell text formats apart. Never raises for what a document contains: however bad it is,
        the answer is an `Extraction`. The descriptor stays the caller's.
        """

    def close(self) -> None:
        """Ends the process behind it. Safe to call twice."""

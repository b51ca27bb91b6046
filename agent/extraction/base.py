"""What the extraction engine promises to those who call it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.model.outcome import Extraction

MAX_CHUNK_CHARACTERS = 64 * 1024
COUNTED = "+"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document's text, at most `MAX_CHUNK_CHARACTERS` long, cut at white space where there is any.

    `places` says from which character on which location holds (`agent.model.location`), the first one from 0 on.
    A location that ends in `COUNTED` is that of a line, and the lines behind it are counted on until the next place.
    """

    text: str
    places: tuple[tuple[int, str], ...]

    def location_at(self, offset: int) -> str:
        """Where the character at `offset` stood in the document."""
        return self.places_from(offset)[0][1].removesuffix(COUNTED)

    def places_from(self, offset: int) -> list[tuple[int, str]]:
        """The places of the text from `offset` on, as if it began there."""
        first = bisect_right(self.places, offset, key=lambda place: place[0]) - 1
        start, location = self.places[first]
        passed = self.text.count("\n", start, offset) if location.endswith(COUNTED) else 0
        behind = [(place - offset, there) for place, there in self.places[first + 1 :]]
        return [(0, counted_on(location, passed)), *behind]

    def every_place(self) -> Iterator[tuple[int, str]]:
        """The places with each line told by itself."""
        ends = [start for start, _ in self.places[1:]] + [len(self.text)]
        for (start, location), end in zip(self.places, ends, strict=True):
            if not location.endswith(COUNTED):
                yield start, location
                continue
            plain, position, passed = location.removesuffix(COUNTED), start, 0
            while position < end:
                yield position, counted_on(plain, passed)
                line_end = self.text.find("\n", position, end)
                position, passed = (line_end + 1 if line_end >= 0 else end), passed + 1


def counted_on(location: str, lines: int) -> str:
    """The location of so many lines further down."""
    if not lines:
        return location
    mark = COUNTED if location.endswith(COUNTED) else ""
    before, _, number = location.removesuffix(COUNTED).rpartition("=")
    return f"{before}={int(number) + lines}{mark}"


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

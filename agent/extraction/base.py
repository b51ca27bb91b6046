"""What the extraction engine promises to those who call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.model.outcome import Extraction


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document's text, at most `MAX_CHUNK_CHARACTERS` long, cut only at white space.

    `location` says where it stood in the document: `page=3`, `sheet=Pay&cell=C17`, `part=2`, `line=12`;
    empty for the document as a whole.
    """

    text: str
    location: str


MAX_CHUNK_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may cost. Exceeding a limit of output ends as partial, one of the process as killed."""

    wall_seconds: float = 30.0
    cpu_seconds: int = 30
    memory_bytes: int = 1024 * 1024 * 1024
    output_characters: int = 64_000_000
    expanded_bytes: int = 512 * 1024 * 1024
    members: int = 20_000
    depth: int = 8


class Extractor(Protocol):
    """Gets text out of documents."""

    @property
    def version(self) -> str:
        """Changes whenever the same bytes may give other text."""

    def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
        """Reads the document behind `descriptor` from its start and hands its text to `on_chunk`, in order.

        `name` serves only to tell text formats apart. Never raises for what a document contains: however bad it is,
        the answer is an `Extraction`. The descriptor stays the caller's.
        """

    def close(self) -> None:
        """Ends the process behind it. Safe to call twice."""

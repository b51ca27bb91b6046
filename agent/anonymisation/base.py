"""What the anonymisation engine promises to those who call it, and what it needs from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from agent.errors import AgentError, ExitCode
from agent.model.finding import Span

LARGEST_BYTES = 64 * 1024 * 1024


class CannotAnonymise(AgentError):
    """The document holds something that cannot be cleaned; the message says what, and what can be done."""

    exit_code = ExitCode.ITEMS_FAILED


class Finder(Protocol):
    """Says what must go."""

    def __call__(self, text: str) -> Sequence[Span]:
        """The spans in a text that is a part of the document, by character offsets. They may overlap."""


# What is still found in a document of that format: entity types, and how often. Nothing where it is clean.
Rescan = Callable[[BinaryIO, str], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Recognition:
    """How documents are told apart and read where they are searched, so that both see the same text.

    `format_of(stream, size, name)` gives a format's word; `encoding_of(sample)` the encoding of a text that begins so,
    none for bytes that are no text.
    """

    format_of: Callable[[BinaryIO, int, bytes], str]
    encoding_of: Callable[[bytes], str | None]


@dataclass(frozen=True, slots=True)
class Anonymised:
    """How anonymising a document ended.

    `replaced` says for each entity type how many mentions were replaced, `rounds` how often the document was gone
    through until it was clean. `left` names by words of a fixed vocabulary what nobody looked into: `picture`.
    """

    format: str
    replaced: Mapping[str, int]
    rounds: int
    left: tuple[str, ...]

"""Text on its way out of a document, gathered into chunks."""

from __future__ import annotations

from collections.abc import Callable

from agent.extraction.base import COUNTED, MAX_CHUNK_CHARACTERS, Chunk
from agent.extraction.budget import Budget


class Output:
    """Takes text piece by piece and hands it on in chunks that are cut at white space.

    Pieces are joined as they are: who writes them adds the line ends. `characters` counts what was handed on.
    """

    def __init__(self, budget: Budget, on_chunk: Callable[[Chunk], None]) -> None:
        self._budget = budget
        self._on_chunk = on_chunk
        self._pieces: list[str] = []
        self._places: list[tuple[int, str]] = []
        self._length = 0
        self.characters = 0

    def write(self, text: str, location: str) -> None:
        """Adds text that stood at `location`. Raises `LimitReached`; what came before stays."""
        if len(text) <= MAX_CHUNK_CHARACTERS:
            if text:
                self._write(text, location)
            return
        for start in range(0, len(text), MAX_CHUNK_CHARACTERS):
            self._write(text[start : start + MAX_CHUNK_CHARACTERS], location)

    def write_lines(self, text: str, before: str, number: int) -> None:
        """Adds whole lines, of which the first stood at `before` and that number: many at once, for speed."""
        for start in range(0, len(text), MAX_CHUNK_CHARACTERS):
            part = text[start : start + MAX_CHUNK_CHARACTERS]
            self._write(part, f"{before}{number}{COUNTED}")
            number += part.count("\n")

    def _write(self, text: str, location: str) -> None:
        left = self._budget.characters_left
        self._add(text if len(text) <= left else text[:left], location)
        self._budget.write(len(text))

    def _add(self, text: str, location: str) -> None:
        if not text:
            return
        if not self._places or self._places[-1][1] != location:
            self._places.append((self._length, location))
        self._pieces.append(text)
        self._length += len(text)
        while self._length > MAX_CHUNK_CHARACTERS:
            self._hand_on(MAX_CHUNK_CHARACTERS)

    @property
    def written(self) -> bool:
        """Whether there has been any text yet."""
        return bool(self.characters or self._length)

    def flush(self) -> None:
        """Hands on what is left."""
        if self._length:
            self._hand_on(self._length)

    def _hand_on(self, at_most: int) -> None:
        text = "".join(self._pieces)
        cut = _cut(text, at_most)
        chunk = Chunk(text[:cut], tuple(place for place in self._places if place[0] < cut))
        rest = text[cut:]
        behind = Chunk(text, tuple(self._places)).places_from(cut) if rest else []
        self._pieces, self._places, self._length = [rest] if rest else [], behind, len(rest)
        if chunk.text.strip():
            self.characters += len(chunk.text)
            self._on_chunk(chunk)


def _cut(text: str, at_most: int) -> int:
    """Where to cut: behind the last line end, else the last white space, else where the chunk must end."""
    if len(text) <= at_most:
        return len(text)
    line = text.rfind("\n", at_most // 2, at_most)
    if line >= 0:
        return line + 1
    for position in range(at_most - 1, at_most // 2, -1):
        if text[position].isspace():
            return position + 1
    return at_most

"""A document's text, searched as it comes: chunk by chunk, but without losing what stands across two of them."""

from __future__ import annotations

from collections.abc import Callable

from agent.detection.base import DocumentSearch
from agent.extraction.base import Chunk
from agent.model.finding import Span

# So much of the next chunk is looked at for the end of a value, and so much of the last one for the words before it.
_OVERLAP = 300

# What was found: its span, its value, its location.
OnFound = Callable[[Span, str, str], None]


class TextSearch:
    """Hands everything found to `on_found`, in order, each once. Call `finish` when the text has ended.

    A chunk is held until the next one comes, so that memory is bounded by two of them.
    """

    def __init__(self, document: DocumentSearch, on_found: OnFound) -> None:
        self._document = document
        self._on_found = on_found
        self._held: Chunk | None = None
        self._own_from = 0

    def take(self, chunk: Chunk) -> None:
        """Searches the chunk before, now that it is known how the text goes on."""
        before = self._held
        if before is None:
            self._held = chunk
            return
        self._search(before, before.text + chunk.text[:_OVERLAP])
        context = before.text[-_OVERLAP:]
        kept = len(context)
        places = (
            *before.places_from(len(before.text) - kept),
            *((offset + kept, location) for offset, location in chunk.places),
        )
        self._held, self._own_from = Chunk(context + chunk.text, places), kept

    def finish(self) -> None:
        """Searches what is held."""
        if self._held is not None:
            self._search(self._held, self._held.text)
            self._held, self._own_from = None, 0

    def _search(self, chunk: Chunk, text: str) -> None:
        for span in self._document.search(text, self._own_from, len(chunk.text)):
            self._on_found(span, text[span.start : span.end], chunk.location_at(span.start))

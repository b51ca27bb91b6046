"""What remains of an open document: read by our own extractor, and let through by our own detector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from agent.detection.base import Detector, detect
from agent.extraction.base import Chunk, Extractor
from agent.minimisation.base import ItemFacts, OutcomeRecord
from agent.minimisation.record import outcome_record
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.search import TextSearch

SUPPRESSION_HASH = "suppression_hash"

_PICTURES = frozenset({"picture_not_read", "picture_limit", "picture_time", "picture_too_large", "picture_damaged"})
_MAY_REMAIN = frozenset({"CASE_REFERENCE"})  # kept only where the class asks for one, and in the schedule's own form
_LONGEST = 2_000_000  # characters; what is longer is a collection, not a record of one matter


class Minimiser:
    """Makes outcome records. `identify(entity_type, value)` gives the keyed hash by which a value is known.

    Not safe to share between threads.
    """

    def __init__(self, extractor: Extractor, detector: Detector, identify: Callable[[str, str], bytes]) -> None:
        self._extractor = extractor
        self._detector = detector
        self._identify = identify

    def minimise_file(self, source: int, format: str, keeps: Sequence[str], facts: ItemFacts) -> OutcomeRecord:
        """The record for the document open in `source`, which is read from its start and stays open.

        A document that is encrypted, damaged, too long or not read to its end says nothing: then only what is known
        without it is kept. `suppression_hash` is the keyed hash of the one e-mail address in the document.
        """
        text = _Text()
        extraction = self._extractor.extract(source, f"document.{format}".encode("ascii"), text.take)
        chunks = text.chunks if _was_read(extraction) and text.characters <= _LONGEST else []
        if SUPPRESSION_HASH in keeps and SUPPRESSION_HASH not in facts.known and (hashed := self._address(chunks)):
            facts = replace(facts, known={**facts.known, SUPPRESSION_HASH: hashed})
        lines = (line for chunk in chunks for line in _lines(chunk))
        return outcome_record(lines, keeps, facts, self._clean)

    def _clean(self, value: str) -> bool:
        spans, _ = detect(self._detector, value)
        return {span.entity_type for span in spans} <= _MAY_REMAIN

    def _address(self, chunks: Sequence[Chunk]) -> str:
        """The hash of the only e-mail address; empty if there is none, or another."""
        found: set[bytes] = set()
        search = TextSearch(
            self._detector.document(),
            lambda span, value, _: (
                found.add(self._identify(span.entity_type, value)) if span.entity_type == "EMAIL_ADDRESS" else None
            ),
        )
        for chunk in chunks:
            search.take(chunk)
        search.finish()
        return found.pop().hex() if len(found) == 1 else ""


class _Text:
    """The text of one document, as long as it is not too long."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.characters = 0

    def take(self, chunk: Chunk) -> None:
        self.characters += len(chunk.text)
        if self.characters <= _LONGEST:
            self.chunks.append(chunk)


def _was_read(extraction: Extraction) -> bool:
    """Whether all was read but pictures, which letterheads have."""
    partly = extraction.status is ExtractionStatus.PARTIAL and _PICTURES.issuperset(extraction.reasons)
    return partly or extraction.status is ExtractionStatus.OK


def _lines(chunk: Chunk) -> Iterator[tuple[str, str]]:
    """The lines of a chunk, each with the location at which it begins."""
    places = list(chunk.every_place())
    here, start = 0, 0
    for line in chunk.text.split("\n"):
        while here + 1 < len(places) and places[here + 1][0] <= start:
            here += 1
        yield places[here][1], line
        start += len(line) + 1

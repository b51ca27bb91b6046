"""Anonymising an open document: our own detector says what must go, our own extractor whether it is gone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from agent.anonymisation.anonymise import anonymise
from agent.anonymisation.base import Anonymised, CannotAnonymise, Recognition
from agent.anonymisation.known import KnownValues
from agent.anonymisation.labels import without_labels
from agent.detection.base import Detector
from agent.extraction.base import Extractor
from agent.extraction.charset import encoding_of
from agent.extraction.sniff import sniff
from agent.model.categories import category_of
from agent.model.finding import JUDGED_CATEGORIES, DataCategory, Span
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.search import TextSearch

_RECOGNITION = Recognition(sniff, encoding_of)
_STRETCH = 64 * 1024  # characters that are searched at once, as chunks of a document are
_AROUND = 300  # characters before and behind them that help to understand them
_READ = frozenset({ExtractionStatus.OK, ExtractionStatus.EMPTY})
_PICTURES = frozenset({"picture_not_read", "picture_limit", "picture_time", "picture_too_large", "picture_damaged"})


class Anonymiser:
    """Takes the personal data that our detector knows out of documents.

    Special categories and criminal-records data go where the document as a whole reveals them, as in a scan. Not
    safe to share between threads.
    """

    def __init__(self, extractor: Extractor, detector: Detector) -> None:
        self._extractor = extractor
        self._detector = detector

    def anonymise_file(self, source: int, target: int, format: str) -> Anonymised:
        """Writes the document open in `source` to `target` without what identifies people.

        `source` is read from its start; `target` must be open for writing and empty, and is left empty if this raises.
        Both stay open. Raises `CannotAnonymise`.
        """
        eyes = _Eyes(self._extractor, self._detector)
        eyes.scan(source, format)
        with open(source, "rb", closefd=False) as document, open(target, "wb", closefd=False) as result:
            return anonymise(
                document,
                result,
                format,
                eyes.find,
                rescan=eyes.rescan,
                recognition=_RECOGNITION,
            )


class _Eyes:
    """Searches one document: a text of it at a time, and the whole as a scan reads it.

    What only the whole has shown is remembered, and found in every text from then on.
    """

    def __init__(self, extractor: Extractor, detector: Detector) -> None:
        self._extractor = extractor
        self._detector = detector
        self._judged: set[DataCategory] = set()
        self._seen = KnownValues()

    def find(self, text: str) -> Sequence[Span]:
        """What must go from a text."""
        document = self._detector.document()
        found = self._seen.find(text)
        for start in range(0, len(text), _STRETCH):
            left, end = max(0, start - _AROUND), min(start + _STRETCH, len(text))
            spans = document.search(text[left : end + _AROUND], start - left, end - left)
            found += [replace(span, start=span.start + left, end=span.end + left) for span in spans]
        return [span for span in found if _stands(span.entity_type, self._judged)]

    def rescan(self, stream: BinaryIO, format: str) -> Mapping[str, int]:
        """What a scan finds in a result, by type. Raises `CannotAnonymise` if it cannot read it."""
        with _in_memory(stream.read()) as descriptor:
            return self.scan(descriptor, format)

    def scan(self, descriptor: int, format: str) -> Mapping[str, int]:
        """The same for a file."""
        found: list[tuple[str, str]] = []
        document = self._detector.document()
        search = TextSearch(document, lambda span, value, _: found.append((span.entity_type, value)))
        extraction = self._extractor.extract(descriptor, f"document.{format}".encode("ascii"), search.take)
        search.finish()
        _require_read(extraction)
        judged = {judged.category for judged in document.verdict().categories}
        self._judged |= judged
        still: Counter[str] = Counter()
        for entity_type, value in found:
            rest = without_labels(value)
            if _stands(entity_type, judged) and any(map(str.isalnum, rest)):
                self._seen.learn(entity_type, rest)
                still[entity_type] += 1
        return still


def _stands(entity_type: str, judged: set[DataCategory]) -> bool:
    category = category_of(entity_type)
    return category not in JUDGED_CATEGORIES or category in judged


def _require_read(extraction: Extraction) -> None:
    """Raises `CannotAnonymise` unless all was read but pictures: what was not read cannot be called clean."""
    if extraction.status in _READ:
        return
    if extraction.status is not ExtractionStatus.PARTIAL or not _PICTURES.issuperset(extraction.reasons):
        why = ", ".join((extraction.status.value, *extraction.reasons))
        raise CannotAnonymise(
            f"The document cannot be read to its end ({why}), so that nobody can say what is in it. Open it in its "
            "program and save it anew, or destroy it."
        )


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    """A file of this content that lies on no disk."""
    descriptor = os.memfd_create("anonymised", os.MFD_CLOEXEC)
    with open(descriptor, "w+b") as file:
        file.write(content)
        file.flush()
        yield descriptor

"""What is in one document: its text is extracted, searched, and forgotten again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from agent.detection.base import Detector
from agent.extraction.base import Extractor
from agent.model.finding import Finding
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.search import TextSearch

Identify = Callable[[str, str], bytes]

# A value beyond these is counted but not kept apart: a mailing list of a million addresses is one fact, not a million.
DISTINCT_PER_TYPE = 1_000
_BLOCK_BYTES = 1024 * 1024
_UNREAD = frozenset({ExtractionStatus.UNSUPPORTED, ExtractionStatus.SKIPPED, ExtractionStatus.ENCRYPTED})


@dataclass(frozen=True, slots=True)
class Analysis:
    """What analysing one document gave.

    `content_hash` is SHA-256 over its bytes, or none where nothing of it was read.
    `total` counts findings, kept apart or not.
    """

    extraction: Extraction
    findings: tuple[Finding, ...]
    total: int
    content_hash: bytes | None


class Analyst:
    """Turns an open document into an `Analysis`. The text exists only in this process's memory, a chunk at a time.

    `identify(entity_type, value)` gives the keyed hash by which a value is known from then on.
    """

    def __init__(self, extractor: Extractor, detector: Detector, identify: Identify) -> None:
        self._extractor = extractor
        self._detector = detector
        self._identify = identify

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        gathered = _Gathered(self._identify)
        search = TextSearch(self._detector, gathered.take)
        extraction = self._extractor.extract(descriptor, name, search.take)
        search.finish()
        digest = None if extraction.status in _UNREAD else content_hash(descriptor)
        return Analysis(extraction, gathered.findings(), gathered.total, digest)

    def close(self) -> None:
        self._extractor.close()


class _Gathered:
    """The distinct findings of one document."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self._kept: dict[tuple[str, bytes], Finding] = {}
        self._distinct: dict[str, int] = {}
        self.total = 0

    def take(self, entity_type: str, value: str, score: float, location: str) -> None:
        self.total += 1
        identity = self._identify(entity_type, value)
        key = (entity_type, identity)
        before = self._kept.get(key)
        if before is not None:
            best = max(before.score, score)
            self._kept[key] = Finding(entity_type, identity, best, before.count + 1, before.location)
        elif self._distinct.get(entity_type, 0) < DISTINCT_PER_TYPE:
            self._distinct[entity_type] = self._distinct.get(entity_type, 0) + 1
            self._kept[key] = Finding(entity_type, identity, score, 1, location)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._kept[key] for key in sorted(self._kept))


def content_hash(descriptor: int) -> bytes:
    """SHA-256 of everything behind the descriptor; its offset is left alone."""
    digest = hashlib.sha256()
    offset = 0
    while block := os.pread(descriptor, _BLOCK_BYTES, offset):
        digest.update(block)
        offset += len(block)
    return digest.digest()

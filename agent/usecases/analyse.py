"""What is in one document: its text is extracted, searched, and forgotten again."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.detection.base import Detector
from agent.extraction.base import Extractor
from agent.model.categories import category_of
from agent.model.finding import JUDGED_CATEGORIES, Finding, Span, Verdict
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.search import TextSearch

Identify = Callable[[str, str], bytes]

# A value beyond these is counted but not kept apart: a mailing list of a million addresses is one fact, not a million.
DISTINCT_PER_TYPE = 1_000
_BLOCK_BYTES = 1024 * 1024
_REMEMBERED = 2_000  # analyses of documents, so that a copy of one is not analysed again; some hundred bytes each
_MANY_FINDINGS = 200
_NOT_FOR_SURE = frozenset({ExtractionStatus.KILLED, ExtractionStatus.SKIPPED})
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
    verdict: Verdict = Verdict()


class Analyst:
    """Turns an open document into an `Analysis`. The text exists only in this process's memory, a chunk at a time.

    `identify(entity_type, value)` gives the keyed hash by which a value is known from then on.
    """

    def __init__(self, extractor: Extractor, detector: Detector, identify: Identify) -> None:
        self._extractor = extractor
        self._detector = detector
        self._identify = identify
        self._lately: OrderedDict[tuple[bytes, bytes], Analysis] = OrderedDict()

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        digest = content_hash(descriptor)
        key = (digest, os.path.splitext(name)[1].lower())
        if (copy := self._lately.get(key)) is not None:
            self._lately.move_to_end(key)
            return copy
        analysis = self._analyse(descriptor, name, digest)
        if analysis.extraction.status not in _NOT_FOR_SURE and len(analysis.findings) < _MANY_FINDINGS:
            self._lately[key] = analysis
            if len(self._lately) > _REMEMBERED:
                self._lately.popitem(last=False)
        return analysis

    def _analyse(self, descriptor: int, name: bytes, digest: bytes) -> Analysis:
        document = self._detector.document()
        gathered = _Gathered(self._identify)
        search = TextSearch(document, gathered.take)
        extraction = self._extractor.extract(descriptor, name, search.take)
        search.finish()
        verdict = document.verdict()
        findings, total = gathered.findings(verdict)
        return Analysis(extraction, findings, total, None if extraction.status in _UNREAD else digest, verdict)

    def close(self) -> None:
        self._extractor.close()


class _Gathered:
    """The distinct findings of one document."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self._kept: dict[tuple[str, bytes], Finding] = {}
        self._distinct: Counter[str] = Counter()
        self._total: Counter[str] = Counter()

    def take(self, span: Span, value: str, location: str) -> None:
        entity_type = span.entity_type
        self._total[entity_type] += 1
        identity = self._identify(entity_type, value)
        key = (entity_type, identity)
        before = self._kept.get(key)
        if before is None:
            if self._distinct[entity_type] < DISTINCT_PER_TYPE:
                self._distinct[entity_type] += 1
                self._kept[key] = Finding(entity_type, identity, span.score, 1, location, span.attributes, span.why)
        elif span.score > before.score:
            self._kept[key] = replace(
                before, score=span.score, count=before.count + 1, attributes=span.attributes, why=span.why
            )
        else:
            self._kept[key] = replace(before, count=before.count + 1)

    def findings(self, verdict: Verdict) -> tuple[tuple[Finding, ...], int]:
        """The findings that stand after the verdict, and how many mentions there were of what they are of."""
        refuted = JUDGED_CATEGORIES - {judged.category for judged in verdict.categories}
        stands = {entity_type: category_of(entity_type) not in refuted for entity_type in self._total}
        total = sum(count for entity_type, count in self._total.items() if stands[entity_type])
        return tuple(self._kept[key] for key in sorted(self._kept) if stands[key[0]]), total


def content_hash(descriptor: int) -> bytes:
    """SHA-256 of everything behind the descriptor; its offset is left alone."""
    digest = hashlib.sha256()
    offset = 0
    while block := os.pread(descriptor, _BLOCK_BYTES, offset):
        digest.update(block)
        offset += len(block)
    return digest.digest()

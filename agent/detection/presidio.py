"""The detector on Presidio's analyser."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from agent.model.finding import Span

if TYPE_CHECKING:
    from presidio_analyzer import RecognizerResult

_RULES_REVISION = 1  # raise it whenever a rule of ours changes what is found
_PACKAGES = ("presidio-analyzer", "spacy", "phonenumbers")

# Presidio's work grows with the square of the length of a text, so a long one is searched in pieces that overlap: half
# of the overlap for a finding to end in, half for the words before the next piece's first finding.
_PIECE = 8_000
_OVERLAP = 600

# spaCy keeps every new word, and a share has no end of them: beyond so many, the pipeline is made anew. Its own way of
# forgetting, `memory_zone`, more than halves the speed (`make bench`), as it does without the tokeniser's cache.
_MOST_WORDS = 150_000
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # spaCy cannot encode them; in a name or a broken file they occur

# No recogniser finds anything without one of these; only a model finds names.
_MAY_HOLD_SOMETHING = re.compile(r"[\d@]|::")


def detector_version(model_path: str | None, minimum_score: float) -> str:
    """What a detector made like this is called in the catalogue; it loads nothing."""
    parts = [f"{name} {version(name)}" for name in _PACKAGES]
    parts += [f"rules {_RULES_REVISION}", f"score {minimum_score}"]
    if model_path is not None:
        parts.append(f"model {_fingerprint(Path(model_path))}")
    return "; ".join(parts)


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)} {file.stat().st_size}\n".encode())
    if (folder / "meta.json").is_file():
        digest.update((folder / "meta.json").read_bytes())
    return digest.hexdigest()[:16]


class PresidioDetector:
    """Finds UK identifiers, and persons if `model_path` leads to a spaCy model that knows them.

    `minimum_score` leaves out what is less sure. Not safe to share between threads. Raises `ConfigurationError` if
    the model cannot be loaded.
    """

    def __init__(self, model_path: str | None = None, minimum_score: float = 0.4) -> None:
        import logging

        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

        from agent.detection.language import LocalNlpEngine
        from agent.detection.registry import LANGUAGE, registry

        logging.getLogger("presidio-analyzer").disabled = True  # it writes the words around a finding
        self.version = detector_version(model_path, minimum_score)
        self._language = LANGUAGE
        self._names = model_path is not None
        self._nlp = LocalNlpEngine(model_path)
        self._engine = AnalyzerEngine(
            registry=registry(names=self._names),
            nlp_engine=self._nlp,
            supported_languages=[LANGUAGE],
            default_score_threshold=minimum_score,
            context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
        )

    def detect(self, text: str) -> Sequence[Span]:
        found: dict[tuple[int, int, str], float] = {}
        text = _LONE_SURROGATES.sub("\ufffd", text)
        for start, own_from, own_to, end in pieces(text):
            for result in self._analyse(text[start:end]):
                if own_from <= start + result.start < own_to:
                    key = (start + result.start, start + result.end, result.entity_type)
                    found[key] = max(found.get(key, 0.0), result.score)
        return settle(Span(kind, start, end, score) for (start, end, kind), score in found.items())

    def _analyse(self, piece: str) -> list[RecognizerResult]:
        if not self._names and not _MAY_HOLD_SOMETHING.search(piece):
            return []
        if len(self._nlp.pipeline.vocab) > _MOST_WORDS:
            self._nlp.load()
        return self._engine.analyze(piece, self._language)


def pieces(text: str) -> Iterator[tuple[int, int, int, int]]:
    """The pieces in which a text is searched: its start, between what findings that count begin, its end.

    A piece starts at the beginning of a word where there is one near.
    """
    start = own_from = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        own_to = end - _OVERLAP // 2
        yield start, own_from, own_to, end
        own_from = own_to
        start = _word_start(text, own_from - _OVERLAP // 2)
    yield start, own_from, len(text), len(text)


def _word_start(text: str, near: int) -> int:
    """The first beginning of a word behind `near`, if there is one before half the overlap is used up."""
    for position in range(near, near + _OVERLAP // 4):
        if text[position - 1].isspace():
            return position
    return near


def settle(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, without those inside another one that is as sure: a number inside an account number, say."""
    kept: list[Span] = []
    open_spans: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end, -span.score, span.entity_type)):
        open_spans = [other for other in open_spans if other.end > span.start]
        if any(_covers(other, span) for other in open_spans):
            continue
        for weaker in [other for other in open_spans if _covers(span, other)]:
            kept.remove(weaker)
            open_spans.remove(weaker)
        kept.append(span)
        open_spans.append(span)
    return sorted(kept, key=lambda span: (span.start, span.end, span.entity_type))


def _covers(outer: Span, inner: Span) -> bool:
    if not (outer.start <= inner.start and inner.end <= outer.end):
        return False
    longer = outer.end - outer.start > inner.end - inner.start
    return outer.score > inner.score or (longer and outer.score >= inner.score)

"""Identifiers: Presidio's analyser and its recognisers' own patterns, run only where they can match.

What is found is exactly what Presidio's `AnalyzerEngine` finds with the same recognisers. What makes it faster: one
scan tells which patterns may match in a text and where (`gate`); these run there, the others not at all; recognisers
without such a place are left out; no text is cut into tokens before a recogniser asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from agent.detection.context import NearbyWords
from agent.detection.gated import GatedRecognisers
from agent.detection.language import LANGUAGE, LazyNlpEngine
from agent.detection.repeats import Repeats
from agent.detection.segments import pieces
from agent.model.finding import Span

# spaCy keeps every new word, and a share has no end of them: beyond so many, the pipeline is made anew. Its own way of
# forgetting, `memory_zone`, more than halves the speed (`make bench`), as it does without the tokeniser's cache.
_MOST_WORDS = 150_000
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # nothing can encode them; in a name or a broken file they occur


class IdentifierSearch:
    """Finds what the recognisers find, and at least as sure as `minimum_score`.

    The recognisers are left as they are. One that does not work by `patterns` may have the attribute `gate_patterns`:
    regular expressions, one of which matches wherever it finds anything; without, it sees every text. `model_path` is
    for recognisers that need a spaCy model. Not safe to share between threads. Raises `ConfigurationError` if the
    model cannot be loaded.
    """

    def __init__(
        self, recognisers: Sequence[EntityRecognizer], minimum_score: float, model_path: str | None = None
    ) -> None:
        import logging

        logging.getLogger("presidio-analyzer").disabled = True  # it writes the words around a finding
        self._gated = GatedRecognisers(recognisers, minimum_score)
        self._nlp = LazyNlpEngine(model_path)
        self._engine = _Engine(
            registry=RecognizerRegistry(recognizers=self._gated.recognisers, supported_languages=[LANGUAGE]),
            nlp_engine=self._nlp,
            supported_languages=[LANGUAGE],
            default_score_threshold=minimum_score,
            context_aware_enhancer=NearbyWords(self._nlp),
        )
        self._seen: Repeats[tuple[tuple[str, int, int, float], ...]] = Repeats()

    def find(self, text: str) -> list[Span]:
        """What is found, by start, end and type; spans may lie in each other. A long text is searched in pieces."""
        if not text.isascii():
            text = _LONE_SURROGATES.sub("\ufffd", text)
        found: dict[tuple[int, int, str], float] = {}
        for start, own_from, own_to, end in pieces(text):
            for kind, begin, stop, score in self._in_piece(text[start:end]):
                if own_from <= start + begin < own_to:
                    key = (start + begin, start + stop, kind)
                    found[key] = max(found.get(key, 0.0), score)
        return [Span(kind, begin, stop, score) for (begin, stop, kind), score in sorted(found.items())]

    def _in_piece(self, piece: str) -> Iterable[tuple[str, int, int, float]]:
        entities = self._gated.look_at(piece)
        if not entities:
            return ()
        known = self._seen.recall(piece)
        if known is None:
            if len(self._nlp.pipeline.vocab) > _MOST_WORDS:
                self._nlp.load()
            results = self._engine.analyze(piece, LANGUAGE, entities=entities)
            known = tuple((result.entity_type, result.start, result.end, result.score) for result in results)
            self._seen.remember(piece, known, weight=100 * len(known))
        return known


class _Engine(AnalyzerEngine):
    """Presidio's analyser. Results are sorted by recogniser once, and not once for each recogniser."""

    def _enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        judging = [
            recognizer
            for recognizer in recognizers
            if type(recognizer).enhance_using_context is not EntityRecognizer.enhance_using_context
        ]
        if judging:
            results: list[RecognizerResult] = super()._enhance_using_context(
                text, raw_results, nlp_artifacts, recognizers, context
            )
            return results
        enhanced: list[RecognizerResult] = self.context_aware_enhancer.enhance_using_context(
            text, raw_results, nlp_artifacts, recognizers, context
        )
        return enhanced

"""What `JudgedRecognizer` finds, without the results that Presidio makes of each match to throw them away again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.pattern_recognizer import REGEX_TIMEOUT_SECONDS

from agent.detection.recognisers.judged import JudgedRecognizer


def is_judged(recogniser: EntityRecognizer) -> bool:
    """Whether a recogniser works just as `JudgedRecognizer` and Presidio's pattern recogniser do."""
    analysing = [kind for kind in type(recogniser).__mro__ if "analyze" in vars(kind)]
    return analysing[:2] == [JudgedRecognizer, PatternRecognizer] and not recogniser.score_thresholds


class Judging:
    """Stands in for the `analyze` of a judged recogniser; leaves out what is less sure than `minimum_score`."""

    def __init__(self, recogniser: Any, minimum_score: float) -> None:
        self._recogniser = recogniser
        # Words of context may raise a score later on.
        self._least = 0.0 if recogniser.context else minimum_score

    def __call__(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: NlpArtifacts | None = None,
        regex_flags: int | None = None,
    ) -> list[RecognizerResult]:
        recogniser = self._recogniser
        found: dict[tuple[int, int], float] = {}
        for pattern in recogniser.patterns:
            try:
                for match in pattern.compiled_regex.finditer(text, timeout=REGEX_TIMEOUT_SECONDS):
                    place: tuple[int, int] = match.span()
                    score = self._score(text[place[0] : place[1]], pattern.score)
                    if score > found.get(place, EntityRecognizer.MIN_SCORE):
                        found[place] = score
            except TimeoutError:  # as Presidio does: the rest of the pattern's matches is left out
                continue
        results = []
        for start, end in _outermost(found):
            score = recogniser.judge(text, start, end, found[start, end])
            if score > EntityRecognizer.MIN_SCORE and score >= self._least:
                results.append(self._result(start, end, score))
        return results

    def _score(self, value: str, score: float) -> float:
        valid = self._recogniser.validate_result(value) if value else False
        if valid is not None:
            score = EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
        return EntityRecognizer.MIN_SCORE if value and self._recogniser.invalidate_result(value) else score

    def _result(self, start: int, end: int, score: float) -> RecognizerResult:
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self._recogniser.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self._recogniser.id,
        }
        return RecognizerResult(
            self._recogniser.supported_entities[0], start, end, score, recognition_metadata=metadata
        )


def _outermost(found: dict[tuple[int, int], float]) -> Iterator[tuple[int, int]]:
    """The places, without those inside another one that scores as much."""
    around: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda place: (place[0], -place[1])):
        around = [place for place in around if place[1] >= start]
        if not any(end <= place[1] and found[start, end] <= found[place] for place in around):
            around.append((start, end))
            yield start, end

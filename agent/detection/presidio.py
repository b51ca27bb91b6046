"""The detector on Presidio's analyser alone: identifiers, and names of people if there is a spaCy model for them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.detection.segments import pieces
from agent.detection.settle import settle
from agent.detection.version import detector_version
from agent.model.finding import Span, Verdict

__all__ = ["PresidioDetector", "pieces", "settle"]


class PresidioDetector:
    """Finds UK identifiers, and persons if `model_path` leads to a spaCy model that knows them.

    `minimum_score` leaves out what is less sure. Not safe to share between threads. Raises `ConfigurationError` if
    the model cannot be loaded.
    """

    def __init__(self, model_path: str | None = None, minimum_score: float = 0.4) -> None:
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer

        from agent.detection.identifiers import IdentifierSearch
        from agent.detection.language import LANGUAGE
        from agent.detection.registry import recognisers

        listed = recognisers()
        if model_path is not None:
            listed.append(SpacyRecognizer(supported_entities=["PERSON"], supported_language=LANGUAGE))
        self.version = detector_version(model_path, minimum_score, ())
        self.identifiers = IdentifierSearch(listed, minimum_score, model_path)

    def detect(self, text: str) -> Sequence[Span]:
        """What is found, by start, end and type, without what lies in something as sure."""
        return settle(self.identifiers.find(text))

    def document(self) -> PresidioSearch:
        return PresidioSearch(self)


class PresidioSearch:
    """The search of one document, which judges nothing."""

    def __init__(self, detector: PresidioDetector) -> None:
        self._detector = detector

    def search(self, text: str, own_from: int = 0, own_to: int | None = None) -> Sequence[Span]:
        own_to = len(text) if own_to is None else own_to
        return [span for span in self._detector.detect(text) if own_from <= span.start < own_to]

    def verdict(self) -> Verdict:
        return Verdict()

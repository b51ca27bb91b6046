"""Presidio's pattern recogniser, with a last word on each match by the text around it.

Presidio compares single words five tokens back with a list of words, so that "National Insurance" never counts. Here
a recogniser looks at the text itself, at most `labels.REACH` characters before a match and `REACH_BEHIND` behind it,
and at nothing else: a window of a text gives what the whole text gives. Patterns have look-around of their own, of
bounded length; that of streets reaches some 220 characters ahead, for town and postcode.
"""

from __future__ import annotations

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

CASE_COUNTS = regex.MULTILINE
CASE_IGNORED = regex.MULTILINE | regex.IGNORECASE

# How sure a finding is. Below 0.4 nothing is told by default.
CERTAIN = 0.95  # its own label stands before it, and its form or check fits
LIKELY = 0.75  # its form is rare by itself, or words near it speak for it
POSSIBLE = 0.5  # its form and check fit, nothing speaks against it
DOUBTFUL = 0.3  # it has the form, as many other numbers do: not told by default
UNLIKELY = 0.1  # another label stands before it


class JudgedRecognizer(PatternRecognizer):
    """A pattern recogniser whose matches are judged by the text around them. Derive from it and say how in `judge`."""

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        """How sure it is that `text[start:end]` is what this recogniser looks for; 0 if it is not."""
        raise NotImplementedError

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: NlpArtifacts | None = None,
        regex_flags: int | None = None,
    ) -> list[RecognizerResult]:
        """Presidio's results with our scores; those that are judged to be something else are left out."""
        results = []
        for result in super().analyze(text, entities, nlp_artifacts, regex_flags):
            result.score = self.judge(text, result.start, result.end, result.score)
            if result.score > EntityRecognizer.MIN_SCORE:
                if result.analysis_explanation is not None:
                    result.analysis_explanation.set_improved_score(result.score)
                results.append(result)
        return results


def shapes(entity: str, *patterns: tuple[str, float]) -> list[Pattern]:
    """Presidio patterns out of (expression, score)."""
    return [Pattern(f"{entity} {number}", expression, score) for number, (expression, score) in enumerate(patterns, 1)]


def digits_of(text: str) -> str:
    """The ASCII digits in a text."""
    return "".join(char for char in text if char in "0123456789")

"""The words before a finding that make it surer: Presidio's own rule, looked up instead of searched for.

The scores are those of `LemmaContextAwareEnhancer` with whole words; only words near a finding are cut into tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts

if TYPE_CHECKING:
    from spacy.vocab import Vocab

    from agent.detection.language import LazyNlpEngine

_RUN = re.compile(r"\s+|\S+")
_NUMBERS_ONLY = re.compile(r"[\d:]+")
_MOST_REMEMBERED = 50_000
_LONGEST_REMEMBERED = 60


class NearbyWords(ContextAwareEnhancer):
    """Presidio's rule for a blank pipeline whose lemmas are the lower-case forms.

    Unlike Presidio's, it changes the results that it is given, and a match in white space at the end is no error.
    """

    def __init__(self, nlp: LazyNlpEngine) -> None:
        super().__init__(
            context_similarity_factor=0.35,
            min_score_with_context_similarity=0.4,
            context_prefix_count=5,
            context_suffix_count=0,
        )
        self._words = _WordTokens(nlp)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        supporting = {
            recognizer.id: frozenset(word.lower() for word in recognizer.context)
            for recognizer in recognizers
            if recognizer.context
        }
        given = {word.lower() for word in context or ()}
        surroundings: dict[int, set[str]] = {}
        tokens = _Tokens(text, self._words)
        for result in raw_results:
            metadata = result.recognition_metadata or {}
            words = supporting.get(metadata.get(RecognizerResult.RECOGNIZER_IDENTIFIER_KEY))
            if not words or metadata.get(RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY):
                continue
            if result.start not in surroundings:
                surroundings[result.start] = tokens.around(
                    result.start, self.context_prefix_count + 1, self.context_suffix_count + 1
                )
            if not words.isdisjoint(surroundings[result.start] | given):
                better = max(result.score + self.context_similarity_factor, self.min_score_with_context_similarity)
                result.score = min(better, ContextAwareEnhancer.MAX_SCORE)
        return raw_results


class _Token(NamedTuple):
    """A token: its length, its lower-case form, whether that counts as a word, its parts if it has colons."""

    length: int
    word: str
    counts: bool
    parts: tuple[str, ...]


class _WordTokens:
    """How spaCy cuts a run of white space or of other characters into tokens, remembered."""

    def __init__(self, nlp: LazyNlpEngine) -> None:
        self._nlp = nlp
        self._known: dict[str, Sequence[_Token]] = {}

    def of(self, run: str) -> Sequence[_Token]:
        """The tokens of a short run."""
        known = self._known.get(run)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[run] = self.cut(run)
        return known

    def cut(self, run: str) -> Sequence[_Token]:
        """The tokens of any run."""
        pipeline = self._nlp.pipeline
        return [self._token(len(token), token.lower_, pipeline.vocab) for token in pipeline.make_doc(run)]

    @staticmethod
    def _token(length: int, lemma: str, vocabulary: Vocab) -> _Token:
        lexeme = vocabulary[lemma]
        counts = not lexeme.is_stop and not lexeme.is_punct and lemma not in ("-PRON-", "be")
        word = lemma.lower()
        if counts and ":" in word:
            return _Token(length, word, False, tuple(word.split(":")))
        return _Token(length, word, counts, ())


class _Tokens:
    """The tokens of one text, as far as they are asked for, as spaCy would cut the whole."""

    def __init__(self, text: str, words: _WordTokens) -> None:
        self._text = text
        self._words = words
        self._long: dict[str, Sequence[_Token]] = {}
        self._parts: set[str] | None = None

    def around(self, position: int, before: int, behind: int) -> set[str]:
        """The words that count: so many up to the token at the position, and from it on."""
        start = self._run_start(position + 1)
        while start < len(self._text):
            tokens, at, end = self._run(start)
            for number, token in enumerate(tokens):
                at += token.length
                if at > position:
                    backward = chain(reversed(tokens[: number + 1]), self._before(start))
                    forward = chain(tokens[number:], self._behind(end))
                    return self._take(backward, before) | self._take(forward, behind)
            start = end
        return set()

    def _take(self, tokens: Iterable[_Token], number: int) -> set[str]:
        found: set[str] = set()
        for token in tokens:
            if token.counts or token.word in self._colon_parts():
                found.add(token.word)
                number -= 1
                if not number:
                    break
        return found

    def _colon_parts(self) -> set[str]:
        """What stands between the colons of words: Presidio takes these parts for words, wherever they occur."""
        if self._parts is None:
            self._parts = {
                part
                for run in (self._text.split() if ":" in self._text else ())
                if ":" in run and not _NUMBERS_ONLY.fullmatch(run)
                for token in self._tokens(run)
                for part in token.parts
            }
        return self._parts

    def _behind(self, start: int) -> Iterator[_Token]:
        while start < len(self._text):
            tokens, _, start = self._run(start)
            yield from tokens

    def _before(self, end: int) -> Iterator[_Token]:
        while end > 0:
            end = self._run_start(end)
            yield from reversed(self._run(end)[0])

    def _run(self, start: int) -> tuple[Sequence[_Token], int, int]:
        """The tokens of the run that starts here, where the first of them starts, where the run ends."""
        run = _RUN.match(self._text, start)
        if run is None:  # cannot be: every character is white space or not
            return (), start, len(self._text)
        # A single space belongs to the token before it.
        first = start + 1 if start > 0 and self._text[start] == " " else start
        return self._tokens(self._text[first : run.end()]), first, run.end()

    def _run_start(self, end: int) -> int:
        """Where the run starts that the character before `end` belongs to."""
        position = min(end, len(self._text)) - 1
        if position < 0:
            return 0
        space = self._text[position].isspace()
        while position > 0 and self._text[position - 1].isspace() == space:
            position -= 1
        return position

    def _tokens(self, run: str) -> Sequence[_Token]:
        if len(run) <= _LONGEST_REMEMBERED:
            return self._words.of(run) if run else ()
        if run not in self._long:
            self._long[run] = self._words.cut(run)
        return self._long[run]

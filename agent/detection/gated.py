"""Presidio's recognisers behind the gate: their own patterns and code, on the parts of a text where they can match."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import regex
from phonenumbers import Leniency, PhoneMetadata, PhoneNumberMatcher
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from agent.detection.ascii_text import for_ascii, is_plain
from agent.detection.gate import BEFORE, GatedPattern, PatternGate, ShownText
from agent.detection.judging import Judging, is_judged
from agent.detection.reach import UNKNOWN, Reach, reach_of
from agent.detection.segments import joined, segments, word_end

_CORE = 1_024  # characters that are looked at for themselves
_FEW = 3  # patterns that are looked for one by one, which is faster than for all at once
_FARTHEST = 400  # a pattern that reaches farther is run on the whole text

_CASE_IGNORED = int(regex.IGNORECASE)


class GatedRecognisers:
    """Copies of recognisers that run only where they can find something; the given ones are left as they are.

    Gated are: recognisers that work by `patterns` (Presidio's `PatternRecognizer`, whose promise is to find nothing
    where none of them matches), those that say so by `gate_patterns`, and Presidio's own for telephone numbers. What
    is less sure than `minimum_score` may be left out.
    """

    def __init__(self, recognisers: Sequence[EntityRecognizer], minimum_score: float = 0.0) -> None:
        self._minimum_score = minimum_score
        self._patterns: list[GatedPattern] = []
        self._numbers: dict[GatedPattern, int] = {}
        self._windowed_regexes: dict[int, WindowedRegex] = {}
        self._reaches: list[Reach] = []
        self._needed: list[frozenset[int] | None] = []
        self._gates_of_one: dict[int, PatternGate] = {}
        self._windows = Windows(self._alone)
        self.recognisers = [self._gated(recogniser) for recogniser in recognisers]
        self._gate = PatternGate(self._patterns)

    def look_at(self, text: str) -> list[str]:
        """The entity types whose recognisers can find something in the text, which must be analysed next if any can."""
        shown = self._gate.shown(text)
        hits = shown.may_match(0, len(text))
        self._windows.look_at(text, shown, hits, self._reaches)
        return sorted(
            {
                entity
                for recogniser, needed in zip(self.recognisers, self._needed, strict=True)
                if needed is None or not needed.isdisjoint(hits)
                for entity in recogniser.supported_entities
            }
        )

    def _alone(self, number: int) -> PatternGate:
        """The gate of one pattern by itself."""
        if number not in self._gates_of_one:
            self._gates_of_one[number] = PatternGate([self._patterns[number]])
        return self._gates_of_one[number]

    def _gated(self, recogniser: EntityRecognizer) -> EntityRecognizer:
        twin: Any = copy.copy(recogniser)
        needed: frozenset[int] | None = None
        declared = getattr(recogniser, "gate_patterns", None)
        if isinstance(recogniser, PatternRecognizer):
            flags = int(recogniser.global_regex_flags or 0)
            patterns: list[Pattern] = twin.patterns
            numbers = [self._add(pattern.regex, flags) for pattern in patterns]
            # Patterns are shared between recognisers of a class: only copies may be changed.
            twin.patterns = [
                self._windowed(pattern, flags, number) for pattern, number in zip(patterns, numbers, strict=True)
            ]
            needed = frozenset(numbers)
            if is_judged(recogniser):
                twin.analyze = Judging(twin, self._minimum_score)
        elif isinstance(recogniser, PhoneRecognizer) and _is_presidios(recogniser):
            twin = LinewisePhoneRecognizer(recogniser)
            needed = frozenset({self._add(twin.condition, 0)})
        if declared is not None:
            needed = frozenset(self._add(expression, _CASE_IGNORED) for expression in declared)
        self._needed.append(needed)
        gated: EntityRecognizer = twin
        return gated

    def _add(self, expression: str, flags: int) -> int:
        pattern = GatedPattern(expression, flags)
        if pattern not in self._numbers:
            self._numbers[pattern] = len(self._patterns)
            self._patterns.append(pattern)
            self._reaches.append(reach_of(expression, flags))
        return self._numbers[pattern]

    def _windowed(self, pattern: Pattern, flags: int, number: int) -> Pattern:
        twin: Any = Pattern(pattern.name, pattern.regex, pattern.score)
        if number not in self._windowed_regexes:
            self._windowed_regexes[number] = WindowedRegex(pattern.regex, flags, number, self._windows)
        twin.compiled_regex = self._windowed_regexes[number]
        twin.compiled_with_flags = flags
        windowed: Pattern = twin
        return windowed


class Windows:
    """Where in the text that was looked at last each pattern can match."""

    def __init__(self, alone: Callable[[int], PatternGate]) -> None:
        self._alone = alone
        self._text = ""
        self.plain = False
        self._found: dict[int, list[tuple[int, int]]] = {}
        self._reaches: Sequence[Reach] = ()

    def look_at(self, text: str, shown: ShownText, hits: frozenset[int], reaches: Sequence[Reach]) -> None:
        """Takes down the stretches in which a match of each of the hits can begin."""
        self._text = text
        self.plain = is_plain(text)
        self._reaches = reaches
        whole = [(0, len(text) + 1)]
        self._found = dict.fromkeys(hits, whole)
        if len(text) <= 2 * _CORE:
            return
        partly = {number for number in hits - shown.always if _is_near(reaches[number])}
        if not partly:
            return
        found: dict[int, list[tuple[int, int]]] = {number: [] for number in partly}
        parts = list(segments(text, _CORE, BEFORE + 1, _FARTHEST))
        if len(partly) <= _FEW:
            for number in partly:
                by_itself = self._alone(number).look_at(shown)
                found[number] += [part[1:3] for part in parts if by_itself.may_match(part[0], part[3])]
        else:
            for begin, start, stop, end in parts:
                for number in shown.may_match(begin, end) & partly:
                    found[number].append((start, stop))
        self._found.update((number, joined(stretches)) for number, stretches in found.items())

    def of(self, text: str, number: int) -> list[tuple[int, int, int]] | None:
        """Each stretch of a pattern: its start, its end, and how far the pattern may look; None for another text."""
        if text is not self._text:
            return None
        reach = self._reaches[number]
        length = len(text)
        windows = []
        for start, end in self._found.get(number, ()):
            if end >= length:
                limit = length
            elif reach.length is not None:
                limit = min(length, end + reach.length + 2)
            else:
                limit = min(length, word_end(text, end) + reach.beyond + 2)
            windows.append((start, end, limit))
        return windows


class WindowedRegex:
    """A pattern of `regex` whose matches are looked for only where there can be any.

    Recognisers may share it; the matches in the last text are kept for the next one that asks.
    """

    def __init__(self, expression: str, flags: int, number: int, windows: Windows) -> None:
        self._compiled: Any = regex.compile(expression, flags)
        self._for_ascii = for_ascii(expression, flags)
        self._number = number
        self._windows = windows
        self._last: tuple[str, list[Any]] = ("", [])

    def finditer(self, text: str, timeout: float | None = None) -> Iterator[Any]:
        """The matches in the text, the same ones as everywhere in it."""
        windows = self._windows.of(text, self._number)
        if windows is None:
            return iter(self._compiled.finditer(text, timeout=timeout))
        if text is not self._last[0]:
            self._last = (text, list(self._within(text, windows, timeout)))
        return iter(self._last[1])

    def _within(self, text: str, windows: Sequence[tuple[int, int, int]], timeout: float | None) -> Iterator[Any]:
        search: Callable[[str, int, int], Iterable[Any]] = functools.partial(self._compiled.finditer, timeout=timeout)
        if self._for_ascii is not None and self._windows.plain:
            search = self._for_ascii.finditer
        behind = 0
        for start, end, limit in windows:
            for match in search(text, max(start, behind), limit):
                if match.start() >= end:
                    break
                behind = match.end()
                yield match


def _is_near(reach: Reach) -> bool:
    if reach == UNKNOWN:
        return False
    return reach.length <= _FARTHEST if reach.length is not None else reach.one_word and reach.beyond <= _FARTHEST


def _is_presidios(recogniser: PhoneRecognizer) -> bool:
    kind = type(recogniser)
    return (
        kind.analyze is PhoneRecognizer.analyze
        and kind._get_recognizer_result is PhoneRecognizer._get_recognizer_result
    )


class LinewisePhoneRecognizer(PhoneRecognizer):
    """Presidio's recogniser of telephone numbers, on those lines alone that can hold one: no number crosses a line.

    `condition` is an expression that matches wherever there is a number: enough digits, or a plus.
    """

    def __init__(self, recogniser: PhoneRecognizer) -> None:
        vars(self).update(vars(recogniser))
        self._leniency = recogniser.leniency or Leniency.POSSIBLE
        self._digits = min(_fewest_digits(region, self._leniency) for region in recogniser.supported_regions)
        more = max(0, self._digits - 1)
        self.condition = rf"\d(?:[^\n\d]{{0,8}}\d){{{more}}}|[+\uff0b]"
        self._condition = regex.compile(self.condition)

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        found: list[RecognizerResult] = []
        position = 0
        while match := self._condition.search(text, position):
            start = text.rfind("\n", 0, match.start()) + 1
            position = text.find("\n", match.end())
            position = len(text) if position < 0 else position
            for result in self._in_line(text[start:position]):
                result.start += start
                result.end += start
                found.append(result)
        return found

    def _in_line(self, line: str) -> list[RecognizerResult]:
        results = [
            self._get_recognizer_result(match, line, region, None)  # type: ignore[no-untyped-call]
            for region in self.supported_regions
            for match in _LongEnough(line, region, self._leniency, self._digits)
        ]
        kept: list[RecognizerResult] = EntityRecognizer.remove_duplicates(results)
        return kept


class _LongEnough(PhoneNumberMatcher):
    """The library's search, without the candidates that have too few digits for any number of the region."""

    def __init__(self, text: str, region: str, leniency: int, digits: int) -> None:
        super().__init__(text, region, leniency=leniency)
        self._digits = digits

    def _extract_match(self, candidate: str, offset: int) -> Any:
        if sum(map(str.isdigit, candidate)) < self._digits and not ("+" in candidate or "\uff0b" in candidate):
            return None
        return super()._extract_match(candidate, offset)


def _fewest_digits(region: str, leniency: int) -> int:
    """The fewest digits of a number of the region, or of one that is dialled as in it."""
    metadata = PhoneMetadata.metadata_for_region(region)
    general = metadata.general_desc if metadata is not None else None
    if general is None or leniency < Leniency.VALID:
        return 2
    return min(6, *general.possible_length)

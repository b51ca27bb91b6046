"""Names of persons in a text: what the model finds, what rules find, and where both are found again."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import regex
from ahocorasick_rs import AhoCorasick

from agent.detection.names.engine import NameEngine, name_engine
from agent.detection.names.gazetteer import as_listed, family_names, given_names
from agent.detection.names.nearby import is_hardly_a_name
from agent.detection.names.places import parts, places
from agent.detection.names.rules import SURNAME_FIRST, TITLES, names_by_rule
from agent.detection.names.words import (
    COMMON,
    NEVER_ALONE,
    NO_BEGINNING,
    NO_FIRST,
    NO_PERSON,
    PLACES,
    PLACES_BEGIN,
    ROLES,
    SURNAMES_TOO,
)
from agent.detection.repeats import Repeats
from agent.model.finding import Span

BY_MODEL, BY_RULE, BY_LIST, AGAIN = 0.85, 0.8, 0.75, 0.7
WHY_COLUMN = "column"  # begins the reason of what the heading of its column says is a name
_PASSAGE = 1_600  # characters that the model sees at once, cut at a blank line or the end of a line
_MOST_WORDS = 150_000  # spaCy keeps every new word, and a share has no end of them: then the model is loaded anew

_WORD = regex.compile(r"[\p{L}\p{M}][\p{L}\p{M}'’-]*")
_LETTERS_BEHIND = regex.compile(r"(?:,?[ \t]+(?:[A-Z]{2,6}|B?[MS]Sc|BA|MA|LLB|PhD|Chartered))+$")
_POSSESSIVE = regex.compile(r"['’]s?$")
_ENDS = regex.compile(r"[\n\t|]|[ ][-–—][ ]")  # of a cell, a line, what is said first of it
_LABEL_BEFORE = regex.compile(
    r"(?:Attn|FAO|Re|Interviewee|Interviewer|Witness|Claimant|Complainant|Respondent|Applicant|Candidate|Employee|Patient"
    r"|Client|Customer|Tenant|Student|Pupil|Learner|Trainer|Tutor|Driver|Author|Signed|Cardholder|Payee|Referee)"
    r"[.:]?[ \t]+(?=\p{Lu})"
)
# "A" and "I" alone are words, "Q." and "A." begin lines of a hearing, and a letter behind one of these words numbers
# something.
_INITIALS_BEFORE = regex.compile(
    r"(?<![\p{L}\p{N}.'’&/-])(?<!(?i:class|grade|section|unit|block|flat|room|part|band|category|team|group|appendix|exhibit"
    r"|schedule|plan|vitamin|hepatitis|type|level|form|option|site|zone|route|bay|plot|phase|annex|table)[ \t])"
    r"(?!A\.O\.B|N\.B|P\.S|(?<=\n)[AQ]\.)(?:(?:\p{Lu}\.[ ]?){1,3}|(?:\p{Lu}[ ]){2,3}|(?![AI])\p{Lu}[ ])$"
)
_TITLE_BEFORE = regex.compile(rf"(?:(?:{'|'.join(TITLES)})\b\.?[ \t]+)+", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Name:
    start: int
    end: int
    score: float
    why: str


class NameSearch:
    """Finds names of persons. `model` names another engine than the shipped model (`agent.detection.names.engine`).

    Not safe to share between threads. Raises `ConfigurationError` if the engine cannot be loaded.
    """

    def __init__(self, model: str | None = None) -> None:
        self._model = model
        self._seen: Repeats[tuple[tuple[int, int], ...]] = Repeats()
        _ = self._engine

    @cached_property
    def _engine(self) -> NameEngine:
        return name_engine(self._model)

    def find(self, text: str) -> list[Span]:
        """The PERSON spans of a text, in order, none in another: whole names, without titles and possessives."""
        found: list[_Name] = []
        for_model: list[tuple[int, int]] = []
        for start, end in _passages(text):
            passage = text[start:end]
            begins = places(passage)
            if not begins:
                continue
            near = parts(passage, begins) if self._engine.looks_near else [(0, len(passage))]
            for_model += [(start + first, start + last) for first, last in near]
            found += [_Name(start + first, start + last, BY_RULE, rule) for first, last, rule in names_by_rule(passage)]
            found += [_Name(start + first, start + last, BY_LIST, "list") for first, last in _by_list(passage)]
        found += [_Name(start, end, BY_MODEL, "model") for start, end in self._by_model(text, for_model)]
        names = _apart(name for one in found if (name := _trimmed(text, one)) is not None)
        names = _apart([*names, *_found_again(text, names)])
        return [Span("PERSON", name.start, name.end, name.score, why=name.why) for name in names]

    def _by_model(self, text: str, stretches: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """What the model finds in the stretches of a text; it is asked for all at once that it has not seen lately."""
        known = {text[start:end]: self._seen.recall(text[start:end]) for start, end in stretches}
        new = [part for part, persons in known.items() if persons is None]
        if new:
            if self._engine.words > _MOST_WORDS:
                del self._engine
            for part, persons in zip(new, self._engine.persons(new), strict=True):
                known[part] = tuple(persons)
                self._seen.remember(part, tuple(persons), weight=60 * len(persons))
        for start, end in stretches:
            for first, last in known[text[start:end]] or ():
                yield start + first, start + last


def whole_name(text: str, span: Span) -> Span | None:
    """The name in a span that may hold a title, letters behind the name, or no name at all: a cell of a table, say."""
    name = _trimmed(text, _Name(span.start, span.end, span.score, span.why))
    return Span("PERSON", name.start, name.end, name.score, span.attributes, span.why) if name else None


def _passages(text: str) -> Iterator[tuple[int, int]]:
    """Parts that end at a blank line or a line's end where there is one near."""
    start = 0
    while len(text) - start > _PASSAGE:
        end = text.rfind("\n\n", start + _PASSAGE // 2, start + _PASSAGE)
        if end < 0:
            end = text.rfind("\n", start + _PASSAGE // 2, start + _PASSAGE)
        if end < 0:
            end = text.rfind(" ", start + _PASSAGE // 2, start + _PASSAGE)
        end = start + _PASSAGE if end < 0 else end + 1
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


_CAPITALISED = r"\p{Lu}[\p{L}\p{M}]+(?:['’-]\p{L}[\p{L}\p{M}]*)*"
_PAIR = regex.compile(
    rf"(?<![\p{{L}}\d@._/-])({_CAPITALISED})(,?)[ \t](?:\p{{Lu}}\.?[ \t]|(?:{_CAPITALISED})[ \t])?({_CAPITALISED})"
    r"(?![\p{L}\d@])"
)


_WITHIN_A_LIST = regex.compile(r"\p{L}[ \t]$")
_LIST_GOES_ON = regex.compile(r",[ \t]\p{Lu}")  # Frank, Dilan, Eleni


def _by_list(passage: str) -> Iterator[tuple[int, int]]:
    """A known given name and another capitalised word, or a known family name and a given one behind a comma."""
    given, family = given_names(), family_names()
    for found in _PAIR.finditer(passage, overlapped=True):
        first, comma, last = as_listed(found[1]), found[2], as_listed(found[3])
        begins, ends = (last, first) if comma else (first, last)
        if ends in NO_PERSON or not _may_be_a_persons(begins, ends) or _names_a_place(passage, found.end()):
            continue
        if _TITLE_BEFORE.match(passage, found.end(2) + 1, found.start(3)):  # on 11 June Mr Brocklesby
            continue
        if last not in family and (last in NO_FIRST or found[3].isupper()):  # Gavin Fri, PENNY BANK BEGAN
            continue
        if comma:
            alone = not _WITHIN_A_LIST.search(passage, max(0, found.start() - 30), found.start())
            if first in given and _LIST_GOES_ON.match(passage, found.end()):
                continue
            shouted = found[1].isupper() and not found[3].isupper() and len(first) > 3  # SMALES, Gary
            if alone and last in given and (shouted or (first in family and found[1].isupper() == found[3].isupper())):
                yield found.start(), found.end()
        elif (first in given and first not in NEVER_ALONE and last not in NEVER_ALONE | COMMON) or (
            first in given and last in family
        ):
            yield found.start(), found.end()


def _trimmed(text: str, name: _Name) -> _Name | None:
    """The name without what surrounds it, or none if it is that of something else."""
    start, end = name.start, name.end
    if cut := _ENDS.search(text, start + 1, end):
        end = cut.start()
    if label := _LABEL_BEFORE.match(text, start, end):
        start = label.end()
    if title := _TITLE_BEFORE.match(text, start, end):
        start = title.end()
    if possessive := _POSSESSIVE.search(text, start, end):
        end = possessive.start()
    if not text[start:end].isupper() and (letters := _LETTERS_BEHIND.search(text, start, end)):
        of_the_name = letters[0].strip(" \t,").casefold() in family_names()  # Jonah WREN
        end = letters.start() if letters.start() > start and not of_the_name else end
    while start < end and text[start] in " \t.,;:'’\"-(":
        start += 1
    while start < end and text[end - 1] in " \t,;:'’\"-)":
        end -= 1
    if end > start and text[end - 1] == "." and not regex.search(r"\b\p{Lu}\.$", text[start:end]):
        end -= 1
    if "@" in text[start:end] or regex.search(r"\d", text[start:end]):
        return None
    before_comma, comma, behind_comma = text[start:end].partition(",")
    surname_first = name.why == SURNAME_FIRST
    if comma and ((" " in before_comma.strip() and not surname_first) or not behind_comma.strip()[:1].isupper()):
        end = start + len(before_comma.rstrip())
    words = [as_listed(word) for word in _WORD.findall(text[start:end])]
    initial = text[start + 1 : start + 2] == "."  # A. Siddiqui
    if all(len(word) == 1 for word in words) or (words[0] in NO_BEGINNING and not initial):
        return None
    first, last = (words[-1], words[0]) if "," in text[start:end] else (words[0], words[-1])
    if len(words) > 1 and not _may_be_a_persons(first, last):
        return None
    if name.why == "model":
        # In small letters a name is told from other words by being known.
        if text[start:end].islower() and not any(word in given_names() or word in family_names() for word in words):
            return None
        if len(words) == 1 and is_hardly_a_name(text, start, end, words[0]):
            return None
    if name.why != "title" and _says_something_else(words, name.why):
        return None
    return _Name(_with_initials(text, start), end, name.score, name.why)


def _with_initials(text: str, start: int) -> int:
    """Where the initials begin that stand before a name, or the name if there are none."""
    initials = _INITIALS_BEFORE.search(text, max(0, start - 12), start)
    return initials.start() if initials else start


_POINTS = frozenset("nesw")  # E. Sussex


def _says_something_else(words: Sequence[str], why: str) -> bool:
    """Whether words are an office, a place, or words of every day, and nobody's name."""
    if len(words) == 1 and why not in ("model", WHY_COLUMN) and (words[0] in NEVER_ALONE or words[0] in NO_PERSON):
        return True
    if any(word in given_names() for word in words):
        return False
    if words[-1] in ROLES or words[0] in PLACES_BEGIN:
        return True
    if words[-1] in NO_FIRST and not any(word in family_names() for word in words):
        return True
    return all(word in PLACES or word in _POINTS for word in words) or all(
        f"{word}s" in NO_FIRST and word not in family_names() for word in words
    )


def _may_be_a_persons(first: str, last: str) -> bool:
    """Whether a name may begin and end so: Simon Church may, St Mary's Church and June Newsletter may not."""
    given = first in given_names()
    if last in NO_PERSON and not (given and last in family_names() | SURNAMES_TOO):
        return False
    return first not in NO_PERSON or given


def _apart(names: Iterable[_Name]) -> list[_Name]:
    """The names, none overlapping another: the longer one stays, of equals the surer."""
    kept: list[_Name] = []  # in order
    for name in sorted(names, key=lambda name: (name.start - name.end, -name.score, name.start)):
        place = bisect(kept, name.start, key=_start)
        if (not place or kept[place - 1].end <= name.start) and (place == len(kept) or name.end <= kept[place].start):
            kept.insert(place, name)
    return kept


def _start(name: _Name) -> int:
    return name.start


def _found_again(text: str, names: Sequence[_Name]) -> list[_Name]:
    """Where a name that was found stands again: as a whole, in capitals, or its first or last part alone."""
    forms: set[str] = set()
    for name in names:
        words = _WORD.findall(text[name.start : name.end])
        forms.add(text[name.start : name.end])
        for word in (words[0], words[-1]):
            if len(word) > 2 and word[0].isupper() and word.casefold() not in NEVER_ALONE | NO_PERSON:
                forms.add(word)
                forms.add(word.upper())
    if not forms:
        return []
    occurrences = AhoCorasick(sorted(forms)).find_matches_as_indexes(text, overlapping=True)
    again: list[_Name] = []
    behind = 0
    for start, end in sorted(((start, end) for _, start, end in occurrences), key=lambda place: (place[0], -place[1])):
        if start >= behind and not _GOES_ON.match(text, end) and not (start and _is_within(text[start - 1])):
            behind = end
            if not _names_a_place(text, end):
                again.append(_Name(_with_initials(text, start), end, AGAIN, "again"))
    return again


_GOES_ON = regex.compile(r"[\p{L}\d@]|['’]\p{L}{2}|[-_.]\p{L}")


def _is_within(before: str) -> bool:
    """Whether what follows a character is a part of a word, an address or the like."""
    return before.isalpha() or before.isdecimal() or before in "@._-"


_FIRM_BEHIND = regex.compile(r"[ \t](?:&|and (?=Sons|Daughters|Partners|Co\b)|\+ (?=Sons))")
_WORDS_BEHIND = regex.compile(r"[ \t](\p{Lu}[\p{L}'’]*)(?:[ \t](\p{Lu}[\p{L}'’]*))?")


def _names_a_place(text: str, end: int) -> bool:
    behind = text[end : end + 40]
    if _FIRM_BEHIND.match(behind):
        return True
    words = _WORDS_BEHIND.match(behind)
    return words is not None and any(word and word.casefold() in NO_PERSON for word in words.groups())

"""Where in a text a name may begin, so that rules and models look there alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from string import ascii_lowercase

from agent.detection.names.gazetteer import family_names, given_names
from agent.detection.names.rules import TITLES
from agent.detection.names.words import FIRST_OF_TWO, MONTHS, NO_FIRST
from agent.detection.segments import joined

# Which the model may see before a place and behind it. It looks three words to either side, and a name has few words.
_BEFORE, _BEHIND = 48, 96
_FEW = 3
_SPARSE = 150  # characters for each capital: with fewer capitals, names may be written without one

_CAPITALISED = re.compile(r"(?<![^\W_])[^\W\d_a-z][^\W\d_]*+(?!\d)")
_CAPITALISED_IN_ASCII = re.compile(r"[A-Z](?<![A-Za-z0-9][A-Z])[A-Za-z]*+(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_ALONE = re.compile(r"\n([a-z]+)[ \t]*(?![^\n])")  # on a line, as people sign in haste
_NEXT_IS_CAPITALISED = re.compile(r"[ \t]+[^\W\d_a-z]")
_DATE_BEFORE = re.compile(
    r"(?:(?<![^\W_])(?:in|of|by|on|since|until|till|from|to|before|after|next|last|this|every|each|early|late|mid|end)"
    r"|\d(?:st|nd|rd|th)?)[ \t]$",
    re.IGNORECASE,
)
_DATE_BEHIND = re.compile(r"[ \t]\d")


@lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """Given and family names and titles, in small letters."""
    return given_names() | family_names() | frozenset(title.casefold() for title in TITLES)


def may_begin(word: str) -> bool:
    """Whether the model may begin a name with a word, as far as that word tells: with a capital, or if it is known.

    Of "BASSI, Harjit" it sometimes takes the comma for the first word of the name.
    """
    if word == ",":
        return True
    if "@" in word or any(letter.isdigit() for letter in word):
        return False
    if word.islower():
        return not known_words().isdisjoint(_WORD.findall(word))
    return word[:1].isalpha()


def places(text: str) -> list[int]:
    """Where something says that a name may begin, in order: capitalised words that are not common ones; known names
    alone on a line, and in a text with few capitals everywhere."""
    known = known_words()
    pattern = _CAPITALISED_IN_ASCII if text.isascii() else _CAPITALISED
    capitalised = pattern.findall(text)
    found: list[int] = []
    if words := set(capitalised) - _no_places():
        found += [match.start() for match in _standing(text, words, pattern) if _is_place(text, match)]
    if len(capitalised) * _SPARSE < len(text):
        small = (match for match in _WORD.finditer(text) if match[0].islower())
        found += [match.start() for match in small if match[0] in known and match[0] not in FIRST_OF_TWO]
    else:
        found += [match.start(1) for match in _ALONE.finditer(text) if match[1] in known]
    return sorted(found)


def _standing(text: str, words: Collection[str], pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Where some of the words that a pattern finds stand; a few are looked for one by one, which is faster."""
    if len(words) > _FEW:
        yield from (match for match in pattern.finditer(text) if match[0] in words)
        return
    for word in words:
        start = text.find(word)
        while start >= 0:
            match = pattern.match(text, start)
            if match is not None and match[0] == word:
                yield match
            start = text.find(word, start + 1)


@lru_cache(maxsize=1)
def _no_places() -> frozenset[str]:
    """Capitalised words that are no place, whatever stands beside them."""
    return frozenset(form for word in (*NO_FIRST, *ascii_lowercase) for form in (word.capitalize(), word.upper()))


def _is_place(text: str, match: re.Match[str]) -> bool:
    word = match[0]
    lowered = word.lower()
    if lowered in NO_FIRST or word.islower() or (len(word) == 1 and word.isupper()):
        return False  # an initial says nothing without the name behind it
    if lowered in FIRST_OF_TWO or (word.isupper() and lowered not in known_words()):
        return _NEXT_IS_CAPITALISED.match(text, match.end()) is not None
    if lowered in MONTHS and not _NEXT_IS_CAPITALISED.match(text, match.end()):
        before = _DATE_BEFORE.search(text, max(0, match.start() - 8), match.start())
        return before is None and _DATE_BEHIND.match(text, match.end()) is None
    return True


def parts(text: str, starts: Sequence[int]) -> list[tuple[int, int]]:
    """The parts of a text around the places, in order, from white space to white space."""
    near = joined((max(0, start - _BEFORE), start + _BEHIND) for start in starts)
    return joined((text.rfind(" ", 0, begin) + 1, _space(text, end)) for begin, end in near)


def _space(text: str, position: int) -> int:
    found = text.find(" ", position)
    return len(text) if found < 0 else found

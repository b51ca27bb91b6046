"""The lexicons of the nine categories, and of the words that tie a sentence to somebody: found in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ConfigurationError
from agent.model.finding import DataCategory

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick
    from hyperscan import Database

CATEGORIES = (
    DataCategory.HEALTH,
    DataCategory.RACE_ETHNICITY,
    DataCategory.RELIGION_BELIEF,
    DataCategory.POLITICAL_OPINION,
    DataCategory.TRADE_UNION,
    DataCategory.SEX_LIFE_ORIENTATION,
    DataCategory.GENETIC,
    DataCategory.BIOMETRIC,
    DataCategory.CRIMINAL,
)
TIERS = ("strong", "normal", "ambiguous")
STRONG, NORMAL = 0, 1
CONTEXTS = ("kin", "role", "policy", "negation", "doubt")
PATTERN = len(TIERS)  # the tier of what a regular expression finds
HOMONYM = PATTERN + 1  # a phrase that only looks like a term
FIRST_CONTEXT = HOMONYM + 1  # the tiers of the contexts follow
_NO_CATEGORY = -1
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # no library can encode them


@dataclass(frozen=True, slots=True)
class Hit:
    """A term in a text, by character offsets. `category` is an index into CATEGORIES, -1 for a context."""

    start: int
    end: int
    category: int
    tier: int


@dataclass(frozen=True, slots=True)
class _Meaning:
    category: int
    tier: int
    capital: bool


class Lexicon:
    """Finds the terms of lexicon files. Raises `ConfigurationError` if one cannot be used.

    A term is found as a whole word in any case, also with a plural or possessive ending; one listed under `capitals`
    only where it begins with a capital letter.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._meanings: dict[str, list[_Meaning]] = {}
        self._patterns: list[tuple[int, re.Pattern[str]]] = []
        for file in files:
            self._read(file)
        self._terms = sorted(self._meanings)
        self._by_index = [self._meanings[term] for term in self._terms]
        self._openers: dict[int, tuple[list[str], AhoCorasick]] = {}

    @cached_property
    def _term_search(self) -> AhoCorasick:
        from ahocorasick_rs import AhoCorasick

        return AhoCorasick(self._terms)

    def _opener_search(self, weakest: int) -> tuple[list[str], AhoCorasick]:
        """The terms of a category that are at least as strong, and what finds them."""
        from ahocorasick_rs import AhoCorasick, Implementation

        if weakest not in self._openers:
            terms = [term for term in self._terms if any(_opens(each, weakest) for each in self._meanings[term])]
            self._openers[weakest] = terms, AhoCorasick(terms, implementation=Implementation.DFA)
        return self._openers[weakest]

    @cached_property
    def _pattern_search(self) -> Database:
        import hyperscan

        # Over bytes: Unicode classes would take Hyperscan half a minute to compile.
        database = hyperscan.Database()
        database.compile(
            expressions=[_in_ascii(pattern.pattern) for _, pattern in self._patterns],
            ids=range(len(self._patterns)),
            flags=hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH,
        )
        return database

    def _read(self, file: Path) -> None:
        import yaml

        try:
            with file.open("rb") as opened:
                given = yaml.load(opened, yaml.CSafeLoader)
            category = CATEGORIES.index(DataCategory(given["category"])) if "category" in given else _NO_CATEGORY
            capitals = {str(term).lower() for term in given.get("capitals", ())}
            for name, tier in _TIER_OF.items():
                for term in given.get(name, ()):
                    lowered = str(term).lower().replace("’", "'")
                    meaning = _Meaning(category, tier, tier < PATTERN and lowered in capitals)
                    self._meanings.setdefault(lowered, []).append(meaning)
            self._patterns += [(category, _compiled(pattern)) for pattern in given.get("patterns", ())]
        except (OSError, ValueError, KeyError, AttributeError, TypeError, re.error, yaml.YAMLError) as error:
            raise ConfigurationError(f"The lexicon {file.name} cannot be used: {type(error).__name__}.") from error

    def openings(self, text: str, weakest: int = NORMAL) -> list[tuple[int, int]]:
        """Where something may be said of a category, by offsets of terms that are at least as strong as `weakest`."""
        lowered = lower(text)
        terms, search = self._opener_search(weakest)
        return [
            (start, end)
            for index, start, end in search.find_matches_as_indexes(lowered, overlapping=True)
            if _whole(lowered, start, end)
            and any(
                _opens(meaning, weakest) and (not meaning.capital or text[start].isupper())
                for meaning in self._meanings[terms[index]]
            )
        ]

    def terms(self, text: str) -> list[Hit]:
        """What the lexicons have in a text, patterns left out, in order of their ends."""
        lowered = lower(text)
        found: list[Hit] = []
        for index, start, end in self._term_search.find_matches_as_indexes(lowered, overlapping=True):
            if not _whole(lowered, start, end):
                continue
            found += [
                Hit(start, end, meaning.category, meaning.tier)
                for meaning in self._by_index[index]
                if not meaning.capital or text[start].isupper()
            ]
        return hits_without_homonyms(found)

    def patterned(self, text: str) -> list[Hit]:
        """What the regular expressions find in a text; only those run that may match by a first pass over all."""
        text = text.replace("’", "'")
        possible: set[int] = set()
        # A byte for each character: other letters than Latin ones match no class of an ASCII expression anyway.
        single = text.encode("latin-1", "replace")
        self._pattern_search.scan(single, match_event_handler=lambda number, *_: possible.add(number))
        return [
            Hit(match.start(), match.end(), self._patterns[number][0], PATTERN)
            for number in sorted(possible)
            for match in self._patterns[number][1].finditer(text)
            if match.end() > match.start()
        ]


def _compiled(pattern: str) -> re.Pattern[str]:
    """Over ASCII words, so that a scan over bytes sees the same as the expression itself."""
    return re.compile(pattern.replace("’", "'"), re.ASCII)


def _in_ascii(pattern: str) -> bytes:
    """An expression over Latin-1 bytes, itself in ASCII as Hyperscan wants it."""
    return "".join(letter if letter.isascii() else f"\\x{ord(letter):02x}" for letter in pattern).encode()


def _opens(meaning: _Meaning, weakest: int = NORMAL) -> bool:
    return meaning.category != _NO_CATEGORY and meaning.tier <= weakest


def _whole(lowered: str, start: int, end: int) -> bool:
    """Whether words begin and end where a term does, a plural ending aside."""
    if start and lowered[start - 1].isalnum() and lowered[start].isalnum():
        return False
    return end == len(lowered) or not lowered[end].isalnum() or _ends(lowered, end)


_TIER_OF = {name: tier for tier, name in enumerate((*TIERS, "", "homonyms", *CONTEXTS)) if name}


def lower(text: str) -> str:
    """The text in lower case, with straight apostrophes, of the same length."""
    if not text.isascii():
        text = _LONE_SURROGATES.sub("\ufffd", text)
    lowered = text.lower().replace("’", "'")
    if len(lowered) != len(text):  # a few letters grow, such as a dotted capital I
        lowered = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text).replace("’", "'")
    return lowered


def _ends(text: str, position: int) -> bool:
    """Whether a word ends after a plural ending."""
    return text[position] == "s" and (position + 1 == len(text) or not text[position + 1].isalnum())


def hits_without_homonyms(hits: Sequence[Hit]) -> list[Hit]:
    """Drops what stands inside of a phrase that only looks like a term of its category. The phrase itself stays."""
    phrases = [hit for hit in hits if hit.tier == HOMONYM]
    if not phrases:
        return list(hits)
    covered: dict[int, list[tuple[int, int]]] = {}
    for phrase in phrases:
        covered.setdefault(phrase.category, []).append((phrase.start, phrase.end))
    return [
        hit
        for hit in hits
        if hit.tier >= HOMONYM
        or not any(start <= hit.start and hit.end <= end for start, end in covered.get(hit.category, ()))
    ]


def shipped_lexicons() -> list[Path]:
    """The lexicon files that come with the package, or those of the repository it runs from."""
    package = Path(str(resources.files("agent")))
    installed = package / "shipped" / "config" / "lexicons"
    return sorted((installed if installed.is_dir() else package.parent / "config" / "lexicons").glob("*.yaml"))


@lru_cache(maxsize=1)
def shipped_lexicon() -> Lexicon:
    """The lexicon that comes with the package; read once."""
    return Lexicon(shipped_lexicons())

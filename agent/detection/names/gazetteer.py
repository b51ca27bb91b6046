"""Given and family names that one meets in Britain, by where they come from.

`people/*.txt` has a line for each origin: `origin: women's given names | men's given names | family names`. The lists
are ours, written for this program; a name in them says nothing about anybody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_NO_ACCENTS = str.maketrans("łøđıð", "lodid")  # letters of their own, that a typist without them replaces
FOLDER = Path(__file__).parent / "people"


@dataclass(frozen=True, slots=True)
class Origin:
    """The names of one origin, as they are written; "_" stands for a space within a name."""

    name: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    family: tuple[str, ...]


@lru_cache(maxsize=1)
def origins() -> tuple[Origin, ...]:
    """Every origin in the files, in their order."""
    return tuple(_read())


def _read() -> Iterator[Origin]:
    for path in sorted(FOLDER.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, colon, lists = line.partition(":")
            if colon and not name.startswith("#"):
                women, men, family = ([word.replace("_", " ") for word in part.split()] for part in lists.split("|"))
                yield Origin(name, tuple(women), tuple(men), tuple(family))


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """All given names, in small letters, with their accents and as they are written without."""
    return _written(name for origin in origins() for name in (*origin.women, *origin.men))


@lru_cache(maxsize=1)
def family_names() -> frozenset[str]:
    """All family names, in small letters, with their accents and as they are written without."""
    return _written(name for origin in origins() for name in origin.family)


def _written(names: Iterable[str]) -> frozenset[str]:
    small = {name.casefold() for name in names}
    return frozenset(small | {as_listed(name) for name in small})


def as_listed(word: str) -> str:
    """A word as it is looked up: in small letters and without accents, with which the lists may hold it or not."""
    small = word.casefold()
    if small.isascii():
        return small
    parts = unicodedata.normalize("NFD", small.translate(_NO_ACCENTS))
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")

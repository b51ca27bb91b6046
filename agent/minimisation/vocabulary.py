"""Which fields there are, how documents label them, and the words they may have: `outcomes.yaml`, ready for use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import yaml

_STRAIGHT = str.maketrans("’‘“”‐‑–—", "''\"\"----")
_NEVER = r"(?!)"


class FieldKind(StrEnum):
    """How a field is read."""

    WORD = "word"
    DATE = "date"
    NUMBER = "number"
    SUMMARY = "summary"
    DATES = "dates"
    GIVEN = "given"  # never from the document


@dataclass(frozen=True, slots=True)
class Words:
    """Phrases that are found as whole words, the longest first, each with the word that is kept for it."""

    kept: Mapping[str, str]
    pattern: re.Pattern[str]

    @staticmethod
    def of(kept: Mapping[str, str]) -> Words:
        return Words(kept, phrases(kept))

    def found_in(self, text: str) -> set[str]:
        """The words to keep for the phrases in a text."""
        return {self.kept[_normal(match[0])] for match in self.pattern.finditer(text)}

    def without(self, text: str) -> str:
        """The text with nothing where the phrases were."""
        return self.pattern.sub(" ", text)


@dataclass(frozen=True, slots=True)
class FieldForm:
    """How one field is read: its labels, its words, and the fields it is made of.

    With `several` more than one word may stand. `alone` are words that count without a label where they are all that a
    sentence says; with `titled` the document's title says the word where no label does.
    """

    kind: FieldKind
    labels: tuple[str, ...] = ()
    words: Words | None = None
    several: bool = False
    alone: Words | None = None
    titled: bool = False
    of: tuple[str, ...] = ()


class Vocabulary:
    """What `outcomes.yaml` says."""

    def __init__(self, text: str) -> None:
        said: dict[str, Any] = yaml.safe_load(text)
        self._words: dict[str, dict[str, str]] = {
            name: {_normal(written): kept for kept, all_written in words.items() for written in all_written}
            for name, words in said["words"].items()
        }
        self._fields = {name: self._form(form) for name, form in said["fields"].items()}
        self.topics = phrases(self._words["allegations"])
        self.announcing = phrases(said["announcing"])
        self.leaving_open = phrases(said["leaving_open"])
        self.superseding = phrases(said["superseding"])
        self.empty = frozenset(map(plain, said["empty"]))
        self.beside = frozenset(map(plain, said["beside"]))

    def _form(self, said: Mapping[str, Any]) -> FieldForm:
        return FieldForm(
            FieldKind(said["kind"]),
            tuple(map(_normal, said.get("labels", ()))),
            self._words_of(said.get("words", ())),
            said.get("several", False),
            self._words_of(said.get("alone", ())),
            said.get("titled", False),
            tuple(said.get("of", ())),
        )

    def _words_of(self, names: Iterable[str]) -> Words | None:
        words = {written: kept for name in names for written, kept in self._words[name].items()}
        return Words.of(words) if words else None

    def form(self, field: str) -> FieldForm:
        """How a field of that name is read."""
        if field in self._fields:
            return self._fields[field]
        if not field.endswith("_on"):
            return FieldForm(FieldKind.GIVEN)
        what = field.removesuffix("_on").replace("_", " ")
        return FieldForm(FieldKind.DATE, (f"{what} on", f"date {what}", f"{what} date", f"date of {what}", what))

    @property
    def dates(self) -> tuple[str, ...]:
        """The names of the date fields that are listed."""
        return tuple(name for name, form in self._fields.items() if form.kind is FieldKind.DATE)

    def labels(self, fields: Iterable[str]) -> frozenset[str]:
        """Every label of these fields, and of those that they are made of."""
        labels: set[str] = set()
        for form in map(self.form, fields):
            labels.update(form.labels, self.labels(self.dates if form.kind is FieldKind.DATES else form.of))
        return frozenset(labels)


def straight(text: str) -> str:
    """The text with straight quotes and plain hyphens, of the same length."""
    return text.translate(_STRAIGHT)


def plain(text: str) -> str:
    """The text as it is compared: small letters, single blanks, straight quotes and hyphens."""
    return " ".join(straight(text).casefold().split())


def label_name(text: str) -> str:
    """A label as `FieldForm` has it."""
    return _normal(text)


def any_of(texts: Iterable[str]) -> str:
    """An expression for any of these, the longest first; where one has a blank there may be several, or a hyphen."""
    longest_first = sorted(map(_normal, texts), key=len, reverse=True)
    return "|".join(re.escape(text).replace(r"\ ", r"[\s-]+") for text in longest_first) or _NEVER


def phrases(texts: Iterable[str]) -> re.Pattern[str]:
    """An expression for any of these as whole words."""
    return re.compile(rf"(?<![\w'-])(?:{any_of(texts)})(?![\w'-])", re.IGNORECASE)


def _normal(text: str) -> str:
    return plain(text).replace("-", " ")


@cache
def shipped() -> Vocabulary:
    """The vocabulary that comes with us."""
    return Vocabulary(resources.files(__package__).joinpath("outcomes.yaml").read_text(encoding="utf-8"))

"""Reading the members of a JSON object whose fields are a closed set, each in one form only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z", re.ASCII)
_LARGEST_WHOLE = 2**63 - 1
# Characters that override the reading direction, by which a name could be made to look like another one.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class NotACertificate(ValueError):
    """Bytes that are no certificate of this version in canonical form; says why, without repeating them."""


class Fields:
    """An object's members, each to be taken once; `where` names it in what is said of faults.

    Every call raises `NotACertificate` for what is missing or has another form.
    """

    def __init__(self, said: object, where: str) -> None:
        if type(said) is not dict:
            raise NotACertificate(f"{where or 'it'} is not an object")
        self._left = dict(said)
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def end(self) -> None:
        """Nothing may be left over."""
        if self._left:
            raise NotACertificate(f"{self._where or 'it'} has a field that a certificate does not have")

    def text(self, name: str, *, may_be_empty: bool = False) -> str:
        """Text that can be shown as it is."""
        value = self._take(name, str)
        if not (value or may_be_empty):
            raise NotACertificate(f"{self._named(name)} is empty")
        if any(_hidden(character) for character in value):
            raise NotACertificate(f"{self._named(name)} has characters that cannot be shown")
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """Text of a given form."""
        value = self._take(name, str)
        if not pattern.fullmatch(value):
            raise self._unfit(name)
        return value

    def word(self, name: str, words: type[_Word]) -> _Word:
        """A word of a vocabulary."""
        return self._read(name, self._take(name, str), words)

    def whole(self, name: str) -> int:
        """A whole number, not below zero."""
        value = self._take(name, int)
        if not 0 <= value <= _LARGEST_WHOLE:
            raise self._unfit(name)
        return value

    def hashed(self, name: str) -> bytes:
        """The 32 bytes of a hash."""
        return bytes.fromhex(self.matching(name, _HASH))

    def moment(self, name: str) -> datetime:
        """A moment in UTC."""
        return self._read(name, self.matching(name, _MOMENT), datetime.fromisoformat)

    def day(self, name: str) -> date:
        """A calendar day."""
        return self._read(name, self.matching(name, _DAY), date.fromisoformat)

    def fields(self, name: str) -> Fields:
        """An object inside."""
        return Fields(self._take(name, dict), self._named(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(one.text("") for one in self._each(name))

    def hashes(self, name: str) -> tuple[bytes, ...]:
        """A list of hashes."""
        return tuple(one.hashed("") for one in self._each(name))

    def objects(self, name: str) -> Iterator[Fields]:
        """A list of objects, which `end` after one another."""
        for one in self._each(name):
            inside = one.fields("")
            yield inside
            inside.end()

    def _each(self, name: str) -> Iterator[Fields]:
        for number, value in enumerate(self._take(name, list), start=1):
            yield Fields({"": value}, f"{self._named(name)} {number}")

    def _read(self, name: str, value: str, read: Callable[[str], _T]) -> _T:
        try:
            return read(value)
        except ValueError:
            raise self._unfit(name) from None

    def _take(self, name: str, wanted: type[_T]) -> _T:
        if name not in self._left:
            raise NotACertificate(f"{self._named(name)} is missing")
        value = self._left.pop(name)
        if type(value) is not wanted:  # True is an int to isinstance
            raise self._unfit(name)
        return value

    def _unfit(self, name: str) -> NotACertificate:
        return NotACertificate(f"{self._named(name)} has a value that it cannot have")

    def _named(self, name: str) -> str:
        return " ".join(filter(None, (self._where, name)))


def say_moment(at: datetime) -> str:
    """The one form in which a moment is written: `2026-11-24T09:05:00.000000Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _hidden(character: str) -> bool:
    return character in _TURNING or (unicodedata.category(character) in {"Cc", "Cs"} and character != "\n")

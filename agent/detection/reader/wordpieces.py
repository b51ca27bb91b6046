"""A text in the pieces of words that the reader knows: the uncased scheme of BERT, with a vocabulary of ours."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

UNKNOWN, BEGINNING, END = "[UNK]", "[CLS]", "[SEP]"
_GOES_ON = "##"  # begins a piece that is no beginning of a word
_LONGEST_WORD = 100  # letters; a longer one is unknown
_WORDS_KEPT = 50_000
_WORD = re.compile(r"\S+")


class WordPieces:
    """Cuts texts into pieces, each by its number in the vocabulary. Safe to share between threads."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._written = tuple(vocabulary)
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self.beginning, self.end = self._numbers[BEGINNING], self._numbers[END]
        self._unknown = self._numbers[UNKNOWN]
        self._longest = max(map(len, vocabulary))
        self._letters = _Letters()
        self._cut = lru_cache(_WORDS_KEPT)(self._in_word)

    def of(self, text: str) -> list[int]:
        """The pieces of a text, in order, without marks of where it begins and ends."""
        return [piece for word in text.translate(self._letters).split() for piece in self._cut(word)]

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where the pieces of `of` stand in the text, by character offsets; those of an unknown word are all of it."""
        became = [self._letters[ord(letter)] for letter in text]
        shown = "".join(became)
        begins = list(accumulate(map(len, became), initial=0))  # of each letter in what is shown
        found: list[tuple[int, int]] = []
        for word in _WORD.finditer(shown):
            start = word.start()
            for piece in self._cut(word[0]):
                end = word.end() if piece == self._unknown else start + len(self._written[piece].removeprefix(_GOES_ON))
                found.append((bisect_right(begins, start) - 1, bisect_left(begins, end)))
                start = end
        return found

    def _in_word(self, word: str) -> tuple[int, ...]:
        """The longest piece that the word begins with, the longest that the rest begins with, and so on."""
        if len(word) > _LONGEST_WORD:
            return (self._unknown,)
        found: list[int] = []
        start = 0
        while start < len(word):
            goes_on = _GOES_ON if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                number = self._numbers.get(goes_on + word[start:end])
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                return (self._unknown,)
        return tuple(found)


class _Letters(dict[int, str]):
    """What becomes of a character: small, without accents; signs stand alone; what cannot be seen is gone."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        category = unicodedata.category(letter)
        if letter.isspace():
            became = " "
        elif category[0] == "C" or code == 0xFFFD:
            became = ""
        else:
            plain = "".join(part for part in unicodedata.normalize("NFD", letter) if unicodedata.category(part) != "Mn")
            apart = category[0] == "P" or (letter.isascii() and not letter.isalnum()) or _is_chinese(code)
            became = f" {plain.lower()} " if apart else plain.lower()
        self[code] = became
        return became


def _is_chinese(code: int) -> bool:
    """Whether words are written with the character without blanks between them."""
    return (
        0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2FA1F or 0xF900 <= code <= 0xFAFF
    )

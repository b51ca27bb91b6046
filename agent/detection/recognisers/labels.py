"""The words before a number that say what it is, for all recognisers alike.

A number belongs to the label before it: behind "order no." a number that passes the check of an NHS number is an order.
Every recogniser therefore sees the labels of the others too, and those of numbers that nobody looks for (`OTHER`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import regex

from agent.detection.recognisers.vocabulary import (
    ALONE,
    LETTERS,
    NUMBER_WORDS,
    OWNERS,
    POSTS,
    REFERENCE_WORDS,
    SHORTENED,
    WITH_NUMBER,
    Kind,
)

# How many characters before a value, and behind it, any recogniser may look at.
REACH = 100
REACH_BEHIND = 60

_CLOSE = 45
_MOST_WORDS = 4
# By its first word, of how many words a label may be.
_WORDS_FROM: dict[str, int] = {}
for _label in (*ALONE, *WITH_NUMBER):
    _first = _label.partition(" ")[0]
    _WORDS_FROM[_first] = min(_MOST_WORDS, max(_WORDS_FROM.get(_first, 0), _label.count(" ") + 1))
_WINDOWS_KEPT = 4_096  # recognisers ask about the same places one after the other, each about a piece of a text

_TOKEN = regex.compile(r"(?:\p{L}\.){2,4}|\p{L}+(?:[’'/-]\p{L}+)*|#")
# What may stand between without taking the value away from its label.
_TAKEN = regex.compile(r"\d{3}|\n[^\n]*\S|[.;!?]\s+\p{Lu}")
_APART = regex.compile(r"\n|    +\p{L}")  # on another line, or before another column
_CONNECTING = regex.compile(
    r"(?:[\s:.,;#=()\[\]|\"'’“‘*>_–—→/-]"
    r"|\b(?:nos?|numbers?|num|refs?|references?|is|was|are|id|code|of|on|our|the|my|your|his|her|their|its|to|as|given"
    r"|seen|shown|held|under|now|and|for|file|copy|opened|logged|uk|gb|original|checked|issued|by|from|at|in|with|s|me"
    r"|it|you|gave|they|a|an|still|if|quote|please|quoting|has|me|use|number's|letter|before|came|through|pay|they|want|them|was|dated|new|old|it's)\b){0,24}",
    regex.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Label:
    """A label before a value. `numbered` says that it ends in a word such as "no."; `gap` is what stands between."""

    kind: Kind
    phrase: str
    numbered: bool
    gap: str

    @property
    def adjacent(self) -> bool:
        """Whether nothing but punctuation and words like "is" or "given" stands between."""
        if self.kind == Kind.OTHER and not self.numbered and _APART.search(self.gap) and ":" not in self.gap:
            return False
        ended = self.gap[:1] == "." and not self.numbered and self.phrase not in SHORTENED
        return not ended and _CONNECTING.fullmatch(self.gap) is not None

    @property
    def close(self) -> bool:
        """Whether it is in the same sentence, near, and no other number has come in between."""
        return len(self.gap) <= _CLOSE and not _TAKEN.search(self.gap)


def labels_before(text: str, start: int) -> tuple[Label, ...]:
    """The labels at most `REACH` characters before `start`, the nearest first."""
    return _labels_in(text[max(0, start - REACH) : start])


def close_label(labels: Iterable[Label], *kinds: Kind) -> bool:
    """Whether a label of one of the kinds is close."""
    return any(label.kind in kinds and label.close for label in labels)


@lru_cache(maxsize=_WINDOWS_KEPT)
def _labels_in(window: str) -> tuple[Label, ...]:
    tokens = [(found.start(), found.end(), _plain(found[0])) for found in _TOKEN.finditer(window)]
    labels: list[Label] = []
    position = 0
    while position < len(tokens):
        used, label = _label_at(window, tokens, position)
        if label is not None:
            labels.append(label)
        position += used
    return tuple(reversed(labels))


def _label_at(window: str, tokens: list[tuple[int, int, str]], position: int) -> tuple[int, Label | None]:
    """The longest label that begins with a token, and of how many tokens it is made."""
    for count in range(min(_WORDS_FROM.get(tokens[position][2], 0), len(tokens) - position), 0, -1):
        phrase = " ".join(token for _, _, token in tokens[position : position + count])
        alone, with_number = ALONE.get(phrase), WITH_NUMBER.get(phrase)
        if alone is None and with_number is None:
            continue
        end = tokens[position + count - 1][1]
        used = count
        while position + used < len(tokens) and used < count + 2 and tokens[position + used][2] in NUMBER_WORDS:
            begins = tokens[position + used][0]
            # "No" on a line of its own, or behind a full stop, begins a label and does not end the one before.
            word = tokens[position + used][2]
            if (phrase in POSTS and word in REFERENCE_WORDS) or (phrase in OWNERS and word not in REFERENCE_WORDS):
                break
            if begins - end > 3 or (window[begins].isupper() and _begins_anew(window[end:begins], phrase)):
                break
            end = tokens[position + used][1]
            used += 1
        kind = with_number if used > count and with_number is not None else alone
        if kind is not None:
            numbered = used > count or phrase in NUMBER_WORDS
            return used, Label(kind, phrase, numbered, window[end:])
    start, end, token = tokens[position]
    if token in LETTERS and len(window) - end <= 4 and not window[start - 1 : start].isalnum():
        return 1, Label(LETTERS[token], token, False, window[end:])
    return 1, None


def _begins_anew(gap: str, phrase: str) -> bool:
    return "\n" in gap or (gap[:1] in (".", "!", "?") and phrase.split()[-1] not in SHORTENED)


@lru_cache(maxsize=8_192)
def _plain(token: str) -> str:
    token = token.casefold().replace("’", "'").removesuffix("'s").removesuffix("s'")
    return token.replace(".", "").replace("'", "")

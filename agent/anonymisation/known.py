"""Values that were found once, looked for everywhere else."""

from __future__ import annotations

from ahocorasick_rs import AhoCorasick

from agent.model.finding import Span

# What is shorter stands in any document for something else as well: a page's number, "al" in "et al.".
_LEAST_LETTERS = 3
_LEAST_WITH_DIGITS = 5


class KnownValues:
    """The values found so far. They are kept in memory, for one document."""

    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._searched: list[str] = []
        self._search = AhoCorasick([])

    def __len__(self) -> int:
        return len(self._types)

    def learn(self, entity_type: str, value: str) -> None:
        """Remembers a value, unless it is too short to stand for itself."""
        folded = folding(value).strip()
        letters = sum(map(str.isalpha, folded))
        if letters >= _LEAST_LETTERS or (len(folded) >= _LEAST_WITH_DIGITS and any(map(str.isdigit, folded))):
            self._types.setdefault(folded, entity_type)

    def find(self, text: str) -> list[Span]:
        """Where known values stand in the text as whole words, in capitals or not."""
        if len(self._searched) != len(self._types):
            self._searched = list(self._types)
            self._search = AhoCorasick(self._searched)
        folded = folding(text)
        return [
            Span(self._types[self._searched[number]], start, end, 1.0)
            for number, start, end in self._search.find_matches_as_indexes(folded, overlapping=True)
            if _whole(folded, start, end)
        ]


def folding(text: str) -> str:
    """The text as values are compared: small letters, and a space for each white space and low line.

    Every character keeps its offset.
    """
    lowered = text.lower()
    if len(lowered) != len(text):  # one letter of Turkish becomes two
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.translate(_ALIKE)


_ALIKE = {
    **dict.fromkeys(map(ord, "_\t\n\r\v\f\xa0\u2007\u202f"), " "),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # half a character, as it stands in broken files
}


def _whole(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() and text[start].isalnum()) and not (after.isalnum() and text[end - 1].isalnum())

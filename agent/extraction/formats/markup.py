"""Markup looked at without building a tree: is it safe to parse, and what is left of it without its tags.

Everything here takes time in proportion to the length of the markup, whoever wrote it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

# A tree parser's work grows with the square of these, so beyond them the markup is stripped without understanding it.
_MOST_NESTED = 3_000
_MOST_TAGS = 400_000
_MOST_ATTRIBUTES = 5_000
_LONG_TAG = 20_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})")
_NEVER_NESTED = frozenset(
    "area base br col embed hr img input link meta source track wbr p li td tr th dt dd option".split()
)
_HIDDEN = ("script", "style")


class _Finder:
    """`str.find` that remembers its last answer, since that holds for every later place before it."""

    def __init__(self, text: str, wanted: str) -> None:
        self._text = text
        self._wanted = wanted
        self._found = -2

    def __call__(self, start: int) -> int:
        """The first place at or behind `start`, or the end of the text."""
        if self._found < start:
            found = self._text.find(self._wanted, start)
            self._found = len(self._text) if found < 0 else found
        return self._found


def too_much_for_a_tree(markup: str) -> bool:
    """Whether the markup is nested, or its tags are stuffed, beyond all reason."""
    tag_end, comment_end = _Finder(markup, ">"), _Finder(markup, "-->")
    opened: dict[str, int] = {}
    nested = tags = position = looked_at = 0
    while (position := markup.find("<", position)) >= 0:
        if markup.startswith("<!--", position):
            position = comment_end(position) + 3
            continue
        tag = _TAG.match(markup, position)
        if tag is None:
            position += 1
            continue
        tags += 1
        end = tag_end(position)
        if end - position > _LONG_TAG and end != looked_at:
            looked_at = end
            if _separators(markup[position:end]) > _MOST_ATTRIBUTES:
                return True
        closing, name = tag.group(1), tag.group(2).lower()
        if closing and opened.get(name):
            opened[name] -= 1
            nested -= 1
        elif not closing and name not in _NEVER_NESTED and not markup.endswith("/", position, end):
            opened[name] = opened.get(name, 0) + 1
            nested += 1
        if nested > _MOST_NESTED or tags > _MOST_TAGS:
            return True
        position = tag.end()
    return False


def _separators(tag: str) -> int:
    return sum(tag.count(char) for char in " \t\n\r\f/=")


def without_tags(markup: str) -> str:
    """The text between the tags, without scripts and styles; comments are kept."""
    return html.unescape("".join(_between(markup)))


def _between(markup: str) -> Iterator[str]:
    tag_end = _Finder(markup, ">")
    lowered = markup.lower() if len(markup.lower()) == len(markup) else markup
    ends = {name: _Finder(lowered, f"</{name}") for name in _HIDDEN}
    position = 0
    while (start := markup.find("<", position)) >= 0:
        yield markup[position:start]
        tag = _TAG.match(markup, start)
        if tag is None:
            yield "<"
            position = start + 1
            continue
        yield " "
        position = tag_end(start) + 1
        hidden = ends.get(tag.group(2).lower())
        if hidden is not None and not tag.group(1):
            position = max(position, hidden(position))
    yield markup[position:]

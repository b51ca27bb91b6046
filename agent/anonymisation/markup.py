"""The tags, texts and comments of markup, each with where it stands.

Nothing is made of it but this list: what is not touched is written back as it was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from agent.anonymisation.base import CannotAnonymise

# Behind an equals sign stands a value in quotation marks, or none, or a mark that is never closed: one of them only,
# so that there is no second way to try.
_VALUE = r"=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])|\"(?![^\"]*+\")|'(?![^']*+'))"
_TAG = rf"<(?P<close>/?)(?P<name>[A-Za-z_][^\s/>]*+)(?:[^>=]++|{_VALUE})*>"
_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)-->|<!\[CDATA\[(?P<data>.*?)\]\]>|<\?xml\s.*?\?>|<\?(?P<instruction>.*?)\?>|<![A-Za-z][^>]*>|"
    + _TAG,
    re.DOTALL,
)
_BEGINS = re.compile(r"<[A-Za-z_/!?]")
_ATTRIBUTE = re.compile(r"(?<![^\s/\"'])([^\s=/>\"']++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>\"'][^\s>]*+))")
_MOST_BROKEN = 100  # looking for the end of a tag that has none takes a look at all the rest


class Kind(Enum):
    """What a token is."""

    OPEN = 1
    CLOSE = 2
    TEXT = 3
    DATA = 4  # a text in which no character stands for another
    COMMENT = 5


class Token(NamedTuple):
    """A piece of markup. `name` is the tag's, without its prefix; `start` and `end` are those of the text within
    for a comment, else of all of it."""

    kind: Kind
    name: str
    start: int
    end: int


def tokens(text: str, unparsed: frozenset[str] = frozenset()) -> Iterator[Token]:
    """The tokens in order. A tag that closes itself gives two. What is in elements of `unparsed` is data.

    Raises `CannotAnonymise` if too many tags have no end.
    """
    position = start = broken = 0
    while (begins := _BEGINS.search(text, max(start, position))) is not None:
        start = begins.start()
        found = _TOKEN.match(text, start)
        if found is None:
            start, broken = start + 1, broken + 1
            if broken > _MOST_BROKEN:
                raise CannotAnonymise("The document's tags are broken. Open it in its program and save it anew.")
            continue
        if start > position:
            yield Token(Kind.TEXT, "", position, start)
        position = found.end()
        if found["name"] is not None:
            name = found["name"].rpartition(":")[2]
            if found["close"]:
                yield Token(Kind.CLOSE, name, *found.span())
                continue
            yield Token(Kind.OPEN, name, *found.span())
            if text[position - 2] == "/":
                yield Token(Kind.CLOSE, name, position, position)
            elif name.lower() in unparsed:
                end = _end_of(name, text, position)
                yield Token(Kind.DATA, name, position, end)
                position = end
        elif found["data"] is not None:
            yield Token(Kind.DATA, "", *found.span("data"))
        else:
            kind = "comment" if found["comment"] is not None else "instruction"
            if found[kind] is not None:
                yield Token(Kind.COMMENT, "", *found.span(kind))
    if position < len(text):
        yield Token(Kind.TEXT, "", position, len(text))


def _end_of(name: str, text: str, position: int) -> int:
    found = re.compile(rf"</{re.escape(name)}\b", re.IGNORECASE).search(text, position)
    return found.start() if found else len(text)


class Attribute(NamedTuple):
    """An attribute of a tag: its name without prefix, and where its value stands, without quotation marks.

    `start` and `end` are those of all of it; `quoted` tells whether there are such marks.
    """

    name: str
    value_start: int
    value_end: int
    start: int
    end: int
    quoted: bool


def attributes(text: str, token: Token) -> Iterator[Attribute]:
    """The attributes of a tag that have a value, but for the declarations of namespaces."""
    for found in _ATTRIBUTE.finditer(text, token.start + 1, token.end):
        name = found[1]
        if name.startswith("xmlns"):
            continue
        group = next(number for number in (2, 3, 4) if found[number] is not None)
        yield Attribute(name.rpartition(":")[2], *found.span(group), *found.span(), group != 4)

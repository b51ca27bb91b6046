"""HTML: what a reader sees, what stands behind it in attributes, comments and scripts."""

from __future__ import annotations

import re

from agent.anonymisation.charset import as_read, decode, sample
from agent.anonymisation.coding import ADDRESS, PAGE, PLAIN, Coding
from agent.anonymisation.markup import Attribute, Kind, Token, attributes, tokens
from agent.anonymisation.page import Page, Place
from agent.anonymisation.story import Story
from agent.anonymisation.work import Work

_UNPARSED = frozenset({"script", "style"})
_DECLARED = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_APART = frozenset(
    "address article aside blockquote br caption dd div dl dt fieldset figcaption footer form h1 h2 h3 h4 h5 h6 header "
    "hr li main nav ol option p pre section table tbody tfoot thead title tr ul".split()
)
_CELLS = frozenset({"td", "th"})
_LINKS = frozenset({"href", "src", "action", "cite", "background", "formaction"})
_TOLD = frozenset(
    "title alt content value placeholder aria-label aria-description summary label name abbr datetime author".split()
)


def edit(content: bytes, work: Work) -> bytes:
    """The page without what must go. Raises `CannotAnonymise`."""
    decoded = decode(content, _encoding(content, work))
    return decoded.encode(edit_markup(decoded.text, work))


def edit_markup(text: str, work: Work) -> str:
    """The same for markup that is a text already."""
    page = Page(text)
    words, asides = Story(), Story()
    for token in tokens(text, _UNPARSED):
        name = token.name.lower()
        if token.kind in (Kind.OPEN, Kind.CLOSE) and name in _APART | _CELLS:
            words.gap("\t" if name in _CELLS else "\n")
        if token.kind is Kind.OPEN:
            for attribute in attributes(text, token):
                _add(asides, page, attribute)
        elif token.kind in (Kind.COMMENT, Kind.DATA):
            _say(asides, Place(page, token.start, token.end, PLAIN))
        elif token.kind is Kind.TEXT:
            words.say(*_shown(page, token, PAGE))
    work.settle([words, asides])
    return work.changed(page)


def _shown(page: Page, token: Token, coding: Coding) -> tuple[Place, str]:
    place = Place(page, token.start, token.end, coding)
    return place, as_read(place.text)


def _add(asides: Story, page: Page, attribute: Attribute) -> None:
    name = attribute.name.lower()
    if name in _LINKS:
        if not page.text.startswith("data:", attribute.value_start):
            _say(asides, Place(page, attribute.value_start, attribute.value_end, ADDRESS, is_name=True))
    elif name in _TOLD or name.startswith("data-"):
        _say(asides, Place(page, attribute.value_start, attribute.value_end, PAGE, is_name=not attribute.quoted))


def _say(asides: Story, place: Place) -> None:
    asides.say(place, as_read(place.text))
    asides.gap("\n")


def _encoding(content: bytes, work: Work) -> str | None:
    """The encoding: a charset that the page declares is believed where the bytes are no UTF-8."""
    told = work.encoding_of(sample(content))
    declared = _DECLARED.search(content[:4096])
    return declared[1].decode("ascii", "replace") if declared and told is not None and "utf" not in told else told

"""Plain text: notes, logs, Markdown. Encoding, byte order mark and ends of lines stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.anonymisation.charset import as_read, decode, sample
from agent.anonymisation.page import Page, Place
from agent.anonymisation.story import Story
from agent.anonymisation.work import Work

_LINE_END = re.compile(r"\r\n?")
_BEGINNING = re.compile(r"<([^>]*)>")  # a file that begins with an angle bracket would be taken for markup


def edit(content: bytes, work: Work) -> bytes:
    """The text without what must go. Raises `CannotAnonymise`."""
    decoded = decode(content, work.encoding_of(sample(content)))
    text = edit_text(decoded.text, work)
    if text.lstrip().startswith("<") and not decoded.text.lstrip().startswith("<"):
        text = _BEGINNING.sub(r"[\1]", text, count=1)
    return decoded.encode(text)


def edit_text(text: str, work: Work) -> str:
    """The same for a text."""
    page = Page(text)
    work.settle(_stories(page))
    return work.changed(page)


def _stories(page: Page) -> Iterator[Story]:
    story = Story()
    for start, end, line_end in _lines(page.text):
        place = Place(page, start, end)
        story.say(place, as_read(place.text))
        story.gap(line_end)
        if story.full:
            yield story
            story = Story()
    yield story


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """The text in one piece, or where lines end in another way than with a line feed, line by line."""
    position = 0
    for found in _LINE_END.finditer(text):
        yield position, found.start(), "\n"
        position = found.end()
    yield position, len(text), ""

"""One document being anonymised: what was found in it so far, and what becomes of it."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile

from agent.anonymisation.base import CannotAnonymise, Finder, Recognition
from agent.anonymisation.known import KnownValues
from agent.anonymisation.labels import Labels, label_ranges
from agent.anonymisation.page import Page
from agent.anonymisation.story import Reading, Story
from agent.model.finding import Span

_DEEPEST = 6
_PICTURES = frozenset({"png", "jpeg", "gif", "tiff", "bmp", "webp", "ico"})
_DRAWING = re.compile(rb"\xd7\xcd\xc6\x9a|\x01\0\x09\0|\x01\0\0\0.{36} EMF", re.DOTALL)  # of Windows: WMF and EMF

# Gives a document's bytes as they are without what must go.
Editor = Callable[[bytes, "Work"], bytes]


class Work:
    """What all parts of one document share."""

    def __init__(
        self,
        find: Finder,
        recognition: Recognition,
        editors: Mapping[str, Editor],
        labels: Labels,
        largest_bytes: int,
    ) -> None:
        self.known = KnownValues()
        self.replaced: Counter[str] = Counter()
        self._searching = True
        self._find = find
        self._recognition = recognition
        self._editors = editors
        self._labels = labels
        self._largest = largest_bytes
        self._left: dict[str, None] = {}
        self._unpacked = 0
        self._depth = 0

    @property
    def left(self) -> tuple[str, ...]:
        """Words for what nobody looked into."""
        return tuple(self._left)

    def encoding_of(self, sample: bytes) -> str | None:
        """The encoding of a text that begins so, None for bytes that are no text."""
        return self._recognition.encoding_of(sample)

    def begin(self, *, searching: bool) -> Work:
        """Begins to go through the document once more; unless `searching`, only for what is known."""
        self._searching = searching
        self._unpacked = 0
        return self

    def unpack(self, size: int) -> int:
        """Counts bytes that come out of a package, and gives how many more may. Raises `CannotAnonymise`."""
        self._unpacked += size
        if self._unpacked > self._largest:
            raise CannotAnonymise(
                f"The document holds more than {self._largest} bytes when it is unpacked. Split it, or destroy it."
            )
        return self._largest - self._unpacked

    def inner(self, content: bytes, name: str) -> bytes:
        """A file inside the document, cleaned; a picture is left. Raises `CannotAnonymise` for what cannot be."""
        format = self._recognition.format_of(io.BytesIO(content), len(content), name.encode("utf-8", "replace"))
        if format in _PICTURES or _DRAWING.match(content):
            self._left["picture"] = None
            return content
        if format not in self._editors:
            raise CannotAnonymise(
                f"The document holds a file of a format that cannot be cleaned ({format}). Take it out, or destroy the "
                "document."
            )
        if self._depth == _DEEPEST:
            raise CannotAnonymise("The document holds files in files beyond all reason. Take them out.")
        self._depth += 1
        cleaned = self._editors[format](content, self)
        self._depth -= 1
        return cleaned

    def settle(self, stories: Iterable[Story], *, search: bool = True) -> None:
        """Finds what must go from the stories, and has it replaced; unless `search`, only what is known."""
        for story in stories:
            for reading in story.readings():
                if reading.text.strip():
                    self._settle(reading, search=search and self._searching)

    def mentions(self, text: str) -> bool:
        """Whether anything that must go stands in a text that cannot be changed."""
        return bool(self.known.find(text)) or (self._searching and bool(self._find(text.replace("_", " "))))

    def changed(self, page: Page) -> str:
        """The text of a page after all changes, which are counted."""
        self.replaced.update(edit.entity_type for place in page.edited for edit in place.merged() if edit.label)
        return page.changed()

    def _settle(self, reading: Reading, *, search: bool) -> None:
        text = reading.text
        found = [*self._own(reading, self._find(text))] if search else []
        for span in found:
            self.known.learn(span.entity_type, text[span.start : span.end])
        for span in _united([*found, *self._own(reading, self.known.find(text))]):
            label = self._labels.of(span.entity_type, text[span.start : span.end])
            reading.replace(span.start, span.end, label, span.entity_type)

    def _own(self, reading: Reading, spans: Sequence[Span]) -> Iterator[Span]:
        """The spans without labels and without what is in no place."""
        labels = label_ranges(reading.text) if spans else []
        for span in spans:
            for start, end in _outside(span, labels, reading.text):
                start, end = reading.owned(start, end)
                if start < end:
                    yield Span(span.entity_type, start, end, span.score)


def _outside(span: Span, labels: list[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    """What of a span is no label: all of it, or the pieces with a letter or digit between labels."""
    number = bisect_right(labels, span.start, key=lambda label: label[1])
    if number == len(labels) or labels[number][0] >= span.end:
        yield span.start, span.end
        return
    position = span.start
    for start, end in takewhile(lambda label: label[0] < span.end, islice(labels, number, None)):
        yield from _core(text, position, start)
        position = end
    yield from _core(text, position, span.end)


def _core(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    if start < end:
        yield start, end


def _united(spans: list[Span]) -> list[Span]:
    """The spans in order; those that overlap become one, of the type that the longest of them has."""
    united: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end, -span.score, span.entity_type)):
        length = span.end - span.start
        if united and span.start < united[-1].end:
            last = united.pop()
            kind = span.entity_type if length > longest else last.entity_type
            longest = max(length, longest)
            span = Span(kind, last.start, max(last.end, span.end), last.score)
        else:
            longest = length
        united.append(span)
    return united

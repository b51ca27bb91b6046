"""A text of a file, and the places in it that are searched and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.anonymisation.coding import PLAIN, Coding
from agent.anonymisation.labels import bare


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a place's text that goes, and what comes instead: a label, and the type of what it stands for."""

    start: int
    end: int
    label: str = ""
    entity_type: str = ""


# What stands between two offsets of a page, and what will stand there.
Splice = tuple[int, int, str]


class Place:
    """A stretch of a page in which people wrote. What it says is `text`; offsets of edits count its characters.

    `is_name` is set where a label may only be of letters, digits and low lines.
    """

    __slots__ = ("coding", "edits", "end", "is_name", "page", "start")

    def __init__(self, page: Page, start: int, end: int, coding: Coding = PLAIN, *, is_name: bool = False) -> None:
        self.page = page
        self.start = start
        self.end = end
        self.coding = coding
        self.is_name = is_name
        self.edits: tuple[Edit, ...] | list[Edit] = ()  # most places have none: no list for each of a million

    @property
    def raw(self) -> str:
        return self.page.text[self.start : self.end]

    @property
    def text(self) -> str:
        return self.coding.text(self.raw)

    @property
    def shown(self) -> str:
        """The text as it is searched, of the same length: in a name, low lines part words."""
        return self.text.replace("_", " ") if self.is_name else self.text

    def edit(self, edit: Edit) -> None:
        """Takes note of a change; the page asks for them all at the end."""
        if isinstance(self.edits, tuple):
            self.edits = []
            self.page.edited.append(self)
        if edit not in self.edits[-1:]:  # a text that many cells share is changed for each of them
            self.edits.append(edit)

    def merged(self) -> list[Edit]:
        """The changes in order, without overlap: what overlaps becomes one, with the first label there is."""
        merged: list[Edit] = []
        for edit in sorted(self.edits, key=lambda edit: (edit.start, edit.end, not edit.label)):
            if merged and edit.start < merged[-1].end:
                last = merged.pop()
                named = last if last.label else edit
                edit = Edit(last.start, max(last.end, edit.end), named.label, named.entity_type)
            merged.append(edit)
        return merged

    def new_text(self) -> str:
        """What the place says after the changes."""
        splices = [(edit.start, edit.end, self._label(edit)) for edit in self.merged()]
        return "".join(_spliced(self.text, splices))

    def splices(self) -> Iterable[Splice]:
        """How the page must change."""
        edits = self.merged()
        ranges = self.coding.raw_ranges(self.raw, [(edit.start, edit.end) for edit in edits])
        for edit, (start, end) in zip(edits, ranges, strict=True):
            yield self.start + start, self.start + end, self.coding.write(self._label(edit))

    def _label(self, edit: Edit) -> str:
        return bare(edit.label) if self.is_name else edit.label


class Page:
    """A text and what is to change in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.edited: list[Place] = []
        self._splices: list[Splice] = []

    def splice(self, start: int, end: int, text: str) -> None:
        """Sets a stretch anew. Stretches must not overlap each other, nor a place that changes."""
        self._splices.append((start, end, text))

    def changed(self) -> str:
        """The text after all changes."""
        splices = sorted([*self._splices, *(splice for place in self.edited for splice in place.splices())])
        return "".join(_spliced(self.text, splices))


def _spliced(text: str, splices: list[Splice]) -> Iterator[str]:
    """The pieces of the text after changes that are in order."""
    position = 0
    for start, end, new in splices:
        yield text[position:start]
        yield new
        position = end
    yield text[position:]

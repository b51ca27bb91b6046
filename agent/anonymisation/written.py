"""What people wrote in the markup of a document, told apart from what programs wrote for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.anonymisation.coding import MARKUP, PLAIN, Coding
from agent.anonymisation.markup import Kind, Token, attributes, tokens
from agent.anonymisation.page import Page, Place
from agent.anonymisation.places import Formula, Run, Typed
from agent.anonymisation.story import Revision, Story

_NOTHING: frozenset[str] = frozenset()
_BOX = "txbxContent"  # it hangs on a place in a text, often within a word, and is read by itself
_RUNS = frozenset({"t", "delText", "instrText", "delInstrText"})
_BEHIND = {"tc": "\t", "tr": "\n", "comment": "\n", "si": "\n", "text": "\n"}
_ENDS = frozenset({"p", "comment", "si", "text"})
_INSTEAD = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_REVISED = {"del": Revision.BEFORE, "moveFrom": Revision.BEFORE, "ins": Revision.NOW, "moveTo": Revision.NOW}
_DRAWING = re.compile(r"""xmlns:([\w.-]+)\s*=\s*["'][^"']*/drawingml/(?:2006/)?main["']""")

_TYPED = re.compile(r"[\d.+:eETZ-]+")


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts in a kind of part. Elements go by `element`, attributes by `attribute` or `element.attribute`.

    `texts` are elements that hold text to be read on, `lines` those whose text stands by itself; None stands for all
    others. `attributes` are those that hold text, None for all, told with their names if `labelled`; `names` of them
    take only names. Where a number or date
    stands in one of `typed`, nothing else may. `neutral` are set to what is given, whatever they hold.
    """

    texts: frozenset[str] = _NOTHING
    lines: frozenset[str] | None = _NOTHING
    dull: frozenset[str] = _NOTHING
    formulas: frozenset[str] = _NOTHING
    attributes: frozenset[str] | None = _NOTHING
    names: frozenset[str] = _NOTHING
    labelled: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    neutral: Mapping[str, str] = field(default_factory=dict)
    coding: Coding = MARKUP


class Written:
    """The stories of a page: the text that is read on and on, and what stands by itself."""

    def __init__(self, page: Page, rules: Rules) -> None:
        self._words = Story()
        self._boxes = Story()
        self._asides = Story()
        self._around: list[Story] = []
        self._page = page
        self._rules = rules
        self._open: list[Token] = []
        self._revisions = [Revision.BOTH]
        self._cells = 0
        self._label = ""
        self._drawing = tuple(f"<{prefix}:" for prefix in _DRAWING.findall(page.text))

    def gather(self) -> Iterator[Story]:
        """All stories of the page."""
        for token in tokens(self._page.text):
            self.take(token)
            if token.kind is Kind.CLOSE and (self._words.full or self._asides.full):
                yield from self.told(token)
        yield from self.told()

    def told(self, last: Token | None = None) -> Iterator[Story]:
        """The stories that are full where an element ends; without one, those that have begun."""
        if last is None or (self._words.full and last.name in _ENDS and not self._around):
            yield self._words
            yield self._boxes
            self._words, self._boxes = Story(), Story()
        if last is None or self._asides.full:
            yield self._asides
            self._asides = Story()

    def take(self, token: Token) -> None:
        """Takes the next token."""
        if token.kind is Kind.OPEN:
            self._open.append(token)
            self._opened(token)
        elif token.kind is Kind.CLOSE:
            self._closed(token.name)
        elif token.kind is Kind.COMMENT:
            self._asides.line("", Place(self._page, token.start, token.end))
        elif self._open:
            self._said(token)

    def _opened(self, token: Token) -> None:
        name = token.name
        if name in _REVISED:
            self._revisions.append(_REVISED[name])
        elif name == "tc":
            self._cells += 1
        elif name == _BOX:
            self._around.append(self._words)
            self._words = self._boxes
        if name in _INSTEAD:
            self._words.gap(_INSTEAD[name])
        if self._page.text.find("=", token.start, token.end) < 0:
            return
        for attribute in attributes(self._page.text, token):
            self._attribute(name, attribute.name, attribute.value_start, attribute.value_end)

    def _closed(self, name: str) -> None:
        self._open.pop()
        if name in _REVISED:
            self._revisions.pop()
        elif name == "tc":
            self._cells -= 1
        elif name == _BOX:
            self._words = self._around.pop()
        if name == "p":
            self._words.gap(" " if self._cells else "\n")
        elif name in _BEHIND:
            self._words.gap(_BEHIND[name])

    def _attribute(self, element: str, attribute: str, start: int, end: int) -> None:
        rules, text = self._rules, self._page.text
        full = f"{element}.{attribute}"
        if full == "property.name":
            self._label = text[start:end]
        instead = rules.neutral.get(full, rules.neutral.get(attribute))
        if instead is not None:
            self._page.splice(start, end, instead)
        elif full in rules.typed:
            self._beside(attribute, Typed(self._page, start, end, rules.typed[full]))
        elif full in rules.names:
            self._beside(attribute, Place(self._page, start, end, MARKUP, is_name=True))
        elif start < end and (rules.attributes is None or full in rules.attributes or attribute in rules.attributes):
            self._beside(attribute, Place(self._page, start, end, rules.coding))

    def _beside(self, name: str, place: Place) -> None:
        self._asides.line(name if self._rules.labelled else "", place)

    def _said(self, token: Token) -> None:
        rules, name = self._rules, self._open[-1].name
        start, end = token.start, token.end
        if name in rules.neutral:
            self._page.splice(start, end, rules.neutral[name])
        elif name in rules.texts:
            self._words.add(self._run(token), self._revisions[-1])
        elif name in rules.formulas:
            self._asides.line("", Formula(self._page, start, end))
        elif name in rules.typed and _TYPED.fullmatch(self._page.text, start, end):
            self._asides.line(self._label or name, Typed(self._page, start, end, rules.typed[name]))
        elif self._stands_alone(name) and not self._page.text[start:end].isspace():
            self._asides.line(self._label or name, Place(self._page, start, end, self._coding(token)))

    def _stands_alone(self, name: str) -> bool:
        lines = self._rules.lines
        return name not in self._rules.dull if lines is None else name in lines

    def _coding(self, token: Token) -> Coding:
        return PLAIN if token.kind is Kind.DATA else self._rules.coding

    def _run(self, token: Token) -> Place:
        coding = self._coding(token)
        tag = self._open[-1]
        opening = self._page.text[tag.start : tag.end]
        apart = tag.name in _RUNS and token.start == tag.end and "xml:space" not in opening
        if apart and not opening.startswith(self._drawing):
            return Run(self._page, token.start, token.end, coding, tag.end)
        return Place(self._page, token.start, token.end, coding)

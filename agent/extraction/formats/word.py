"""Word documents (docx): all their stories, not only the body."""

from __future__ import annotations

from functools import partial

from agent.extraction.document import Document
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.package import Package
from agent.model.location import at, inside

_STORIES = (
    ("paragraph", r"word/document(\d*)\.xml"),
    ("header", r"word/header(\d*)\.xml"),
    ("footer", r"word/footer(\d*)\.xml"),
    ("footnotes", r"word/footnotes(\d*)\.xml"),
    ("endnotes", r"word/endnotes(\d*)\.xml"),
    ("comments", r"word/comments(\d*)\.xml"),
    ("comments", r"word/people(\d*)\.xml"),
    ("properties", r"word/settings(\d*)\.xml"),
    ("properties", r"word/glossary/document(\d*)\.xml"),
    ("drawing", r"word/diagrams/data(\d*)\.xml"),
    ("drawing", r"word/charts/chart(\d*)\.xml"),
)
_TEXT = frozenset({"t", "delText", "instrText"})
_DESCRIBED = frozenset({"docPr", "cNvPr"})
# Values that no text repeats: of form fields, lists to choose from, variables, and who comments.
_VALUES = frozenset(
    {("default", "val"), ("listEntry", "val"), ("listItem", "displayText"), ("docVar", "val"), ("person", "author")}
)


def read(document: Document, nested: Nested) -> None:
    """Writes body, headers, footers, notes, comments, text boxes, deleted text, properties, link targets, and what is
    embedded.

    A damaged story ends where it breaks off; the others are read all the same.
    """
    package = Package(document)
    package.write_properties()
    for key, pattern in _STORIES:
        for number, name in package.matching(pattern):
            package.spare(partial(_Story(package, key, number).read, name))
            package.spare(partial(package.write_links, name))
    package.write_bound_data()
    package.write_embedded(nested)
    package.finish()


class _Story:
    """One part with text. In the body, places count paragraphs; elsewhere they name the part."""

    def __init__(self, package: Package, key: str, number: int) -> None:
        self._package = package
        self._document = package.document
        self._key = key
        self._number = number
        self._paragraphs = 0
        self._cells = 0
        self._fallbacks = 0
        self._texts = 0
        self._authors: set[str] = set()
        self._place = self._here()

    def read(self, name: str) -> None:
        self._package.parse(name, self._started, self._ended, self._said)

    def _here(self) -> str:
        number = self._paragraphs + 1 if self._key == "paragraph" else self._number
        return inside(self._document.place, at(**{self._key: number}))

    def _write(self, text: str) -> None:
        self._document.output.write(text, self._place)

    def _started(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _TEXT:
            self._texts += 1
        elif tag == "Fallback":  # the same content once more, for programs that cannot draw the first
            self._fallbacks += 1
        elif tag == "tc":
            self._cells += 1
        elif tag in ("tab", "ptab"):
            self._write("\t")
        elif tag in ("br", "cr"):
            self._write("\n")
        elif tag == "noBreakHyphen":
            self._write("-")
        if not self._fallbacks:
            for key, value in attributes.items():
                name = key.rpartition(":")[2]
                if tag in _DESCRIBED and name in ("descr", "title") and value.strip():
                    self._write(f"{value}\n")
                elif name == "author" and value.strip() and value not in self._authors:
                    self._authors.add(value)
                    self._write(f"{value}\n")
                elif (tag, name) in _VALUES and value.strip():
                    self._write(f"{value}\n")

    def _ended(self, tag: str) -> None:
        if tag in _TEXT:
            self._texts -= 1
        elif tag == "Fallback":
            self._fallbacks -= 1
        elif tag == "p":
            self._write(" " if self._cells else "\n")
            self._paragraphs += 1
            self._place = self._here()
        elif tag == "tc":
            self._cells -= 1
            self._write("\t")
        elif tag == "tr":
            self._write("\n")

    def _said(self, text: str) -> None:
        if self._texts and not self._fallbacks:
            self._write(text)

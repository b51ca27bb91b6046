"""PowerPoint presentations (pptx): slides, hidden ones too, notes, comments, and what masters say on every slide."""

from __future__ import annotations

from functools import partial

from agent.extraction.document import Document
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.package import Package
from agent.model.location import at, inside

_PARTS = (
    ("slide", r"ppt/slides/slide(\d*)\.xml"),
    ("notes", r"ppt/notesSlides/notesSlide(\d*)\.xml"),
    ("comments", r"ppt/comments/(?:modernComment_[0-9A-F]+_)?(?:comment)?(\d*)\.xml"),
    ("comments", r"ppt/commentAuthors(\d*)\.xml"),
    ("comments", r"ppt/authors(\d*)\.xml"),
    ("layout", r"ppt/slideMasters/slideMaster(\d*)\.xml"),
    ("layout", r"ppt/slideLayouts/slideLayout(\d*)\.xml"),
    ("drawing", r"ppt/diagrams/data(\d*)\.xml"),
    ("drawing", r"ppt/charts/chart(\d*)\.xml"),
)
_TEXT = frozenset({"t", "text", "v"})
_DESCRIBED = ("descr", "title", "name")


def read(document: Document, nested: Nested) -> None:
    """Writes part by part, each slide at its own number; a damaged part ends where it breaks off."""
    package = Package(document)
    package.write_properties()
    for key, pattern in _PARTS:
        for number, name in package.matching(pattern):
            package.spare(partial(_read_part, package, name, inside(document.place, at(**{key: number}))))
            package.spare(partial(package.write_links, name))
    package.write_bound_data()
    package.write_embedded(nested)
    package.finish()


def _read_part(package: Package, name: str, place: str) -> None:
    output = package.document.output
    reading = 0

    def started(tag: str, attributes: dict[str, str]) -> None:
        nonlocal reading
        reading += tag in _TEXT
        if tag == "br":
            output.write("\n", place)
        elif tag in ("cNvPr", "cmAuthor", "author"):
            for key in _DESCRIBED:
                value = attributes.get(key, "")
                if value.strip() and (tag != "cNvPr" or key != "name"):
                    output.write(value + "\n", place)

    def ended(tag: str) -> None:
        nonlocal reading
        reading -= tag in _TEXT
        if tag in ("p", "text", "v"):
            output.write("\n", place)
        elif tag == "tc":
            output.write("\t", place)

    def said(text: str) -> None:
        if reading:
            output.write(text, place)

    package.parse(name, started, ended, said)

"""E-books (EPUB): their pages, in the order of the package."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from agent.extraction.charset import decode
from agent.extraction.document import Document
from agent.extraction.formats.html import write_markup
from agent.extraction.formats.package import Package
from agent.model.location import at, inside


def read(document: Document) -> None:
    """Writes every page of markup; `page` counts the files in the order in which the archive lists them."""
    package = Package(document)
    pages = [name for name in package.names if name.lower().endswith((".xhtml", ".html", ".htm", ".opf", ".ncx"))]
    for number, name in enumerate(pages, 1):
        here = replace(document, place=inside(document.place, at(page=number)))
        package.spare(partial(_read_page, package, name, here))
    package.finish()


def _read_page(package: Package, name: str, document: Document) -> None:
    with package.open(name) as part:
        markup = decode(document.budget.read_all(part))
    write_markup(document, markup)

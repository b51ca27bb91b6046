"""Word documents and presentations (docx, pptx): every part in which people write, and every file inside."""

from __future__ import annotations

import re
from collections.abc import Collection

from agent.anonymisation.base import CannotAnonymise
from agent.anonymisation.office_rules import rules_for
from agent.anonymisation.package import Package
from agent.anonymisation.work import Work
from agent.anonymisation.written import Written

_PROGRAM = re.compile(r".*/(?:vbaProject|vbaData)[^/]*|.*/activeX/.*|customUI/.*", re.IGNORECASE)
_SIGNED = re.compile(r"_xmlsignatures/.*", re.IGNORECASE)
_FONT = re.compile(r".*/fonts/.*\.(?:odttf|fntdata|ttf|otf)", re.IGNORECASE)
# Names of styles and fonts read like names of persons: here goes only what was found elsewhere.
_VOCABULARY = re.compile(
    r".*/(?:styles|stylesWithEffects|numbering|fontTable|webSettings|tableStyles|theme\d*)\.xml", re.IGNORECASE
)
_USUAL_NAME = re.compile(r"(?:[\w.-]+/)*(?:[A-Za-z]*\d*|\[Content_Types\])(?:\.[A-Za-z]+)*")


def edit(content: bytes, work: Work) -> bytes:
    """The document without what must go. Raises `CannotAnonymise`."""
    package = Package(content, work)
    edit_parts(package, work)
    return package.write()


def edit_parts(package: Package, work: Work, done: Collection[str] = ()) -> None:
    """Cleans all parts but those that are done. Raises `CannotAnonymise`."""
    for name in package.parts:
        if _PROGRAM.fullmatch(name):
            raise CannotAnonymise("The document holds a program (macros). Save it without, as docx, xlsx or pptx.")
        if _SIGNED.fullmatch(name):
            raise CannotAnonymise("The document is signed, and names who signed it. Remove the signature.")
        if name not in done:
            _edit_part(package, name, work)
    _check_names(package, work)


def _edit_part(package: Package, name: str, work: Work) -> None:
    rules = rules_for(name)
    if not package.is_markup(name):
        if package.parts[name] and not _FONT.fullmatch(name):
            package.parts[name] = work.inner(package.parts[name], name)
    elif name.endswith(".rels"):
        work.settle([package.links(name)])
        package.finish(name)
    elif rules is not None:
        work.settle(Written(package.page(name), rules).gather(), search=not _VOCABULARY.fullmatch(name))
        package.finish(name)


def _check_names(package: Package, work: Work) -> None:
    """Parts keep their names, so that none may say what must go."""
    unusual = "\n".join(name for name in package.parts if not _USUAL_NAME.fullmatch(name))
    if unusual and work.mentions(unusual):
        raise CannotAnonymise(
            "A file inside the document has a name that must go. Take it out, or put it in under another name."
        )

"""Office documents as the ZIP archives that they are: read within limits, written with every part in its old place."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

from agent.anonymisation.base import CannotAnonymise
from agent.anonymisation.coding import ADDRESS
from agent.anonymisation.markup import Kind, Token, attributes, tokens
from agent.anonymisation.page import Page, Place
from agent.anonymisation.story import Story
from agent.anonymisation.work import Work
from agent.anonymisation.xml_text import read_xml, write_xml

_TYPES = "[Content_Types].xml"
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError),
    *(KeyError, OverflowError),
)
_ENCRYPTED_FLAG = 0x1
_MARKUP = re.compile(r".*\.(?:xml|rels|vml|svg)", re.IGNORECASE)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
# Where on somebody's computer or server a file lay: `file:`, a drive, a server.
_FOLDER = re.compile(r"(?:file:|[A-Za-z]:[/\\]|\\\\)(?:.*(?:[/\\]|%5C|%2F))?", re.IGNORECASE | re.DOTALL)
# A picture of the first page, what a printer was told, and who changed which cell from what: nothing misses them.
_DROPPED = re.compile(r"docProps/thumbnail\..*|.*/printerSettings/[^/]*|xl/revisions/.*", re.IGNORECASE)


class Package:
    """The parts of a document. Raises `CannotAnonymise` for one that is damaged, locked or too large."""

    def __init__(self, content: bytes, work: Work) -> None:
        self._work = work
        self._methods: dict[str, int] = {}
        self._pages: dict[str, tuple[Page, bytes, str]] = {}
        self.parts: dict[str, bytes] = {}
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for entry in archive.infolist():
                    self._read(archive, entry)
        except _FAULTS:
            raise CannotAnonymise(
                "The document's archive is damaged. Open the document in its program and save it anew."
            ) from None
        if _TYPES not in self.parts:
            raise CannotAnonymise("The document has no list of its parts. Open it in its program and save it anew.")
        self.drop(*(name for name in self.parts if _DROPPED.fullmatch(name)))

    def _read(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise CannotAnonymise("The document is protected by a password. Save it without one.")
        if entry.filename in self.parts:
            raise CannotAnonymise("The document holds two parts of one name. Open it in its program and save it anew.")
        with archive.open(entry) as member:
            content = member.read(self._work.unpack(0) + 1)  # not more, whatever the entry says of itself
        self._work.unpack(len(content))
        self.parts[entry.filename] = content
        self._methods[entry.filename] = entry.compress_type if entry.compress_type in _METHODS else zipfile.ZIP_DEFLATED

    def is_markup(self, name: str) -> bool:
        """Whether the part is XML."""
        return _MARKUP.fullmatch(name) is not None

    def page(self, name: str) -> Page:
        """The text of a part that is XML, always the same page for the same part."""
        if name not in self._pages:
            text, mark, encoding = read_xml(self.parts[name])
            self._pages[name] = (Page(text), mark, encoding)
        return self._pages[name][0]

    def finish(self, name: str) -> None:
        """Makes the changes of a part's page, and lets go of the page."""
        page, mark, encoding = self._pages.pop(name)
        self.parts[name] = write_xml(self._work.changed(page), mark, encoding)

    def links(self, name: str) -> Story:
        """The addresses outside the document to which a part of relations leads."""
        story = Story()
        page = self.page(name)
        for token in tokens(page.text):
            if token.kind is Kind.OPEN and token.name == "Relationship":
                found = {attribute.name: attribute for attribute in attributes(page.text, token)}
                mode, target = found.get("TargetMode"), found.get("Target")
                if mode and target and page.text[mode.value_start : mode.value_end] == "External":
                    start = target.value_start
                    if folder := _FOLDER.match(page.text, start, target.value_end):
                        page.splice(start, folder.end(), "file:///")
                        start = folder.end()
                    place = Place(page, start, target.value_end, ADDRESS, is_name=True)
                    story.say(place, place.text)
                    story.gap("\n")
        return story

    def write(self) -> bytes:
        """The document: parts in their old order, dated alike, without comments."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in self.parts.items():
                entry = zipfile.ZipInfo(name, _LONG_AGO)
                entry.create_system = 0
                entry.external_attr = 0x10 if entry.is_dir() else 0
                entry.compress_type = self._methods[name]
                archive.writestr(entry, content)
        return target.getvalue()

    def drop(self, *names: str) -> None:
        """Takes out parts that nothing misses, with all that leads to them; those that are not there are no matter."""
        dropped = self.parts.keys() & names
        if not dropped:
            return
        for name in [name for name in self.parts if name.endswith(".rels") and name not in dropped]:
            folder, base = posixpath.dirname(posixpath.dirname(name)), posixpath.basename(name)
            source = posixpath.join(folder, base.removesuffix(".rels"))
            ids = {id for id, target in _inner_targets(self.page(name), folder) if target in dropped}
            if ids:
                self._cut(name, "Relationship", "Id", ids)
                if source in self.parts:
                    self._cut_references(source, ids)
        self._cut(_TYPES, "Override", "PartName", {f"/{name}" for name in dropped})
        for name in dropped:
            del self.parts[name]

    def _cut(self, name: str, element: str, attribute: str, values: set[str]) -> None:
        """Takes out the elements that have one of these values."""
        page = self.page(name)
        start = -1
        for token in tokens(page.text):
            if token.kind is Kind.OPEN and token.name == element:
                start = token.start if given(page, token).get(attribute) in values else -1
            elif token.kind is Kind.CLOSE and token.name == element and start >= 0:
                page.splice(start, token.end, "")
        self.finish(name)

    def _cut_references(self, name: str, ids: set[str]) -> None:
        page = self.page(name)
        for token in tokens(page.text):
            if token.kind is Kind.OPEN:
                for each in attributes(page.text, token):
                    if each.name == "id" and page.text[each.value_start : each.value_end] in ids:
                        page.splice(each.start, each.end, "")
        self.finish(name)


def _inner_targets(page: Page, folder: str) -> Iterator[tuple[str, str]]:
    """The ids of a page's relations to parts of the document, and the names of those parts."""
    for token in tokens(page.text):
        if token.kind is Kind.OPEN and token.name == "Relationship":
            said = given(page, token)
            if said.get("TargetMode") != "External":
                path = posixpath.normpath(posixpath.join("/", folder, unquote(said.get("Target", ""))))
                yield said.get("Id", ""), path.removeprefix("/")


def given(page: Page, token: Token) -> dict[str, str]:
    """The attributes of a tag as they are written."""
    return {each.name: page.text[each.value_start : each.value_end] for each in attributes(page.text, token)}

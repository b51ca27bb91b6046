"""Office Open XML packages (ECMA-376): a ZIP archive of XML parts."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, cast

from agent.extraction.document import Damaged, Document, Encrypted
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.salvage import SalvagedArchive
from agent.extraction.formats.xml import Ended, Said, Started, parse, write_packet
from agent.model.location import at, inside

_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, OverflowError)
_ENCRYPTED_FLAG = 0x1
_EMBEDDED = re.compile(r"/(?:embeddings|media)/[^/]+$|^(?:Pictures)/[^/]+$|^Object [^/]+$", re.IGNORECASE)
_PROPERTIES = re.compile(r"docProps/(core|app|custom)\.xml", re.IGNORECASE)
_DULL = frozenset(
    "Template TotalTime Pages Words Characters Application DocSecurity Lines Paragraphs ScaleCrop LinksUpToDate "
    "CharactersWithSpaces SharedDoc HyperlinksChanged AppVersion revision i4".split()
)


class Package:
    """The parts of one document. Raises `Damaged` if nothing is left of the archive, `Encrypted` for a locked one.

    A damaged part costs only itself: readers go through `spare`, and `finish` tells of the first damage at the end.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        document.stream.seek(0)
        self._damage: Damaged | None = None
        self._archive: zipfile.ZipFile | SalvagedArchive
        try:
            self._archive = zipfile.ZipFile(document.stream)
        except _FAULTS:
            self._damage = Damaged("damaged_archive")
            self._archive = SalvagedArchive(document.read_all(), document.budget)
            if not self._archive.namelist():
                raise self._damage from None
        if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in self._archive.infolist()):
            raise Encrypted
        self.names = self._archive.namelist()

    def spare(self, step: Callable[[], None]) -> None:
        """Does the step; if it meets damage, that is kept for `finish`."""
        try:
            step()
        except Damaged as fault:
            self._damage = self._damage or fault

    def finish(self) -> None:
        """Raises the first damage that was met."""
        if self._damage is not None:
            raise self._damage

    def matching(self, pattern: str) -> list[tuple[int, str]]:
        """The parts whose whole name matches, by the number in it; a part without one counts as the first."""
        found = []
        for name in self.names:
            matched = re.fullmatch(pattern, name, re.IGNORECASE)
            if matched:
                number = next((group for group in matched.groups() if group and group.isdigit()), "1")
                found.append((int(number), name))
        return sorted(found)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A part to be read once. Its archive's faults come as `Damaged`."""
        self.document.budget.enter(self.document.depth)
        try:
            with self._archive.open(name) as part:
                yield cast(BinaryIO, part)
        except (*_FAULTS, KeyError, RuntimeError):
            raise Damaged("damaged_archive") from None

    def parse(self, name: str, started: Started, ended: Ended, said: Said) -> None:
        """Streams the markup of a part, if there is one of that name."""
        if name in self.names:
            with self.open(name) as part:
                parse(part, self.document.budget, started, ended, said)

    def relations(self, name: str) -> dict[str, str]:
        """Where the part's relations lead, by their id; targets outside the package as they are written."""
        folder, _, base = name.rpartition("/")
        targets: dict[str, str] = {}

        def started(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        self.parse(f"{folder}/_rels/{base}.rels".removeprefix("/"), started, _ignore, _ignore)
        return targets

    def write_properties(self) -> None:
        """Writes author, title and the like, and what people added."""
        for _, name in self.matching(_PROPERTIES.pattern):
            self.spare(partial(self._write_property_part, name))

    def _write_property_part(self, name: str) -> None:
        place = inside(self.document.place, at(properties=1))
        path: list[str] = []
        label = ""

        def started(tag: str, attributes: dict[str, str]) -> None:
            nonlocal label
            path.append(tag)
            label = attributes.get("name", label if tag not in ("property",) else "")

        def ended(_: str) -> None:
            path.pop()

        def said(text: str) -> None:
            if text.strip() and path[-1] not in _DULL:
                self.document.output.write(f"{label or path[-1]}: {text}\n", place)

        self.parse(name, started, ended, said)

    def write_embedded(self, nested: Nested) -> None:
        """Hands over the files that lie inside the document: a table in a letter, a letter in a talk, a picture."""
        embedded = [name for name in self.names if _EMBEDDED.search(name)]
        for number, name in enumerate(embedded, 1):
            self.spare(partial(self._hand_over, name, number, nested))

    def _hand_over(self, name: str, number: int, nested: Nested) -> None:
        with self.open(name) as part:
            content = self.document.budget.read_all(part)
        base = name.rpartition("/")[2].encode("utf-8", "replace")
        nested(self.document, io.BytesIO(content), len(content), base, at(part=number))

    def write_bound_data(self) -> None:
        """Writes the data to which controls in the document are bound (ECMA-376 part 1, 22.5)."""
        for _, name in self.matching(r"customXml/item(\d+)\.xml"):
            self.spare(partial(self._write_packet, name))

    def _write_packet(self, name: str) -> None:
        with self.open(name) as part:
            write_packet(
                self.document, self.document.budget.read_all(part), inside(self.document.place, at(properties=1))
            )

    def write_links(self, name: str) -> None:
        """Writes the targets outside the package to which the part links: addresses of web and mail."""
        place = inside(self.document.place, at(links=1))
        for target in self.relations(name).values():
            if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", target):
                self.document.output.write(target.removeprefix("mailto:") + "\n", place)


def _ignore(_: str) -> None:
    return None

"""A desk to anonymise documents on: who finds, who reads again, and documents made by hand."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree import ElementTree

from agent.anonymisation.anonymise import anonymise
from agent.anonymisation.base import LARGEST_BYTES, Anonymised, Finder, Recognition, Rescan
from agent.extraction.charset import encoding_of
from agent.extraction.sniff import sniff
from agent.model.finding import Span
from tests.corpus.formats import zipped

RECOGNITION = Recognition(sniff, encoding_of)
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

JANE, POST, PHONE = "Jane Doe", "jane@x.example", "07700900123"
WORDS = {JANE: "PERSON", POST: "EMAIL_ADDRESS", PHONE: "PHONE_NUMBER"}


@dataclass
class Words:
    """Finds words as they are spelled, and remembers the texts that it was shown."""

    words: Mapping[str, str] = field(default_factory=lambda: WORDS)
    seen: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> Sequence[Span]:
        self.seen.append(text)
        return [
            Span(entity_type, found.start(), found.end(), 0.9)
            for word, entity_type in self.words.items()
            for found in re.finditer(re.escape(word), text)
        ]


def clean(_stream: BinaryIO, _format: str) -> Mapping[str, int]:
    """A reader that is content with everything."""
    return {}


def run(
    content: bytes,
    format: str,
    find: Finder | None = None,
    *,
    rescan: Rescan = clean,
    largest_bytes: int = LARGEST_BYTES,
) -> tuple[bytes, Anonymised]:
    """The document anonymised, and what was done."""
    target = io.BytesIO()
    done = anonymise(
        io.BytesIO(content),
        target,
        format,
        find or Words(),
        rescan=rescan,
        recognition=RECOGNITION,
        largest_bytes=largest_bytes,
    )
    return target.getvalue(), done


def unzipped(content: bytes) -> dict[str, bytes]:
    """The members of an archive, in order."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def part(content: bytes, name: str) -> str:
    """A part of an office document, which must be well-formed."""
    data = unzipped(content)[name]
    ElementTree.fromstring(data)  # noqa: S314 — our own
    return data.decode().removeprefix(HEAD)


def package(parts: Mapping[str, str | bytes]) -> bytes:
    """An office document of these parts, beside the list of parts that every one has."""
    types = f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
    listed = {"[Content_Types].xml": types, **parts}
    return zipped({name: (HEAD + text).encode() if isinstance(text, str) else text for name, text in listed.items()})


def word(body: str = "", **parts: str | bytes) -> bytes:
    """A Word document of this body; other parts by their names, with `__` for a slash and `_xml` for the ending."""
    others = {
        re.sub(r"_(xml|rels|vml|bin|png)$", r".\1", name.replace("__", "/")): content for name, content in parts.items()
    }
    document = f'<w:document {WORD} xmlns:r="{RELATIONS}"><w:body>{body}</w:body></w:document>'
    return package({"word/document.xml": document, **others})


def paragraph(*runs: str) -> str:
    """A paragraph of these runs, whose text is markup already."""
    return "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"


def body(content: bytes) -> str:
    """What stands in the body of a Word document."""
    return part(content, "word/document.xml").partition("<w:body>")[2].partition("</w:body>")[0]


def book(cells: str = "", **parts: str | bytes) -> bytes:
    """A workbook with one sheet of these rows; other parts as for `word`."""
    others = {re.sub(r"_(xml|rels|vml|bin)$", r".\1", name.replace("__", "/")): text for name, text in parts.items()}
    sheet = f'<worksheet {SHEET} xmlns:r="{RELATIONS}"><sheetData>{cells}</sheetData></worksheet>'
    return package(
        {
            "xl/workbook.xml": f'<workbook {SHEET} xmlns:r="{RELATIONS}"><sheets><sheet name="Sheet1" sheetId="1" '
            'r:id="rId1"/></sheets></workbook>',
            "xl/worksheets/sheet1.xml": sheet,
            **others,
        }
    )


def literals(words: Mapping[str, str] = WORDS) -> Rescan:
    """A reader that takes every part of an archive, or all of another file, for text, and counts the words in it."""

    def rescan(stream: BinaryIO, _format: str) -> Mapping[str, int]:
        content = stream.read()
        if content.startswith(b"PK"):
            texts = [re.sub(r"<[^>]*>", "", data.decode("utf-8", "replace")) for data in unzipped(content).values()]
        else:
            texts = [content.decode("utf-8", "replace")]
        found: Counter[str] = Counter()
        for word, entity_type in words.items():
            found[entity_type] += sum(text.count(word) for text in texts)
        return +found

    return rescan

"""Rich Text Format: control words, groups and escaped characters told apart from the text between them."""

from __future__ import annotations

import codecs
import io
import re

from agent.extraction.document import Damaged, Document
from agent.extraction.formats.nested import Nested
from agent.model.location import at, inside

_WHOLE_BYTES = 64 * 1024 * 1024
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\", re.DOTALL
)
_BROKEN_LINES = {b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"tab": "\t", b"cell": "\t"}
_SIGNS = {
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"emdash": "—",
    b"endash": "–",
    b"bullet": "•",
    b"emspace": " ",
    b"enspace": " ",
}
# Groups that hold tables, pictures and settings. Headers, notes, comments, fields and properties are text.
_SILENT = frozenset(
    b"fonttbl colortbl stylesheet themedata colorschememapping datastore latentstyles listtable "
    b"listoverridetable rsidtbl generator xmlnstbl mmathPr blipuid nonshppict datafield filetbl pgptbl".split()
)
# Groups whose content is kept until they end, and the properties of shapes that people have written.
_HELD = frozenset({b"pict", b"objdata", b"sn", b"sv"})
_TOLD = frozenset({"wzDescription", "wzName", "wzTooltip", "gtextUNICODE"})
_NO_DIGIT = re.compile(rb"[^0-9a-fA-F]+")
# How a picture or an object that can be read begins, behind the header of [MS-OLEDS] 2.2.5 if there is one.
_EMBEDDED = re.compile(rb"\x89PNG|\xff\xd8\xff|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|PK\x03\x04|%PDF-")
_HEADER_BYTES = 4096
_CODE_PAGES = {437: "cp437", 850: "cp850", 10000: "mac-roman", 65001: "utf-8", 932: "cp932", 936: "gbk"}
_DEEPEST = 2_000


def read(document: Document, nested: Nested) -> None:
    """Writes the text of body, headers, footers, notes, comments and properties; `line` counts paragraphs.

    Pictures and embedded objects are read as what they are, at `part` from 1.
    """
    document.stream.seek(0)
    _Reader(document, nested).read(document.stream.read(_WHOLE_BYTES))
    if document.size > _WHOLE_BYTES:
        raise Damaged("too_large")


class _Reader:
    """The state of one reading: what each open group has set, and the bytes not yet decoded."""

    def __init__(self, document: Document, nested: Nested) -> None:
        self._document = document
        self._nested = nested
        # Groups that are no text: the word that began each, how deep it stands, and what it holds.
        self._held: list[tuple[bytes, int, bytearray]] = []
        self._property = ""
        self._parts = 0
        self._silent = False
        self._skip = 1  # bytes that follow a Unicode character for readers that do not know it
        self._to_skip = 0
        self._groups: list[tuple[bool, int]] = []
        self._page = "cp1252"
        self._bytes = bytearray()
        self._high = 0  # the first half of a character beyond U+FFFF, which comes in two
        self._paragraphs = 1

    def read(self, data: bytes) -> None:
        opened = False
        position = 0
        while token := _TOKEN.match(data, position):
            word, number, coded, symbol, brace, text = token.groups()
            position = token.end()
            if brace == b"{":
                opened = True
                self._open()
            elif brace:
                self._close()
            elif word == b"bin":
                end = position + max(0, int(number or 0))  # so many raw bytes follow
                if self._held:
                    self._held[-1][2].extend(data[position:end].hex().encode())
                position = end
            elif word:
                self._word(word, int(number or 0))
            elif coded:
                self._take(bytes([int(coded, 16)]))
            elif symbol:
                self._symbol(symbol)
            elif text:
                self._take(text)
        self._flush()
        if not opened or self._groups:
            raise Damaged("damaged_markup")

    def _open(self) -> None:
        self._flush()
        if len(self._groups) > _DEEPEST:
            raise Damaged("nested_too_deep")
        self._groups.append((self._silent, self._skip))
        self._to_skip = 0

    def _close(self) -> None:
        self._flush()
        if self._held and len(self._groups) <= self._held[-1][1]:
            word, _, content = self._held.pop()
            self._end_held(word, bytes(content))
        if self._groups:
            self._silent, self._skip = self._groups.pop()
        self._to_skip = 0

    def _word(self, word: bytes, value: int) -> None:
        if self._to_skip and word != b"u":
            self._to_skip -= 1
            return
        if word in _HELD:
            self._held.append((word, len(self._groups), bytearray()))
        elif word in _SILENT:
            self._silent = True
        elif word == b"u":
            self._unicode(value)
        elif word == b"uc":
            self._skip = min(max(value, 0), 10)
        elif word == b"ansicpg":
            self._set_page(_CODE_PAGES.get(value, f"cp{value}"))
        elif word in _BROKEN_LINES:
            self._write(_BROKEN_LINES[word])
            self._paragraphs += word == b"par"
        elif word in _SIGNS:
            self._write(_SIGNS[word])

    def _set_page(self, name: str) -> None:
        try:
            codecs.lookup(name)
        except LookupError:
            return
        self._page = name

    def _unicode(self, value: int) -> None:
        self._flush()
        code = value + 0x10000 if value < 0 else value
        if 0xD800 <= code < 0xDC00:
            self._high = code
        elif 0xDC00 <= code < 0xE000:
            self._write(chr(0x10000 + (self._high - 0xD800 << 10) + code - 0xDC00) if self._high else "\ufffd")
            self._high = 0
        else:
            self._write(chr(code) if 0 < code < 0x110000 else "\ufffd")
        self._to_skip = self._skip

    def _symbol(self, symbol: bytes) -> None:
        if self._to_skip:
            self._to_skip -= 1
        elif symbol == b"~":
            self._write("\u00a0")
        elif symbol == b"_":
            self._write("-")
        elif symbol in b"\\{}":
            self._take(symbol)
        elif symbol in b"\r\n":
            self._write("\n")

    def _take(self, text: bytes) -> None:
        if self._to_skip:
            taken = min(self._to_skip, len(text))
            self._to_skip -= taken
            text = text[taken:]
        if self._held:
            _, depth, content = self._held[-1]
            if len(self._groups) == depth:
                content += text
        elif text and not self._silent:
            self._bytes += text

    def _end_held(self, word: bytes, content: bytes) -> None:
        """Reads what a group held: a picture or an object in hexadecimal digits, or a property of a shape."""
        if word == b"sn":
            self._property = content.decode("latin-1").strip()
        elif word == b"sv":
            if self._property in _TOLD and not self._silent:
                place = inside(self._document.place, at(line=self._paragraphs))
                self._document.output.write(content.decode(self._page, "replace") + "\n", place)
        elif not self._silent:
            self._end_embedded(content)

    def _end_embedded(self, content: bytes) -> None:
        """Reads a picture or an object, given in hexadecimal digits, as what it is."""
        digits = _NO_DIGIT.sub(b"", content)
        plain = bytes.fromhex(digits[: len(digits) & ~1].decode())
        found = _EMBEDDED.search(plain, 0, _HEADER_BYTES)
        if found is None:
            return
        self._parts += 1
        self._document.budget.expand(len(plain))
        plain = plain[found.start() :]
        self._nested(self._document, io.BytesIO(plain), len(plain), b"", at(part=self._parts))

    def _write(self, text: str) -> None:
        self._flush()
        if not self._silent and not self._held:
            place = inside(self._document.place, at(line=self._paragraphs))
            self._document.output.write(text, place)

    def _flush(self) -> None:
        if self._bytes:
            text = self._bytes.decode(self._page, "replace")
            self._bytes.clear()
            place = inside(self._document.place, at(line=self._paragraphs))
            self._document.output.write(text, place)

"""Rich Text Format: control words, groups and escaped characters told apart from the text between them."""

from __future__ import annotations

import codecs
import re

from agent.extraction.document import Damaged, Document
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
    b"fonttbl colortbl stylesheet pict objdata themedata colorschememapping datastore latentstyles listtable "
    b"listoverridetable rsidtbl generator xmlnstbl mmathPr blipuid nonshppict datafield filetbl pgptbl".split()
)
_CODE_PAGES = {437: "cp437", 850: "cp850", 10000: "mac-roman", 65001: "utf-8", 932: "cp932", 936: "gbk"}
_DEEPEST = 2_000


def read(document: Document) -> None:
    """Writes the text of body, headers, footers, notes, comments and properties; `line` counts paragraphs."""
    document.stream.seek(0)
    _Reader(document).read(document.stream.read(_WHOLE_BYTES))
    if document.size > _WHOLE_BYTES:
        raise Damaged("too_large")


class _Reader:
    """The state of one reading: what each open group has set, and the bytes not yet decoded."""

    def __init__(self, document: Document) -> None:
        self._document = document
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
                position += max(0, int(number or 0))  # so many raw bytes follow
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
        if self._groups:
            self._silent, self._skip = self._groups.pop()
        self._to_skip = 0

    def _word(self, word: bytes, value: int) -> None:
        if self._to_skip and word != b"u":
            self._to_skip -= 1
            return
        if word in _SILENT:
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
        if text and not self._silent:
            self._bytes += text

    def _write(self, text: str) -> None:
        self._flush()
        if not self._silent:
            place = inside(self._document.place, at(line=self._paragraphs))
            self._document.output.write(text, place)

    def _flush(self) -> None:
        if self._bytes:
            text = self._bytes.decode(self._page, "replace")
            self._bytes.clear()
            place = inside(self._document.place, at(line=self._paragraphs))
            self._document.output.write(text, place)

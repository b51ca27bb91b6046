"""Outlook's mail stores (pst, ost; [MS-PST]): every message, contact and appointment of every folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from agent.extraction.charset import decode
from agent.extraction.document import Damaged, Document, Unsupported
from agent.extraction.formats.html import write_markup
from agent.extraction.formats.nested import Nested
from agent.extraction.formats.outlook import decompressed
from agent.model.location import at, inside

try:
    import pypff
except ImportError:  # it is an extra
    pypff = None

# [MS-OXPROPS]: what a message is called inside, and bodies that are written by themselves or come twice.
_BODY, _HTML, _RTF = 0x1000, 0x1013, 0x1009
_ASIDE = frozenset({0x001A, 0x1000, 0x1013, 0x1009, 0x6619})
_LABELS = {
    0x0037: "Subject",
    0x0C1A: "From",
    0x0C1F: "From",
    0x0E04: "To",
    0x0E03: "Cc",
    0x0E02: "Bcc",
    0x3A08: "Phone",
}
_DIRECTORY_NAME = "/o="  # of a mailbox inside Exchange: says nothing outside it
_LONG_NAME, _SHORT_NAME = 0x3707, 0x3704
_TEXTS = (0x1E, 0x1F)
_DEEPEST = 50
_FAULTS = (OSError, AttributeError, ValueError, TypeError, SystemError, RuntimeError)


def read(document: Document, nested: Nested) -> None:
    """Writes folder after folder; `message` counts through the store from 1. A damaged item costs only itself."""
    if pypff is None:
        raise Unsupported("libpff_missing")
    document.stream.seek(0)
    store = pypff.file()
    try:
        store.open_file_object(document.stream)
        root = store.get_root_folder()
    except _FAULTS:
        raise Damaged("damaged_file") from None
    reader = _Reader(document, nested)
    reader.folder(root, 0)
    reader.orphans(store)
    if reader.damaged:
        raise Damaged("damaged_item")


class _Reader:
    """The count of what was met so far, and whether any of it was damaged."""

    def __init__(self, document: Document, nested: Nested) -> None:
        self._document = document
        self._nested = nested
        self._folders = 0
        self._messages = 0
        self.damaged = False

    def folder(self, folder: Any, depth: int) -> None:
        self._folders += 1
        number = self._folders
        try:
            if folder.name:
                self._document.output.write(folder.name + "\n", inside(self._document.place, at(folder=number)))
        except _FAULTS:
            self.damaged = True
        for message in self._each(folder, "sub_message"):
            self._message(message)
        if depth < _DEEPEST:
            for below in self._each(folder, "sub_folder"):
                self.folder(below, depth + 1)

    def orphans(self, store: Any) -> None:
        """What was deleted from its folder and still lies in the file."""
        for item in self._each(store, "orphan_item"):
            self._message(item)

    def _each(self, holder: Any, kind: str) -> Iterator[Any]:
        """Whatever of the kind the holder has, without those that cannot be opened."""
        try:
            count = getattr(holder, f"get_number_of_{kind}s")()
        except _FAULTS:
            return
        for number in range(count):
            try:
                yield getattr(holder, f"get_{kind}")(number)
            except _FAULTS:
                self.damaged = True

    def _message(self, item: Any) -> None:
        self._messages += 1
        self._document.budget.enter(self._document.depth)
        place = inside(self._document.place, at(message=self._messages))
        document = replace(self._document, place=place)
        texts = dict.fromkeys(self._texts(item))
        for tag, text in texts:
            label = f"{_LABELS[tag]}: " if tag in _LABELS else ""
            document.output.write(f"{label}{text}\n", inside(place, at(headers=1)))
        if hasattr(item, "recipients"):
            try:
                recipients = list(dict.fromkeys(text for _, text in self._texts(item.recipients)))
            except _FAULTS:
                recipients = []
            for text in recipients:
                document.output.write(text + "\n", inside(place, at(headers=1)))
        self._bodies(document, item)
        for number, attachment in enumerate(self._each(item, "attachment"), 1):
            self._attachment(document, attachment, number)

    def _entries(self, item: Any) -> Iterator[Any]:
        for record in self._each(item, "record_set"):
            yield from self._each(record, "entry")

    def _texts(self, item: Any) -> Iterator[tuple[int, str]]:
        for entry in self._entries(item):
            try:
                if entry.value_type not in _TEXTS or entry.entry_type in _ASIDE:
                    continue
                text = (entry.data_as_string or "").strip("\0\x01\x04 \r\n")
            except _FAULTS:
                continue  # a text in no encoding that it knows
            if text and not text.lower().startswith(_DIRECTORY_NAME):
                yield entry.entry_type, text

    def _bodies(self, document: Document, item: Any) -> None:
        bodies: dict[int, Any] = {}
        for entry in self._entries(item):
            if entry.entry_type in (_BODY, _HTML, _RTF):
                bodies[entry.entry_type] = entry
        try:
            if _BODY in bodies:
                document.output.write((bodies[_BODY].data_as_string or "") + "\n", document.place)
            if _HTML in bodies:
                write_markup(document, decode(bodies[_HTML].data or b""))
            elif _RTF in bodies and _BODY not in bodies:
                data = decompressed(bodies[_RTF].data or b"")
                document.budget.expand(len(data))
                self._nested(document, io.BytesIO(data), len(data), b"body.rtf", "")
        except _FAULTS:
            self.damaged = True

    def _attachment(self, document: Document, attachment: Any, number: int) -> None:
        location = at(part=number)
        names = {tag: text for tag, text in self._texts(attachment) if tag in (_LONG_NAME, _SHORT_NAME)}
        name = names.get(_LONG_NAME) or names.get(_SHORT_NAME, "")
        if name:
            document.output.write(name + "\n", inside(document.place, location))
        try:
            size = attachment.get_size()
            document.budget.expand(size)
            content = attachment.read_buffer(size) if size else b""
        except _FAULTS:
            for message in self._each(attachment, "sub_item"):  # a message attached to a message
                self._message(message)
            return
        self._nested(document, io.BytesIO(content), len(content), name.encode("utf-8", "replace"), location)

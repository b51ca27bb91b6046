"""OLE compound files ([MS-CFB]), in which the old formats of Office keep their streams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import olefile

from agent.extraction.document import Damaged, Document
from agent.extraction.formats.property_set import own_properties
from agent.model.location import at, inside

_MORE_PROPERTIES = "\x05DocumentSummaryInformation"
_TOLD = ("title", "subject", "author", "keywords", "comments", "last_saved_by", "manager", "company", "category")


class Compound:
    """The streams of one file by name. Faults of the container come as `Damaged`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        document.stream.seek(0)
        with _as_damage():
            self._ole = olefile.OleFileIO(document.stream, raise_defects=olefile.DEFECT_FATAL)

    def has(self, name: str) -> bool:
        return bool(self._ole.exists(name))

    def names(self) -> list[list[str]]:
        """Every stream, as its steps from the root."""
        with _as_damage():
            return [list(name) for name in self._ole.listdir(streams=True, storages=False)]

    def stream(self, name: str | list[str]) -> bytes:
        """All bytes of a stream; none if there is no such one."""
        if not self._ole.exists(name):
            return b""
        self.document.budget.enter(self.document.depth)
        with _as_damage():
            return self.document.budget.read_all(self._ole.openstream(name))

    def write_properties(self) -> None:
        """Writes author, title and the like ([MS-OLEPS])."""
        place = inside(self.document.place, at(properties=1))
        try:
            metadata = self._ole.get_metadata()
        except Exception:  # noqa: BLE001 — olefile raises whatever it meets; the text itself is untouched by that
            return
        for name in _TOLD:
            value = getattr(metadata, name, None)
            if isinstance(value, bytes):
                value = value.decode("cp1252", "replace")
            if value:
                self.document.output.write(f"{name.replace('_', ' ')}: {str(value).strip(chr(0))}\n", place)
        for name, text in own_properties(self.stream(_MORE_PROPERTIES)):
            self.document.output.write(f"{name}: {text}\n", place)


@contextmanager
def _as_damage() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, IndexError, TypeError, OverflowError):
        raise Damaged("damaged_container") from None

"""OLE compound files ([MS-CFB]), in which the old formats of Office keep their streams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import olefile

from agent.extraction.document import Damaged, Document
from agent.extraction.formats.property_set import properties
from agent.model.location import at, inside

_PROPERTIES = {
    "\x05SummaryInformation": {
        2: "title", 3: "subject", 4: "author", 5: "keywords", 6: "comments", 8: "last saved by"
    },
    "\x05DocumentSummaryInformation": {2: "category", 14: "manager", 15: "company"},
}  # fmt: skip


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
        """Writes author, title and the like, and what people have added."""
        place = inside(self.document.place, at(properties=1))
        for stream, known in _PROPERTIES.items():
            for name, text in properties(self.stream(stream), known):
                self.document.output.write(f"{name}: {text}\n", place)


@contextmanager
def _as_damage() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, IndexError, TypeError, OverflowError):
        raise Damaged("damaged_container") from None

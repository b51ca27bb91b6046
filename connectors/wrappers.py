"""Connectors around connectors: each adds one rule to any source."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from connectors.base import Capabilities, Connector, Content, Item, ItemRef, Known, Page, Receipt, Scope
from connectors.pace import Pace

_BEGINNING_BYTES = 4096


class _Around:
    """Passes everything on as it is."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    @property
    def capabilities(self) -> Capabilities:
        return self._connector.capabilities

    def scopes(self) -> Sequence[Scope]:
        return self._connector.scopes()

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        return self._connector.changes(scope, known, after)

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        return self._connector.look(scope, known, folders)

    def open(self, scope: Scope, item: Item) -> Content:
        return self._connector.open(scope, item)

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        return self._connector.label(scope, ref, version, label)

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        return self._connector.delete(scope, ref, version)

    def close(self) -> None:
        self._connector.close()


class ReadOnly(_Around):
    """Lets through what reads and answers what would change with a receipt that says so: a dry run."""

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        return Receipt(ref, False, f"read-only: would set the label {label!r}")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        return Receipt(ref, False, "read-only: would delete")


class Paced(_Around):
    """Spares the source: opens items, and gives out what it lists, no faster than `pace` allows.

    An item's bytes count when it is opened, all of them: whoever opens it is taken to read it to its end.
    """

    def __init__(self, connector: Connector, pace: Pace, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(connector)
        self.pace = pace
        self._clock = clock

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        return self._unhurried(super().changes(scope, known, after))

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        return self._unhurried(super().look(scope, known, folders))

    def open(self, scope: Scope, item: Item) -> Content:
        self.pace.before_opening()
        began = self._clock()
        content = super().open(scope, item)
        try:
            from_storage = self.pace.measures and _read_beginning(content.fileno())
            self.pace.after_opening(item.size_bytes, self._clock() - began if from_storage else None)
        except BaseException:
            content.close()
            raise
        return content

    def _unhurried(self, pages: Iterator[Page]) -> Iterator[Page]:
        for page in pages:
            yield page
            self.pace.between_pages()


def _read_beginning(descriptor: int) -> bool:
    """Reads the beginning of what is open there; whether it came from storage and not from memory, as far as told.

    A fault in reading is left to those who want the content.
    """
    block = bytearray(_BEGINNING_BYTES)
    with suppress(OSError):  # it is not in memory, or the file system does not say
        os.preadv(descriptor, [block], 0, os.RWF_NOWAIT)
        return False
    with suppress(OSError):
        os.preadv(descriptor, [block], 0)
    return True

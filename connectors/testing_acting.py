"""What every part of the contract of holdings stands on: a source with a few items, and the acts on it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Protocol

import pytest

from connectors.base import Item, ItemRef, KnowsNothing, Scope
from connectors.holding import Holding, Made
from connectors.testing import Source, found


class HeldSource(Source, Protocol):
    """A source that can be acted on as well. `holding` is such that no item counts as touched a moment ago."""

    holding: Holding

    def restart(self) -> Holding:
        """Another holding on the same source, as after a crash."""


CONTRACT = ItemRef(b"HR", b"contract.txt")
AWKWARD = ItemRef(b"HR/\xe4 b", b"\xff\xfe bytes \n.txt")
ID = "0123456789abcdef" * 2
OTHER_ID = "fedcba9876543210" * 2
TEXT = b"what was agreed"
# Where nothing can lie.
NO_PLACES = tuple(
    ItemRef(folder, name)
    for folder, name in (
        (b"HR", b""),
        (b"HR", b"."),
        (b"HR", b".."),
        (b"HR", b"a/b"),
        (b"HR", b"/etc"),
        (b"HR", b"a\0b"),
        (b"HR\0/x", b"a"),
        (b"..", b"a"),
        (b"HR/../..", b"a"),
        (b"HR/./x", b"a"),
        (b"HR//x", b"a"),
        (b"/HR", b"a"),
    )
)


def fills(content: bytes) -> Callable[[int], None]:
    """What `make` takes to write that content."""

    def write(descriptor: int) -> None:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)

    return write


def sha256(content: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


class Acting:
    """Override the fixture `source`."""

    keeps_marks = True

    @pytest.fixture
    def source(self) -> HeldSource:
        raise NotImplementedError("say how a source is made")

    @pytest.fixture
    def filled(self, source: HeldSource) -> HeldSource:
        source.put(CONTRACT.path, TEXT)
        source.put(AWKWARD.path, b"a name that is no text")
        source.put(b"readme.txt", b"at the top")
        return source

    @staticmethod
    def _scope(source: HeldSource) -> Scope:
        (scope,) = source.connector.scopes()
        return scope

    def _items(self, source: HeldSource) -> dict[ItemRef, Item]:
        return {item.ref: item for item in found(source.connector.changes(self._scope(source), KnowsNothing()))}

    def _content(self, source: HeldSource, ref: ItemRef) -> bytes:
        with source.connector.open(self._scope(source), self._items(source)[ref]) as content:
            return os.pread(content.fileno(), 100, 0)

    def _take(self, source: HeldSource, ref: ItemRef = CONTRACT, id: str = ID) -> bytes:
        """Takes the item; gives its properties."""
        item = self._items(source)[ref]
        with source.holding.take(self._scope(source), ref, item.version, id) as taken:
            return taken.taken.properties

    def _held(self, source: HeldSource, id: str = ID) -> bytes | None:
        content = source.holding.taken(self._scope(source), id)
        if content is None:
            return None
        with content:
            return os.pread(content.fileno(), 100, 0)

    def _make(self, source: HeldSource, properties: bytes, ref: ItemRef = CONTRACT, content: bytes = TEXT) -> Made:
        return source.holding.make(self._scope(source), ref, properties, fills(content), sha256(content))

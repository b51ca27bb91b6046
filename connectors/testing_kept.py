"""What the contract of keepings stands on: a source with a few items, what people do there, and the acts on it."""

from __future__ import annotations

from typing import Protocol

import pytest

from connectors.base import ItemRef, Scope
from connectors.errors import CheckedOut, ConnectorError, HeldAtSource, LockedAtSource, RecordAtSource
from connectors.keeping import GivenBack, Keeping, Kept, Target
from connectors.testing import Source

CONTRACT = b"HR/contract.txt"
AWKWARD = "HR/Straße & Söhne/50%25 + #1 'x'.txt".encode()
README = b"readme.txt"
ID = "0123456789abcdef" * 2
OTHER_ID = "fedcba9876543210" * 2
TEXT = b"what was agreed"
LABEL = "Keep 7 years"
# Where nothing can lie.
NO_PLACES = tuple(
    ItemRef(folder, name)
    for folder, name in (
        (b"HR", b""),
        (b"HR", b"."),
        (b"HR", b".."),
        (b"HR", b"a/b"),
        (b"HR", b"a\0b"),
        (b"..", b"a"),
        (b"HR/../..", b"a"),
        (b"HR/./x", b"a"),
        (b"HR//x", b"a"),
        (b"/HR", b"a"),
    )
)


class KeptSource(Source, Protocol):
    """A source that keeps what is taken, and what people do there. `put` makes an item that `item` finds again."""

    keeping: Keeping

    def restart(self) -> Keeping:
        """Another keeping on the same source, as after a crash."""

    def item(self, path: bytes) -> Target:
        """The item that was put at that path, as it is now."""

    def reach(self, file_id: bytes) -> ItemRef | None:
        """Where people reach the item of that id; none if they do not, or there is none."""

    def content(self, file_id: bytes) -> bytes:
        """The item's bytes, wherever it lies."""

    def move(self, path: bytes, to: bytes) -> None:
        """Moves an item, or a folder with all that is in it. They keep their ids."""

    def change(self, file_id: bytes, content: bytes) -> None:
        """Somebody who may enter the quarantine gives the item that lies there other content."""

    def carry_off(self, file_id: bytes, path: bytes) -> None:
        """Such a person moves the item out of the quarantine to that path."""

    def protect(self, file_id: bytes, error: type[ConnectorError] | None) -> None:
        """From now on the source itself protects the item, such that this is the error that says so; or no more."""


class KeepingActs:
    """Override the fixture `source`.

    What a kind of source does not have is switched off: items with names of their own choosing, content that can
    change, retention labels (`LABEL` must be there), marks by name, protections.
    """

    names = True
    changes = True
    labels = True
    marks = True
    protections: tuple[type[ConnectorError], ...] = (HeldAtSource, RecordAtSource, LockedAtSource, CheckedOut)

    @pytest.fixture
    def source(self) -> KeptSource:
        raise NotImplementedError("say how a source is made")

    @pytest.fixture
    def filled(self, source: KeptSource) -> KeptSource:
        source.put(CONTRACT, TEXT)
        source.put(AWKWARD, b"a name that needs care")
        source.put(README, b"at the top")
        return source

    @staticmethod
    def _scope(source: KeptSource) -> Scope:
        (scope,) = source.connector.scopes()
        return scope

    def _keep(self, source: KeptSource, path: bytes = CONTRACT, id: str = ID) -> tuple[Target, Kept]:
        target = source.item(path)
        return target, source.keeping.keep(self._scope(source), target, id)

    def _kept(self, source: KeptSource, target: Target, id: str = ID) -> Kept | None:
        return source.keeping.kept(self._scope(source), target.file_id, id)

    def _is_as_it_was(self, source: KeptSource, target: Target, content: bytes = TEXT) -> bool:
        """Whether the item lies in its place, and only there."""
        there = source.reach(target.file_id) == target.ref and source.content(target.file_id) == content
        return there and [*source.keeping.in_quarantine(self._scope(source))] == []

    def _is_kept(self, source: KeptSource, target: Target, content: bytes = TEXT) -> bool:
        """Whether the item lies in quarantine, and only there."""
        away = source.reach(target.file_id) is None and source.content(target.file_id) == content
        return away and [*source.keeping.in_quarantine(self._scope(source))] == [(ID, target.file_id)]

    def _give_back(self, source: KeptSource, target: Target, id: str = ID) -> GivenBack:
        return source.keeping.give_back(self._scope(source), target.file_id, id, target.ref, target.folder_id)

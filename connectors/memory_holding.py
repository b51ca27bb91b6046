"""The acting half of the reference connector: a hold in memory, over the items of a `MemoryConnector`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from connectors.base import ItemRef, Scope
from connectors.content import OpenContent
from connectors.errors import ConnectorError, ItemChanged, PlaceTaken, ScopeUnavailable
from connectors.holding import LetGo, Made, Taken
from connectors.memory import MemoryConnector, Stored
from connectors.places import check_place


class TakenInMemory(OpenContent):
    """A copy of a taken item; it is current as long as that very item lies in the hold."""

    def __init__(self, memory: MemoryConnector, taken: Taken) -> None:
        self.taken = taken
        stored = memory.held[taken.id]
        descriptor = os.memfd_create("taken", os.MFD_CLOEXEC)
        with open(descriptor, "wb", closefd=False) as copy:
            copy.write(stored.content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        super().__init__(descriptor, lambda _: memory.held.get(taken.id) is stored)


class MemoryHolding:
    """Acts on the items of `memory`, as `connectors.holding.Holding` says. What it holds stays there when it is closed,
    so that another one finds it as after a restart.

    A test may let any call fail.
    """

    def __init__(self, memory: MemoryConnector) -> None:
        self._memory = memory
        self._failing: dict[str, ConnectorError] = {}

    def fail(self, call: str, error: ConnectorError | None) -> None:
        """From now on the call of that name (`take`, `let_go` and so on) raises `error`; none lets it work again."""
        if error is None:
            self._failing.pop(call, None)
        else:
            self._failing[call] = error

    # The contract

    def take(self, scope: Scope, ref: ItemRef, version: bytes, id: str) -> TakenInMemory:
        self._called("take", scope)
        stored = self._memory.at(ref, version)
        if id in self._memory.held:
            raise PlaceTaken("something lies in the hold under that id")
        item = self._memory.item(ref)
        self._memory.held[id] = replace(stored, modified_at=item.modified_at, created_at=item.created_at)
        self._memory.withdraw(ref)
        return self._content(id)

    def taken(self, scope: Scope, id: str) -> TakenInMemory | None:
        self._called("taken", scope)
        return self._content(id) if id in self._memory.held else None

    def put_back(self, scope: Scope, id: str, ref: ItemRef) -> bool:
        self._called("put_back", scope)
        check_place(ref)
        if id not in self._memory.held:
            return False
        self._memory.check_free(ref)
        self._memory.store(ref, self._memory.held.pop(id))
        return True

    def let_go(self, scope: Scope, id: str) -> LetGo:
        self._called("let_go", scope)
        there = self._memory.held.pop(id, None) is not None
        return LetGo("overwritten" if there else "nothing_there")

    def in_hold(self, scope: Scope) -> Iterator[str]:
        self._called("in_hold", scope)
        yield from sorted(self._memory.held)

    def make(
        self,
        scope: Scope,
        ref: ItemRef,
        properties: bytes,
        write: Callable[[int], None],
        sha256: str,
        *,
        keep_times: bool = True,
    ) -> Made:
        self._called("make", scope)
        check_place(ref)
        content = _written(write)
        if _sha256(content) != sha256:
            raise ItemChanged("what was written is not what should have been")
        if ref in self._memory.refs():
            there = self._memory.item(ref)
            if self._memory.at(ref, there.version).content == content:
                return Made(ref, there.version, made=False)
        self._memory.check_free(ref)
        had = _read(properties)
        self._memory.store(ref, replace(had if keep_times else Stored(b"", marks=had.marks), content=content))
        return Made(ref, self._memory.item(ref).version, made=True)

    def version_at(self, scope: Scope, ref: ItemRef, sha256: str) -> bytes | None:
        self._called("version_at", scope)
        if ref not in self._memory.refs():
            return None
        version = self._memory.item(ref).version
        return version if _sha256(self._memory.at(ref, version).content) == sha256 else None

    def mark(self, scope: Scope, ref: ItemRef, version: bytes, marks: Mapping[str, str]) -> bytes:
        self._called("mark", scope)
        stored, item = self._memory.at(ref, version), self._memory.item(ref)
        wanted = {name: value for name, value in {**stored.marks, **marks}.items() if value}
        if wanted == dict(stored.marks):
            return version
        self._memory.store(ref, replace(stored, marks=wanted, modified_at=item.modified_at, created_at=item.created_at))
        return self._memory.item(ref).version

    def close(self) -> None:
        """Nothing is held open."""

    def _called(self, call: str, scope: Scope) -> None:
        self._memory.verify()
        if scope.identity != self._memory.scope.identity:
            raise ScopeUnavailable("another source answers here now")
        if call in self._failing:
            raise self._failing[call]

    def _content(self, id: str) -> TakenInMemory:
        stored = self._memory.held[id]
        return TakenInMemory(self._memory, Taken(id, len(stored.content), _write(stored)))


def _written(write: Callable[[int], None]) -> bytes:
    """What is in the file after `write` has filled it."""
    descriptor = os.memfd_create("made", os.MFD_CLOEXEC)
    try:
        write(descriptor)
        with open(descriptor, "rb", closefd=False) as written:
            written.seek(0)
            return written.read()
    finally:
        os.close(descriptor)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(stored: Stored) -> bytes:
    dates = [at and at.isoformat() for at in (stored.modified_at, stored.created_at)]
    return json.dumps([dict(stored.marks), *dates]).encode()


def _read(properties: bytes) -> Stored:
    marks, *dates = json.loads(properties)
    modified, created = (at and datetime.fromisoformat(at) for at in dates)
    return Stored(b"", 0, marks, modified, created)

"""The changing half of the reference connector where the source keeps what is taken, over a `MemoryConnector`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from connectors.base import ItemRef, Scope
from connectors.errors import ConnectorError, ItemChanged, ItemNotFound, PlaceTaken, ScopeUnavailable, Unsupported
from connectors.keeping import Deleted, GivenBack, Kept, Remains, Target
from connectors.memory import MARK, MemoryConnector, ref_of
from connectors.places import check_place

PERMANENTLY = Deleted("deleted_permanently", {})
RECYCLED = Deleted("recycled", {Remains.RECYCLE_BIN: 93})
NOTHING_THERE = Deleted("nothing_there", {})


class MemoryKeeping:
    """Acts on the items of `memory`, as `connectors.keeping.Keeping` says. What it keeps stays there when it is closed,
    so that another one finds it as after a restart.

    A test may let any call fail, protect single items, and say how items are `deleted` and which retention `labels`
    there are (any, if none are named).
    """

    def __init__(
        self, memory: MemoryConnector, *, deleted: Deleted = PERMANENTLY, labels: frozenset[str] | None = None
    ) -> None:
        self._memory = memory
        self._deleted = deleted
        self._labels = labels
        self._failing: dict[str, ConnectorError] = {}
        self._protected: dict[bytes, ConnectorError] = {}

    # What a test does to the source

    def fail(self, call: str, error: ConnectorError | None) -> None:
        """From now on the call of that name (`keep`, `delete` and so on) raises `error`; none lets it work again."""
        if error is None:
            self._failing.pop(call, None)
        else:
            self._failing[call] = error

    def protect(self, file_id: bytes, error: ConnectorError | None) -> None:
        """From now on whatever would take, delete or change the item raises `error`; none takes its protection away."""
        if error is None:
            self._protected.pop(file_id, None)
        else:
            self._protected[file_id] = error

    def change(self, file_id: bytes, content: bytes) -> None:
        """Gives the item that lies in quarantine other content."""
        id = next(id for id, stored in self._memory.kept.items() if stored.file_id == file_id)
        self._memory.kept[id] = replace(self._memory.kept[id], content=content, version=self._memory.new_version())

    def carry_off(self, file_id: bytes, path: bytes) -> None:
        """Somebody moves what lies in quarantine to that path."""
        id = next(id for id, stored in self._memory.kept.items() if stored.file_id == file_id)
        self._memory.store(ref_of(path), self._memory.kept.pop(id))

    # The contract

    def keep(self, scope: Scope, target: Target, id: str) -> Kept:
        self._called("keep", scope)
        ref = self._place_of(target)
        stored = self._memory.at(ref, target.version)
        if id in self._memory.kept:
            raise PlaceTaken("something lies in quarantine under that id")
        self._check_protection(target.file_id)
        self._memory.withdraw(ref)
        self._memory.kept[id] = replace(stored, version=self._memory.new_version())
        return self._kept(id)

    def kept(self, scope: Scope, file_id: bytes, id: str) -> Kept | None:
        self._called("kept", scope)
        return self._kept(id) if self._lies_there(file_id, id) else None

    def give_back(self, scope: Scope, file_id: bytes, id: str, to: ItemRef, folder_id: bytes) -> GivenBack:
        self._called("give_back", scope)
        check_place(to)
        memory = self._memory
        if not self._lies_there(file_id, id):
            if memory.of_id(file_id) != to:
                raise ItemNotFound("it lies neither in quarantine nor in its place")
            return GivenBack(to, memory.item(to).version, given=False)
        self._check_protection(file_id)
        memory.check_free(to)
        before = self._kept(id).version
        memory.store(to, memory.kept.pop(id))
        return GivenBack(to, memory.item(to).version, given=True, before=before)

    def delete(self, scope: Scope, file_id: bytes, id: str, version: bytes) -> Deleted:
        self._called("delete", scope)
        if not self._lies_there(file_id, id):
            if self._memory.of_id(file_id) is not None:
                raise ItemChanged("it has been taken out of quarantine")
            return NOTHING_THERE
        if self._kept(id).version != version:
            raise ItemChanged("it is not as it was when it was taken")
        self._check_protection(file_id)
        del self._memory.kept[id]
        return self._deleted

    def in_quarantine(self, scope: Scope) -> Iterator[tuple[str, bytes]]:
        self._called("in_quarantine", scope)
        yield from sorted((id, stored.file_id) for id, stored in self._memory.kept.items())

    def label(self, scope: Scope, target: Target, label: str) -> bytes:
        self._called("label", scope)
        if self._labels is not None and label not in self._labels:
            raise Unsupported("there is no such label")
        return self._marked(target, {MARK: label})

    def mark(self, scope: Scope, target: Target, marks: Mapping[str, str]) -> bytes:
        self._called("mark", scope)
        return self._marked(target, marks)

    def close(self) -> None:
        """Nothing is held open."""

    # Parts of the above

    def _called(self, call: str, scope: Scope) -> None:
        self._memory.verify()
        if scope.identity != self._memory.scope.identity:
            raise ScopeUnavailable("another source answers here now")
        if call in self._failing:
            raise self._failing[call]

    def _check_protection(self, file_id: bytes) -> None:
        if file_id in self._protected:
            raise self._protected[file_id]

    def _place_of(self, target: Target) -> ItemRef:
        """Where the item lies, as the caller knows it. Raises `ItemNotFound`, `ItemChanged`."""
        ref = self._memory.of_id(target.file_id)
        if ref is None:
            raise ItemNotFound("there is no such item")
        same_folder = self._memory.folder_id(ref.folder) == target.folder_id or ref.folder == target.ref.folder
        if not same_folder or ref.name != target.ref.name:
            raise ItemChanged("the item lies elsewhere")
        return ref

    def _lies_there(self, file_id: bytes, id: str) -> bool:
        return id in self._memory.kept and self._memory.kept[id].file_id == file_id

    def _kept(self, id: str) -> Kept:
        stored = self._memory.kept[id]
        size, sha256 = len(stored.content), hashlib.sha256(stored.content).hexdigest()
        return Kept(id, stored.file_id, b"%d" % stored.version, size, sha256)

    def _marked(self, target: Target, marks: Mapping[str, str]) -> bytes:
        ref = self._place_of(target)
        stored, item = self._memory.at(ref, target.version), self._memory.item(ref)
        wanted = {name: value for name, value in {**stored.marks, **marks}.items() if value}
        if wanted == dict(stored.marks):
            return target.version
        self._check_protection(target.file_id)
        self._memory.store(ref, replace(stored, marks=wanted, modified_at=item.modified_at, created_at=item.created_at))
        return self._memory.item(ref).version

"""What the caller has recorded of items, where what it was told in this run may not be recorded yet."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from connectors.base import ItemRef, Known

# Callers store what they are told in order, a few batches later: far less than this many items.
_MOST_UNDER_WAY = 10_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """An item as the caller has it. Not `settled`: it was told something about it that may still be under way, so that
    nothing may be built on the version."""

    ref: ItemRef
    version: bytes
    settled: bool = True


class Recall:
    """Asks the caller, and remembers what was told of late."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._under_way: OrderedDict[str, tuple[ItemRef, bytes | None]] = OrderedDict()

    def tell(self, item_id: str, ref: ItemRef, version: bytes | None) -> None:
        """The item is told to be read anew at that version, or, with none, to be gone."""
        self._under_way[item_id] = (ref, version)
        self._under_way.move_to_end(item_id)
        if len(self._under_way) > _MOST_UNDER_WAY:
            self._under_way.popitem(last=False)

    def item(self, item_id: str) -> Recorded | None:
        """What is recorded of the item, or will be."""
        known = self._known.item_of(item_id.encode())
        told = self._under_way.get(item_id)
        if told is not None:
            ref, version = told
            if version != (known.version if known else None):
                return Recorded(ref, b"", settled=False)
            del self._under_way[item_id]
        return Recorded(known.ref, known.version) if known else None

    def is_under_way(self, item_id: str) -> bool:
        """Whether something was told about the item in this run that may not be recorded yet."""
        return item_id in self._under_way

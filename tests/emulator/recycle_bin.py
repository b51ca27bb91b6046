"""What a site keeps of what was deleted: its recycle bin, in two stages, and its Preservation Hold library."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.emulator.clock import Clock
from tests.emulator.contents import Content
from tests.emulator.drive_nodes import Node
from tests.emulator.people import Person

KEPT = timedelta(days=93)  # both stages together


@dataclass(slots=True)
class Recycled:
    """Something that was deleted from a drive, with all that was in it."""

    drive_id: str
    node: Node
    below: list[Node]
    folder: str
    deleted_at: datetime
    deleted_by: Person
    stage: int = 1
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def item_id(self) -> str:
        return self.node.id

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def size(self) -> int:
        return self.node.true_size + sum(node.true_size for node in self.below)


@dataclass(frozen=True, slots=True)
class Preserved:
    """A copy that a retention policy or label kept of a file that was deleted."""

    item_id: str
    name: str
    content: Content
    preserved_at: datetime


class RecycleBin:
    """The recycle bin of one site. Nothing is older than 93 days in it, whichever stage it is in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: list[Recycled] = []

    def put(self, recycled: Recycled) -> None:
        self._all.append(recycled)

    def items(self, stage: int | None = None) -> list[Recycled]:
        """What is in there now; of one stage, or of both."""
        oldest = self._clock.now() - KEPT
        self._all = [each for each in self._all if each.deleted_at > oldest]
        return [each for each in self._all if stage in (None, each.stage)]

    def of(self, item_id: str) -> Recycled | None:
        """What was the item of that id, if it is in there."""
        return next((each for each in self.items() if each.item_id == item_id), None)

    def empty(self) -> None:
        """What people see is moved on to the second stage; what was there already is gone."""
        self._all = self.items(stage=1)
        for each in self._all:
            each.stage = 2

    def take_back(self, recycled: Recycled) -> None:
        self._all.remove(recycled)

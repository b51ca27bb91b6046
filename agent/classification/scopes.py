"""What a hold covers, tested record by record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from types import MappingProxyType

from agent.classification.classify import condition_test
from agent.model.condition import Condition, StorageKind
from agent.model.decision import Assignment
from agent.model.hold import HoldScope
from agent.model.key import HIDDEN
from agent.model.record import Record


class ScopeTest:
    """The scope of one hold, compiled once for many records.

    `condition` is what the scope's condition says, `items` are the numbers of the items in which one of its persons was
    found. `time_zone` turns a timestamp into a date; `storage` is as for `Classifier`.
    """

    def __init__(
        self,
        scope: HoldScope,
        condition: Condition | None,
        items: frozenset[int],
        time_zone: tzinfo,
        storage: Mapping[str, frozenset[StorageKind]] = MappingProxyType({}),
    ) -> None:
        self._scope = scope
        self._test = None if condition is None else condition_test(condition, storage)
        self._items = items
        self._time_zone = time_zone
        self._classes = frozenset(scope.classes)
        self._keys = frozenset(scope.keys)
        self._persons = frozenset(HIDDEN + identity.hex() for identity in scope.persons)

    def covers(self, record: Record, item_id: int, assignments: Sequence[Assignment]) -> bool:
        """Whether every part of the scope holds for the item. The keys of `assignments` are as they are kept."""
        return (
            self._dated(record)
            and self._of_classes(assignments)
            and self._with_keys(assignments)
            and self._about_persons(item_id, assignments)
            and (self._test is None or self._test(record))
        )

    def _dated(self, record: Record) -> bool:
        earliest, latest = self._scope.dated_from, self._scope.dated_until
        if earliest is None and latest is None:
            return True
        day = self._day(record)
        return (earliest is None or earliest <= day) and (latest is None or day <= latest)

    def _day(self, record: Record) -> date:
        try:
            return record.modified_at.astimezone(self._time_zone).date()
        except OverflowError:  # at the very end of the calendar there is no other time zone
            return record.modified_at.date()

    def _of_classes(self, assignments: Sequence[Assignment]) -> bool:
        return not self._classes or any(assignment.class_id in self._classes for assignment in assignments)

    def _with_keys(self, assignments: Sequence[Assignment]) -> bool:
        return not self._keys or any(not self._keys.isdisjoint(assignment.keys.items()) for assignment in assignments)

    def _about_persons(self, item_id: int, assignments: Sequence[Assignment]) -> bool:
        if not self._persons or item_id in self._items:
            return True
        return any(not self._persons.isdisjoint(assignment.keys.values()) for assignment in assignments)

"""Retention labels of the emulated tenant: what they are called, how they behave, and what they forbid.

Which flags an item's `retentionSettings` carry follows from the label's behaviour and from whether a record is locked.
No page of the service's documentation says so in one place; what is uncertain is a switch in `quirks.py`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.emulator.moments import spelled
from tests.emulator.people import Person

if TYPE_CHECKING:
    from tests.emulator.drive_nodes import Node

FREE, RETAIN, RECORD, REGULATORY, UNKNOWN = (
    "doNotRetain",
    "retain",
    "retainAsRecord",
    "retainAsRegulatoryRecord",
    "unknownFutureValue",
)
BEHAVIOURS = (FREE, RETAIN, RECORD, REGULATORY, UNKNOWN)


@dataclass(frozen=True, slots=True)
class RetentionLabel:
    """A label of the tenant's catalogue."""

    name: str
    behaviour: str
    id: str
    created_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "displayName": self.name,
            "behaviorDuringRetentionPeriod": self.behaviour,
            "actionAfterRetentionPeriod": "none",
            "retentionTrigger": "dateLabeled",
            "isInUse": True,
            "createdDateTime": spelled(self.created_at),
            "lastModifiedDateTime": spelled(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class AppliedLabel:
    """A label on an item: set there by hand, or handed down by the folder it lies in. Records begin locked."""

    label: RetentionLabel
    by: Person
    at: datetime
    explicit: bool = True
    unlocked: bool = False

    @property
    def name(self) -> str:
        return self.label.name

    @property
    def is_record(self) -> bool:
        return self.label.behaviour in (RECORD, REGULATORY)

    @property
    def retains(self) -> bool:
        return self.label.behaviour in (RETAIN, RECORD, REGULATORY)

    @property
    def is_locked(self) -> bool:
        """Whether it makes the item a record that must not change now."""
        return self.label.behaviour == REGULATORY or (self.label.behaviour == RECORD and not self.unlocked)

    def handed_down(self) -> AppliedLabel:
        return replace(self, explicit=False)

    def settings(self, kept_may_be_deleted: bool) -> dict[str, Any]:
        """`retentionSettings` as an item with this label has them."""
        regulatory = self.label.behaviour == REGULATORY
        return {
            "behaviorDuringRetentionPeriod": self.label.behaviour,
            "isRecordLocked": self.is_locked,
            "isDeleteAllowed": not self.is_record and (not self.retains or kept_may_be_deleted),
            "isContentUpdateAllowed": not self.is_locked,
            "isMetadataUpdateAllowed": not regulatory,
            "isLabelUpdateAllowed": not regulatory,
        }

    def as_json(self, kept_may_be_deleted: bool) -> dict[str, Any]:
        return {
            "name": self.name,
            "isLabelAppliedExplicitly": self.explicit,
            "labelAppliedDateTime": spelled(self.at),
            "labelAppliedBy": self.by.as_identity_set(),
            "retentionSettings": self.settings(kept_may_be_deleted),
        }


def new_label(name: str, behaviour: str, now: datetime) -> RetentionLabel:
    return RetentionLabel(name, behaviour, str(uuid.uuid5(uuid.NAMESPACE_URL, name)), now)


def inherited_label(folder: Node) -> AppliedLabel | None:
    """The label that an item gets by being put into that folder."""
    return folder.label and folder.label.handed_down()

"""What a retention label at the source lets us do with an item that carries it. Rules only: nothing is asked here.

A label is refused for what is not known of it, too: one without settings, or of a kind that is newer than this code,
may be a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import HeldAtSource, LabelledByOthers, RecordAtSource

# How a label treats an item while its period runs, in the service's words. All others count as records.
_LETS_GO = "doNotRetain"
_RETAINS = "retain"


@dataclass(frozen=True, slots=True)
class AppliedLabel:
    """The retention label of an item. A permission that the service does not state is `None`.

    `explicit` is false where the label came to the item from its folder, library or a policy. `set_by` is the id of the
    application that set it, `""` for a person and for whatever is not told.
    """

    name: str = field(repr=False)
    behaviour: str = ""
    explicit: bool = True
    delete_allowed: bool | None = None
    label_update_allowed: bool | None = None
    metadata_update_allowed: bool | None = None
    set_by: str = ""

    @property
    def settled(self) -> bool:
        """Whether the service said what the label does."""
        return self.behaviour != ""


def read_label(answer: object) -> AppliedLabel | None:
    """The label that the service describes; none if there is none. Of what it leaves open, nothing is assumed."""
    if not isinstance(answer, Mapping):
        return None
    name, settings = answer.get("name"), answer.get("retentionSettings")
    settings = settings if isinstance(settings, Mapping) else {}
    behaviour = settings.get("behaviorDuringRetentionPeriod")
    if not (isinstance(name, str) and name) and not settings:
        return None
    return AppliedLabel(
        name=name if isinstance(name, str) else "",
        behaviour=behaviour if isinstance(behaviour, str) else "",
        explicit=answer.get("isLabelAppliedExplicitly") is not False,
        delete_allowed=_flag(settings, "isDeleteAllowed"),
        label_update_allowed=_flag(settings, "isLabelUpdateAllowed"),
        metadata_update_allowed=_flag(settings, "isMetadataUpdateAllowed"),
        set_by=_application(answer.get("labelAppliedBy")),
    )


def _application(by: object) -> str:
    application = by.get("application") if isinstance(by, Mapping) else None
    id = application.get("id") if isinstance(application, Mapping) else None
    return id if isinstance(id, str) else ""


def _flag(settings: Mapping[str, Any], name: str) -> bool | None:
    value = settings.get(name)
    return value if isinstance(value, bool) else None


def check_may_go(label: AppliedLabel | None) -> None:
    """Raises `RecordAtSource` or `HeldAtSource` unless an item with this label may be taken away and deleted.

    What is retained may go only if the service says so in so many words: then its period is over, or the tenant keeps
    a copy of its own.
    """
    _check_no_record(label)
    if label is None or (label.behaviour == _LETS_GO and label.delete_allowed is not False):
        return
    if label.delete_allowed is not True:
        raise HeldAtSource("a retention label at the source does not let it be deleted yet")


def check_may_be_labelled(label: AppliedLabel | None, client_id: str = "") -> None:
    """Raises `RecordAtSource`, `LabelledByOthers` or `HeldAtSource` unless another label may take the place of this
    one: one that the application of that id has set, or that came to the item from where it lies."""
    _check_no_record(label)
    if label is not None and label.explicit and not (client_id and label.set_by == client_id):
        raise LabelledByOthers("somebody else has put another retention label on it")
    if label is None or (label.behaviour == _LETS_GO and label.label_update_allowed is not False):
        return
    if label.label_update_allowed is not True:
        raise HeldAtSource("the retention label at the source must not be replaced")


def check_may_be_marked(label: AppliedLabel | None) -> None:
    """Raises `RecordAtSource` or `HeldAtSource` unless columns of an item with this label may be changed."""
    _check_no_record(label)
    if label is not None and label.metadata_update_allowed is False:
        raise HeldAtSource("a retention label at the source does not let its columns be changed")


def _check_no_record(label: AppliedLabel | None) -> None:
    """Unlocked records are records all the same: somebody unlocked them to work on them, not for us."""
    if label is not None and label.behaviour not in (_LETS_GO, _RETAINS):
        raise RecordAtSource("its retention label declares it a record, or does not say what it does")

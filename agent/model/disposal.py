"""The nouns of a disposal: one item's way out of its share, step by step, and back or away for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Custody(StrEnum):
    """Who keeps an item while it is in quarantine."""

    VAULT = "vault"  # we do: an encrypted copy, and the original is gone
    SOURCE = "source"  # its source does, in a place of its own that people do not reach


class DisposalState(StrEnum):
    """Where one disposal stands, in the words of the vault; what its source keeps goes the same way with no copy.

    The catalogue refuses every step that is not in `STEPS`.
    """

    PLANNED = "planned"  # recorded before anything was done; the item is in its place or in the hold
    SEALED = "sealed"  # a proven copy lies in the vault; the hold may still have the original
    QUARANTINED = "quarantined"  # it lies in the vault and nowhere else
    RESTORING = "restoring"  # being made anew in its place; the vault has it still
    RESTORED = "restored"  # back; the disposal is over
    DESTROYING = "destroying"  # its key is being overwritten; back in quarantine if something came up before it was
    DESTROYED = "destroyed"  # its key is overwritten; an old copy of the key, or a recycle bin, might still give it out
    ERASED = "erased"  # nobody can open any copy of ours, no recycle bin has it; the disposal is over
    ABANDONED = "abandoned"  # put back, or never taken; the disposal is over
    CONFLICT = "conflict"  # it lies in the hold and something else in its place; a person must look
    RELOCATED = "relocated"  # moved to another place of its share; the disposal is over


_S = DisposalState
STEPS: Mapping[DisposalState, frozenset[DisposalState]] = {
    _S.PLANNED: frozenset({_S.SEALED, _S.ABANDONED, _S.CONFLICT, _S.RELOCATED}),
    _S.SEALED: frozenset({_S.QUARANTINED, _S.ABANDONED, _S.CONFLICT}),
    _S.QUARANTINED: frozenset({_S.RESTORING, _S.DESTROYING}),
    _S.RESTORING: frozenset({_S.RESTORED, _S.QUARANTINED}),
    _S.DESTROYING: frozenset({_S.DESTROYED, _S.QUARANTINED}),
    _S.DESTROYED: frozenset({_S.ERASED}),
    _S.CONFLICT: frozenset({_S.ABANDONED}),
}
OVER = frozenset({_S.RESTORED, _S.ERASED, _S.ABANDONED, _S.RELOCATED})


class Obstacle(StrEnum):
    """Why an item was left where it was, or put back there. Each is a state that people can read and count."""

    NOT_APPROVED = "not_approved"  # the approval has expired, or was never complete
    NOT_DUE = "not_due"
    HELD = "held"  # a hold, a restriction or an open request covers it
    PAUSED = "paused"
    CHANGED = "changed"  # the item is not as it was when it was decided on
    GONE = "gone"  # it is no longer at its source
    OPEN = "open"  # somebody has it open
    IMMUTABLE = "immutable"
    SEVERAL_NAMES = "several_names"  # hard links
    DENIED = "denied"  # the source does not let us
    READ_ONLY = "read_only"
    NO_ROOM = "no_room"  # the disk is full, at the source or in the vault
    NO_HOLD = "no_hold"  # there is no hold on its file system
    SOURCE_FAULT = "source_fault"
    SHARE_AWAY = "share_away"  # the share cannot be reached
    VAULT_FAULT = "vault_fault"
    PLACE_TAKEN = "place_taken"  # something else lies where it should go
    NO_PLACE = "no_place"  # nothing can lie where it should go
    NOT_DERIVED = "not_derived"  # what should remain of it could not be made
    INTERRUPTED = "interrupted"  # we were stopped midway
    NOT_HANDED_OVER = "not_handed_over"  # the export has not been confirmed yet
    TOO_SOON = "too_soon"  # the cool-off, or the least stay in quarantine, is not over
    NOT_IN_PLACE = "not_in_place"  # cannot be done with what its source keeps
    CHECKED_OUT = "checked_out"  # somebody has checked it out at its source
    HELD_AT_SOURCE = "held_at_source"  # a hold, policy or label of the source's own forbids it
    RECORD_AT_SOURCE = "record_at_source"  # it is declared a record there
    NOT_SIGNED_IN = "not_signed_in"  # the source does not accept our credentials
    THROTTLED = "throttled"  # the source asks us to wait for longer than we do


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's approval that a disposal rests on: the act's number, and who, in which stage, when (UTC)."""

    act: int
    by: str
    stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """What a certificate will have to say of the decision, as it was when the disposal was planned.

    `rule` is the class's clock in words, `clock` what it came to for this item.
    """

    schedule_id: str
    schedule_version: str
    class_id: str
    class_title: str
    mandate: str
    rule: str
    clock: str
    due_on: date
    approvals: tuple[Approval, ...] = ()
    placement: str = ""  # the placement rule that has it moved out of reach


@dataclass(frozen=True, slots=True)
class DisposalStep:
    """That a disposal came to a state: recorded with it, never changed. `at` is in UTC.

    `why` is an `Obstacle` or a word of a fixed vocabulary, `method` how the original left the hold, `doubts` what could
    not be made sure, `reason` what a person gave for it.
    """

    number: int
    disposal: int
    item_id: int
    before: str
    after: DisposalState
    at: datetime
    by: str
    why: str = ""
    method: str = ""
    doubts: tuple[str, ...] = ()
    epoch: str = ""
    reason: str = ""
    digest: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CertificateIssued:
    """That a certificate was issued, over how many items. `sha256` is that of the signed document, `at` is in UTC."""

    number: str
    at: datetime
    by: str
    items: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """That every disposal is suspended, since when, by whom and why; and its end."""

    number: int
    at: datetime
    by: str
    why: str
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""

"""What one entry of the audit log says, and the only bytes in which it can be said.

A log that is never changed must hold nothing that may have to be erased: no name, no path, no value from an item, no
words that somebody typed. So a leaf has a closed set of fields, each in a form into which such things do not fit;
persons and items appear as keyed hashes (`agent.audit.pseudonyms`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from agent.audit.tree import HASH_BYTES

VERSION = 1
LARGEST_BYTES = 4096

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STATE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FIELDS = frozenset({"version", "kind", "at", "item", "actor", "before", "after", "references", "digests"})


class AuditKind(StrEnum):
    """What happened."""

    EVENT_RECORDED = "event_recorded"
    EVENT_CORRECTED = "event_corrected"
    EVENT_WITHDRAWN = "event_withdrawn"
    HOLD_PLACED = "hold_placed"
    HOLD_LIFTED = "hold_lifted"
    DECISION_REVIEWED = "decision_reviewed"
    DISPOSAL_PLANNED = "disposal_planned"
    DISPOSAL_ABANDONED = "disposal_abandoned"
    DISPOSALS_PAUSED = "disposals_paused"
    DISPOSALS_RESUMED = "disposals_resumed"
    ITEM_TAGGED = "item_tagged"
    ITEM_QUARANTINED = "item_quarantined"
    ITEM_RESTORED = "item_restored"
    ITEM_DESTROYED = "item_destroyed"
    ANONYMISED = "anonymised"
    MINIMISED = "minimised"
    HANDED_BACK = "handed_back"
    THINNED = "thinned"
    RELOCATED = "relocated"
    EPOCH_ERASED = "epoch_erased"
    CERTIFICATE_ISSUED = "certificate_issued"
    SETTINGS_CHANGED = "settings_changed"
    VIEWED = "viewed"
    TEXT_ERASED = "text_erased"


class Reference(StrEnum):
    """What an entry may point at, by a number or identifier that tells nothing of a person."""

    DECISION = "decision"
    CLASS = "class"
    SCHEDULE = "schedule"
    EVENT = "event"
    HOLD = "hold"
    REVIEW = "review"
    DISPOSAL = "disposal"
    STEP = "step"
    PAUSE = "pause"
    BATCH = "batch"
    CERTIFICATE = "certificate"
    EPOCH = "epoch"
    RUN = "run"
    ENTRY = "entry"  # the position of an earlier entry


class Digest(StrEnum):
    """What an entry may hold a digest of. Digests of what can be guessed must be keyed; that is the caller's part."""

    CONTENT = "content"
    SEALED = "sealed"  # the encrypted object in the vault
    RECORD = "record"  # the row in the catalogue, or the document, that the entry vouches for
    SETTINGS = "settings"
    TEXT = "text"  # what a person wrote, kept aside (`agent.audit.texts`)


class NotALeaf(ValueError):
    """Bytes that are no leaf of this version in canonical form; says why, without repeating them."""


class UnknownVersion(NotALeaf):
    """A leaf that a newer program wrote; this one cannot say what it means."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry. Says what happened and when, not at which position: that is the log's to say.

    `item` and `actor` are keyed hashes of 32 bytes. `before` and `after` are the item's states by their identifiers.
    Raises `ValueError` for anything that does not fit a field's form.
    """

    kind: AuditKind
    at: datetime
    item: bytes | None = None
    actor: bytes | None = None
    before: str = ""
    after: str = ""
    references: Mapping[Reference, str] = field(default_factory=dict)
    digests: Mapping[Digest, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        AuditKind(self.kind)
        if self.at.tzinfo is None:
            raise ValueError("the moment of an entry needs its time zone")
        for name, hashed in (("item", self.item), ("actor", self.actor)):
            if hashed is not None and len(hashed) != HASH_BYTES:
                raise ValueError(f"{name} is not a keyed hash of {HASH_BYTES} bytes")
        for name, state in (("before", self.before), ("after", self.after)):
            if state and not _STATE.fullmatch(state):
                raise ValueError(f"{name} is not the identifier of a state")
        for reference, value in self.references.items():
            if Reference(reference) and not _REFERENCE.fullmatch(value):
                raise ValueError(f"the reference {reference} is not an identifier")
        for digest, hashed in self.digests.items():
            if Digest(digest) and len(hashed) != HASH_BYTES:
                raise ValueError(f"the digest {digest} does not have {HASH_BYTES} bytes")


def microseconds(at: datetime) -> int:
    """A moment as it is written: whole microseconds since 1970, UTC."""
    return (at - _EPOCH) // _MICROSECOND


def encode(leaf: Leaf) -> bytes:
    """The canonical bytes of a leaf: JSON with sorted keys, without blanks, in ASCII; only text and whole numbers."""
    said: dict[str, Any] = {"version": VERSION, "kind": str(leaf.kind), "at": microseconds(leaf.at)}
    if leaf.item is not None:
        said["item"] = leaf.item.hex()
    if leaf.actor is not None:
        said["actor"] = leaf.actor.hex()
    if leaf.before:
        said["before"] = leaf.before
    if leaf.after:
        said["after"] = leaf.after
    if leaf.references:
        said["references"] = {Reference(key).value: value for key, value in leaf.references.items()}
    if leaf.digests:
        said["digests"] = {Digest(key).value: value.hex() for key, value in leaf.digests.items()}
    return _canonical(said)


def decode(data: bytes) -> Leaf:
    """The leaf for which `encode` gives these bytes.

    Raises `UnknownVersion` for what may be a leaf of another version, `NotALeaf` for everything else.
    """
    if len(data) > LARGEST_BYTES:
        raise NotALeaf("it is larger than any entry")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise NotALeaf("it is not JSON") from None
    if not isinstance(said, dict):
        raise NotALeaf("it is not an object")
    if said.get("version") != VERSION:
        raise UnknownVersion("it is of a version that this program does not know")
    if not said.keys() <= _FIELDS:
        raise NotALeaf("it has a field that entries do not have")
    try:
        leaf = Leaf(
            kind=AuditKind(_text(said.get("kind"))),
            at=_EPOCH + _MICROSECOND * _whole(said.get("at")),
            item=_hash(said["item"]) if "item" in said else None,
            actor=_hash(said["actor"]) if "actor" in said else None,
            before=_text(said.get("before", "")),
            after=_text(said.get("after", "")),
            references={Reference(key): _text(value) for key, value in _object(said, "references")},
            digests={Digest(key): _hash(value) for key, value in _object(said, "digests")},
        )
    except (ValueError, OverflowError):
        raise NotALeaf("a field has a value that it cannot have") from None
    if encode(leaf) != data:
        raise NotALeaf("it is not in canonical form")
    return leaf


def _canonical(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def _object(said: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return list(_of_type(dict, said.get(name, {})).items())


def _whole(value: object) -> int:
    return _of_type(int, value)


def _text(value: object) -> str:
    return _of_type(str, value)


def _hash(value: object) -> bytes:
    if not _HEX.fullmatch(_text(value)):
        raise ValueError("not a hash")
    return bytes.fromhex(_text(value))


def _of_type(wanted: type[_T], value: object) -> _T:
    if type(value) is not wanted:  # True is an int to isinstance
        raise ValueError("of another type")
    return value

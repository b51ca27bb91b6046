"""What the checker tells: where each item is, what is wrong, and what a crash has left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from agent.errors import AgentError, ExitCode

MOST_TOLD = 1_000  # problems of a kind, and notes, that are kept word for word; all are counted


class Standing(StrEnum):
    """Where an item is. Each item ever seen has exactly one."""

    LIVE = "live"  # in its place, as it was at the last scan
    CHANGED = "changed"  # in its place, or another in its name, changed since the last scan
    MOVED = "moved"  # elsewhere in its share since the last scan
    ABSENT = "absent"  # taken from its place by others since the last scan, which will be recorded by the next one
    GONE = "gone"  # by others' hands, as scans have recorded
    HELD = "held"  # in the hold of its share
    VAULTED = "vaulted"  # in the vault, and readable
    UNREAD = "unread"  # in the vault; the caller did not want it read this time
    AT_SOURCE = "at_source"  # in a service, in its place or in quarantine there, as is recorded: not looked at
    DESTROYED = "destroyed"
    ERASED = "erased"
    CERTIFIED = "certified"  # erased, and on a certificate
    UNPROVEN = "unproven"  # could not be looked at
    WRONG = "wrong"  # none of these can be said: the problems tell why


class Kind(StrEnum):
    """What sort of problem it is."""

    LOST = "lost"  # it is nowhere it should be
    UNREADABLE = "unreadable"  # it is in the vault, and does not open, or not as what was put there
    TWICE = "twice"  # it is where it should be and somewhere else too
    FOREIGN = "foreign"  # something lies in a hold or in the vault that belongs to nothing
    WRONG_STATE = "wrong_state"  # what is recorded contradicts itself, or what is there
    LOG = "log"  # the audit log contradicts itself, its checkpoints or what it vouches for
    UNPROVEN = "unproven"  # something could not be looked at


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that must not be. `said` names no path; `place` does, for whoever may see it."""

    kind: Kind
    said: str
    item: int | None = None
    place: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a crash, or work that is not finished, has left and that is no loss. As in `Problem`."""

    said: str
    item: int | None = None
    place: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What a check has found. `standings` add up to `items`, else `ValueError`.

    Of problems and notes the first are given word for word, `MOST_TOLD` of a kind; `problem_counts` and `note_count`
    count all. `objects_read` were decrypted from end to end. `log_entries` and `log_checkpoints` were recomputed.
    """

    items: int
    standings: Mapping[Standing, int]
    problems: tuple[Problem, ...]
    problem_counts: Mapping[Kind, int]
    notes: tuple[Note, ...]
    note_count: int
    objects_read: int
    log_entries: int
    log_checkpoints: int

    def __post_init__(self) -> None:
        if sum(self.standings.values()) != self.items:
            raise ValueError("not every item ever seen is accounted for exactly once")

    @property
    def whole(self) -> bool:
        """Whether there is no problem."""
        return not self.problem_counts


@dataclass(frozen=True, slots=True)
class VaultFiles:
    """Where the vault lies: its directory, its file of key slots, and the 32 bytes of its root key."""

    directory: Path
    slots: Path
    root_secret: bytes = field(repr=False)


class VaultNotOpened(AgentError):
    """The vault's own files are not what they should be, so that nothing in it can be judged."""

    exit_code = ExitCode.VAULT

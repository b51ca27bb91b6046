"""Who may act, and whether the clock lets them: asked before anything is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.catalogue.store import Catalogue
from agent.disposition.guards import clock_doubt
from agent.errors import UsageError
from agent.model.review import Reviewer
from agent.usecases.event_rules import MOST_IN_NOTE, plain_text
from connectors.base import ItemRef

ADMINISTRATOR = "administrator"
LEAST_IN_REASON = 10  # characters, as in reviews
_HOLD = b".retentiond-hold"  # where a file would be out of everybody's reach, and of every scan's
_LONGEST_NAME = 255  # bytes


@dataclass(frozen=True, slots=True)
class Clock:
    """What the machine's clock says (UTC), how far it may be ahead of the last entry, and if it is synchronised."""

    now: datetime
    ahead: timedelta
    synchronised: bool


class ActRules:
    """The rules for one person at work. Every check raises `UsageError` that says what is in the way."""

    def __init__(self, catalogue: Catalogue, reviewers: Sequence[Reviewer], by: str, clock: Clock) -> None:
        self._catalogue = catalogue
        self._reviewers = reviewers
        self._clock = clock
        self.by = by

    def override(self, reason: str, *, over_caps: bool, clock_is_right: bool) -> str:
        """What is kept of an administrator's word that a guard may be passed; empty if none is needed."""
        doubt = self._doubt(synchronised=clock_is_right or self._clock.synchronised)
        if doubt:
            raise UsageError(f"{doubt} Nothing was done.")
        if not (over_caps or clock_is_right):
            return ""
        self.check_administrator("Going beyond a guard takes an administrator")
        said = [word for word, given in (("over caps", over_caps), ("clock is right", clock_is_right)) if given]
        return f"{', '.join(said)}: {self.reason(reason)}"

    def _doubt(self, *, synchronised: bool) -> str:
        return clock_doubt(
            self._clock.now, self._catalogue.newest_moment(), self._clock.ahead, synchronised=synchronised
        )

    def check_administrator(self, what: str) -> None:
        """Whether the person at work holds the role."""
        roles = [role.casefold() for one in self._reviewers if one.name == self.by for role in one.roles]
        if ADMINISTRATOR not in roles:
            raise UsageError(
                f"{what}, and {self.by} is none. Administrators stand in the settings:\n"
                f"reviewers:\n  - {{name: {self.by}, roles: [{ADMINISTRATOR}]}}"
            )

    @staticmethod
    def name(given: str) -> str:
        """A name for the record, on one line."""
        try:
            line = plain_text(given, MOST_IN_NOTE)
        except ValueError as error:
            raise UsageError(f"--to: {error}") from None
        if not line:
            raise UsageError("--to: say to whom it goes.")
        return line

    @staticmethod
    def place(given: str) -> ItemRef:
        """A place in a share for a file, from the share's root."""
        ref = ItemRef.parse(given)
        steps = ref.path.split(b"/")
        if _HOLD in steps or any(not _is_name(step) for step in steps):
            raise UsageError(
                f"--to: {given!r} cannot be a file of the share. Write the path from the share's root, as in "
                "Cases/2026/letter.txt; no part of it may be empty, `.`, `..` or longer than 255 bytes."
            )
        return ref

    @staticmethod
    def reason(reason: str) -> str:
        """The reason on one line."""
        try:
            line = plain_text(reason, MOST_IN_NOTE)
        except ValueError as error:
            raise UsageError(f"--reason: {error}") from None
        if len(line) < LEAST_IN_REASON:
            raise UsageError("--reason: say why, so that whoever asks later understands it. Leave names out.")
        return line


def _is_name(step: bytes) -> bool:
    return step not in (b"", b".", b"..") and b"\0" not in step and len(step) <= _LONGEST_NAME

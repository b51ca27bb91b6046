"""The signs of life of one role: to the supervisor of its process, and through the catalogue to everybody else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agent import bootstrap
from agent.daemon.base import Life
from agent.model.service import Role

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue

AT_REST = "at rest"
_BEAT_SECONDS = 1.0
_SAY_EVERY_SECONDS = 30.0  # each time is a write to the disk


class Signs:
    """What one role says of itself. `within_seconds` is how long it may be silent afterwards."""

    def __init__(self, catalogue: Catalogue, role: Role, life: Life, within_seconds: float) -> None:
        self._catalogue = catalogue
        self._role = role
        self._life = life
        self._within = within_seconds
        self._began_at = bootstrap.now()
        self._said = ""
        self._said_at = self._beat_at = 0.0

    def say(self, doing: str) -> None:
        """What the role is at, in a few words without names of files."""
        self.beat()
        if doing == AT_REST != self._said:
            self._catalogue.rest()
        self._life.doing[self._role] = doing
        now = time.monotonic()
        if doing != self._said or now >= self._said_at + _SAY_EVERY_SECONDS:
            self._said, self._said_at = doing, now
            self._catalogue.services.beat(self._role, self._began_at, bootstrap.now(), doing)

    def beat(self) -> None:
        """The role lives. Cheap enough for every item."""
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + _BEAT_SECONDS
            self.expect(self._within)

    def expect(self, within_seconds: float) -> None:
        """It will be silent for so long at most, this once."""
        self._life.beats.beat(self._role, within_seconds)

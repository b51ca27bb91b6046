"""A file in the hold, open for reading."""

from __future__ import annotations

import os

from connectors.content import OpenContent
from connectors.filesystem.leases import lease_holds
from connectors.holding import Taken

# Whatever is done to a file shows in one of these; its access time does not.
State = tuple[int, int, int, int, int]


def state_of(facts: os.stat_result) -> State:
    """What must stay as it is while a file lies in the hold."""
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_nlink


class HeldFile(OpenContent):
    """Owns the descriptor, and the lease on it if there is one."""

    def __init__(self, descriptor: int, taken: Taken, *, leased: bool) -> None:
        self.taken = taken
        self.state = state = state_of(os.fstat(descriptor))
        super().__init__(
            descriptor,
            lambda opened: (not leased or lease_holds(opened)) and state_of(os.fstat(opened)) == state,
        )

"""How far the process that reads documents is kept from what it must not do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confinement:
    """`landlock` is the version in force, 0 for none. `unrefused` are words for what the process could still do:
    `network`, `exec`, `fork`, `kill`, `trace`, `read` other files, `write`, take `memory` beyond the limit."""

    landlock: int
    unrefused: tuple[str, ...]

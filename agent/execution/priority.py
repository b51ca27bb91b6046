"""How much this process, and those it starts, stand back for others: processor time and storage."""

from __future__ import annotations

import ctypes
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

NICEST = 19
_WHO_PROCESS = 1
_BEST_EFFORT, _IDLE = 2, 3
_CLASS_SHIFT = 13
_LAST_IN_CLASS = 7
# Numbers of ioprio_set and ioprio_get; they differ by architecture.
_CALLS = {
    "x86_64": (251, 252),
    "aarch64": (30, 31),
    "riscv64": (30, 31),
    "loongarch64": (30, 31),
    "ppc64le": (273, 274),
    "s390x": (282, 283),
}

_libc = ctypes.CDLL(None, use_errno=True)


class StorageClass(StrEnum):
    """When requests to storage have their turn."""

    IDLE = "idle"  # when nobody else has any
    LAST = "last"  # with everybody's, and last among them
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class Quieted:
    """What holds now: the nice value (-20 to 19, more is less processor time), and the turn of requests to storage.

    `storage` is heeded by disk schedulers that know turns (mq-deadline, bfq), not by others, and not over a network.
    """

    nice: int
    storage: StorageClass


def quieten(nice: int, idle_io: bool) -> Quieted:
    """Lets others go first: at least this nice value (0 to 19), and requests to storage last or, `idle_io`, only when
    nobody else has any.

    It holds for every thread of this process and for all processes started from now on. It never takes anything back,
    so it needs no rights. Gives what holds then, which may be less than was asked for where the system refuses it.
    Raises `ValueError` for another nice value.
    """
    if not 0 <= nice <= NICEST:
        raise ValueError(f"nice must be from 0 to {NICEST}")
    for thread in _threads():
        with suppress(OSError):  # it has ended, or a container does not let us
            if os.getpriority(os.PRIO_PROCESS, thread) < nice:
                os.setpriority(os.PRIO_PROCESS, thread, nice)
        if _storage_class(thread) is not StorageClass.IDLE:
            _ioprio_set(thread, _IDLE if idle_io else _BEST_EFFORT, 0 if idle_io else _LAST_IN_CLASS)
    return Quieted(os.getpriority(os.PRIO_PROCESS, 0), _storage_class(0))


def _threads() -> list[int]:
    """Our threads: for Linux, both priorities belong to a thread, and a new one has those of the one that starts it."""
    try:
        return [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:
        return [0]  # the calling one


def _storage_class(thread: int) -> StorageClass:
    calls = _CALLS.get(platform.machine())
    value = -1 if calls is None else int(_libc.syscall(calls[1], _WHO_PROCESS, thread))
    if value < 0:
        return StorageClass.USUAL
    if value >> _CLASS_SHIFT == _IDLE:
        return StorageClass.IDLE
    last = value == _BEST_EFFORT << _CLASS_SHIFT | _LAST_IN_CLASS
    return StorageClass.LAST if last else StorageClass.USUAL


def _ioprio_set(thread: int, kind: int, level: int) -> None:
    if calls := _CALLS.get(platform.machine()):
        _libc.syscall(calls[0], _WHO_PROCESS, thread, kind << _CLASS_SHIFT | level)

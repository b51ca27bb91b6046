"""How much the rest of this machine waits for storage, as the kernel counts it (pressure stall information)."""

from __future__ import annotations

from pathlib import Path

SYSTEM = Path("/proc/pressure/io")
_MEMBERSHIP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")
# What we cause ourselves is taken out by division. Where hardly any time is left in which we do not wait, a small
# error of the counters would become a large one, so the divisor stays above this.
_LEAST_LEFT = 0.1
_OTHERS_IF_UNKNOWN = 0.5


class Pressure:
    """Called, gives the share of the last ten seconds, in percent, in which others than us waited for storage.

    `own` is the same file for our own control group. Without one (a machine without control groups of version 2, some
    containers) what we wait for ourselves cannot be told apart, and half of all is taken for that of others. Gives
    none where the kernel does not count.
    """

    def __init__(self, system: Path = SYSTEM, own: Path | None = None) -> None:
        self._system = system
        self._own = own

    def __call__(self) -> float | None:
        everybody = some_waited(self._system)
        if everybody is None:
            return None
        ours = None if self._own is None else some_waited(self._own)
        return everybody * _OTHERS_IF_UNKNOWN if ours is None else others(everybody, ours)


def others(everybody: float, ours: float) -> float:
    """In what share of time others waited, in percent, if it is unrelated to when we did.

    `everybody` is the share in which anybody waited, us among them, and `ours` that in which we did.
    """
    left = max(1 - ours / 100, _LEAST_LEFT)
    return min(100.0, max(0.0, everybody - ours) / left)


def some_waited(file: Path) -> float | None:
    """The `some avg10` of a file of the kernel's, in percent; none if it cannot be read or says something else."""
    try:
        first, _, _ = file.read_text(encoding="ascii").partition("\n")
        kind, figure, *_ = first.split()
        name, _, value = figure.partition("=")
        percent = float(value)
    except (OSError, ValueError):
        return None
    return percent if kind == "some" and name == "avg10" and 0 <= percent <= 100 else None


def own_group(membership: Path = _MEMBERSHIP, groups: Path = _GROUPS) -> Path | None:
    """Where the kernel counts what our own control group waits for; none if we are in none of our own."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    group = next((line[len("0::/") :] for line in lines if line.startswith("0::/")), "")
    file = groups / group / "io.pressure"
    return file if group and ".." not in group.split("/") and file.is_file() else None

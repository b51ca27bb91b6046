"""Processes as the kernel tells of them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

Process = tuple[int, str]  # its number, and when it began: numbers are given anew


def below(pid: int) -> list[Process]:
    """Every process that this one has started, and those that they have."""
    children: dict[int, list[int]] = {}
    for each, parent in _all():
        children.setdefault(parent, []).append(each)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        here = children.get(waiting.pop(), [])
        found += here
        waiting += here
    return [(each, _began(each)) for each in found]


def ended(process: Process) -> bool:
    """Whether it is no more; one that nobody has waited for counts as ended."""
    pid, began = process
    fields = _stat(pid)
    return not fields or fields[19] != began or fields[0] == "Z"


def kill(process: Process) -> None:
    if not ended(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process[0], signal.SIGKILL)


def cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def threads(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[17]) if fields else 0


def descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def memory_bytes(pid: int) -> tuple[int, int]:
    """Resident, and proportional set size: what is shared counts in parts."""
    sizes = {"Rss:": 0, "Pss:": 0}
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                word, *rest = line.split()
                if word in sizes:
                    sizes[word] = int(rest[0]) * 1024
    except OSError:
        return 0, 0
    return sizes["Rss:"], sizes["Pss:"]


def _all() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))):
            yield int(name), int(fields[1])


def _began(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """The fields behind the name: state, parent, and so on; none if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []

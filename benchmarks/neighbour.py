"""What somebody else who reads from the same disk feels of a scan: none, one in full haste, one that makes room.

python -m benchmarks.neighbour [--seconds 4] [--files 1500] [--readers 1] [--folder FOLDER]

Others read 4 KiB at random places of a large file, one read after another, each from the disk and not from memory.
The scan reads cold files through the connector and two workers that hash them, and so asks more of the disk than one
that also searches. `waited` is in seconds, `slow` counts files before which storage was found slow. In full haste it
also leaves in memory what it has read.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

from agent.execution.base import Ticket
from agent.execution.pool import ProcessPool
from agent.execution.priority import quieten
from agent.usecases.analyse import content_hash
from connectors.base import Connector, Content, Found, KnowsNothing
from connectors.easing import Tolerance
from connectors.filesystem.connector import FilesystemConnector
from connectors.filesystem.content import FileContent
from connectors.filesystem.page_cache import PAGE_BYTES, cached_pages
from connectors.pace import Pace
from connectors.pressure import SYSTEM, Pressure, own_group, some_waited
from connectors.wrappers import Paced

_MIB = 1 << 20
_WORKERS = 2
_ROUNDS = 3
_SETTLING_SECONDS = 3
_STARTING_SECONDS = 1.5  # what it takes until the workers read
_THINKING_SECONDS = 0.001  # a person's programme does something with what it has read


class _Hash:
    """Work that reads every byte and does little else."""

    def __call__(self, descriptor: int, name: bytes) -> bytes:
        return content_hash(descriptor)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Kind:
    """One row of the table: what the scan does meanwhile."""

    name: str
    scans: bool = True
    spares: bool = True
    files_per_second: float | None = None


_KINDS = (
    _Kind("no scan", scans=False),
    _Kind("a scan that makes room"),
    _Kind("the same, 100 files/s at most", files_per_second=100.0),
    _Kind("a scan in full haste", spares=False),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Scanned:
    """What one scan did, and how long it paused."""

    files: int
    bytes: int
    seconds: float
    waited_seconds: float
    slow_files: int


def scan(share: str, spare: bool, files_per_second: float | None, until: float, answer: Connection) -> None:
    """Reads the share over and over until that moment, its files cold, and sends what was done."""
    if spare:
        quieten(19, idle_io=True)
    tolerance = Tolerance() if spare else None
    pace = Pace(files_per_second=files_per_second, tolerance=tolerance, pressure=Pressure(own=own_group()))
    connector: Connector = Paced(FilesystemConnector(os.fsencode(share), "bench"), pace)
    pool = ProcessPool(_Hash, jobs=_WORKERS)
    (scope,) = connector.scopes()
    under_way: list[tuple[Ticket, Content]] = []
    files = size = slow = 0
    began = time.monotonic()

    def settle(ticket: Ticket, content: Content) -> None:
        pool.wait(ticket)
        content.close()

    while time.monotonic() < until:
        _cool(Path(share))
        for page in connector.changes(scope, KnowsNothing()):
            for change in page.changes:
                if time.monotonic() >= until or not isinstance(change, Found):
                    break
                content = connector.open(scope, change.item)
                if not spare and isinstance(content, FileContent):
                    content.brought = ()  # as a programme that does not know what it leaves behind
                under_way.append((pool.submit(content.fileno(), change.item.ref.name), content))
                files, size, slow = files + 1, size + change.item.size_bytes, slow + pace.slow
                while len(under_way) > 2 * _WORKERS:
                    settle(*under_way.pop(0))
    for ticket, content in under_way:
        settle(ticket, content)
    pool.close()
    connector.close()
    answer.send(Scanned(files, size, time.monotonic() - began, pace.waited_seconds, slow))


def read_at_random(path: Path, until: float, chance: Random) -> list[float]:
    """Latencies in seconds of single reads of 4 KiB from the disk, until that moment."""
    latencies = []
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    pages = os.fstat(descriptor).st_size // PAGE_BYTES
    while time.monotonic() < until:
        place = chance.randrange(pages) * PAGE_BYTES
        began = time.perf_counter()
        os.pread(descriptor, PAGE_BYTES, place)
        latencies.append(time.perf_counter() - began)
        time.sleep(_THINKING_SECONDS)
    os.close(descriptor)
    return latencies


def measure(scratch: Path, files: int, seconds: float, readers: int) -> None:
    """Prints the table: the other reader's latencies beside what the scan did."""
    share, foreground = scratch / "share", scratch / "foreground"
    chance = Random(5)
    _write(share, foreground, files, chance)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; {_disk_of(scratch)}")
    print(
        f"  {files:,} files of 16 KiB to 1 MiB; {_WORKERS} workers; {seconds:g} s each, in {_ROUNDS} rounds; all cold"
    )
    print(f"  others: {readers} reading 4 KiB at random of {foreground.stat().st_size // _MIB} MiB", end="")
    print(f", {_THINKING_SECONDS * 1000:g} ms between two reads")
    print(f"  pressure before: {some_waited(SYSTEM)} %; our own is told apart: {own_group() is not None}\n")
    print(f"  {'':<31} {'reads':>7} {'p50 ms':>8} {'p99 ms':>8}", end="")
    print(f" {'files/s':>8} {'MiB/s':>7} {'waited':>7} {'slow':>6} {'left in the cache':>18}")
    latencies: dict[_Kind, list[float]] = {kind: [] for kind in _KINDS}
    scans: dict[_Kind, list[Scanned]] = {kind: [] for kind in _KINDS}
    left = dict.fromkeys(_KINDS, "")
    for number in range(_ROUNDS):  # in turn, so that whoever else is busy here is so with all of them
        _settle()
        for kind in _KINDS:
            _cool(share)
            until = time.monotonic() + _STARTING_SECONDS + seconds / _ROUNDS
            started = _start(share, kind, until) if kind.scans else None
            time.sleep(_STARTING_SECONDS)
            with ThreadPoolExecutor(readers) as others:
                reading = [
                    others.submit(read_at_random, foreground, until, Random(100 * number + reader))
                    for reader in range(readers)
                ]
                latencies[kind] += (latency for told in reading for latency in told.result())
            if started is not None:
                process, answer = started
                scans[kind].append(answer.recv())
                process.join()
                cached, everything = (pages * PAGE_BYTES // _MIB for pages in _cached(share))
                left[kind] = f"{cached:,} of {everything:,} MiB"
    for kind in _KINDS:
        _print_row(kind.name, sorted(latencies[kind]), scans[kind], left[kind])


def _start(share: Path, kind: _Kind, until: float) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=scan, args=(str(share), kind.spares, kind.files_per_second, until, theirs))
    process.start()
    theirs.close()
    return process, ours


def _print_row(name: str, latencies: list[float], scans: list[Scanned], left: str) -> None:
    def at(part: float) -> float:
        return latencies[int(part * (len(latencies) - 1))] * 1000

    row = f"  {name:<31} {len(latencies):>7,} {at(0.5):>8.3f} {at(0.99):>8.3f}"
    if scans:
        seconds = sum(done.seconds for done in scans)
        files, size = sum(done.files for done in scans), sum(done.bytes for done in scans) / _MIB
        slow, waited = sum(done.slow_files for done in scans), sum(done.waited_seconds for done in scans)
        row += f" {files / seconds:>8.0f} {size / seconds:>7.1f} {waited:>7.1f} {slow:>6,} {left:>18}"
    print(row)


def _write(share: Path, foreground: Path, files: int, chance: Random) -> None:
    block = chance.randbytes(_MIB)
    share.mkdir()
    for number in range(files):
        folder = share / f"case {number // 100:03d}"
        folder.mkdir(exist_ok=True)
        (folder / f"letter {number:05d}.doc").write_bytes(block[: chance.choice((16, 64, 256, 1024)) * 1024])
    with foreground.open("wb") as file:
        for _ in range(512):
            file.write(block)
    os.sync()


def _each(share: Path, what: Callable[[int, int], None]) -> None:
    for folder, _, names in os.walk(share):
        for name in names:
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            what(descriptor, os.fstat(descriptor).st_size)
            os.close(descriptor)


def _cool(share: Path) -> None:
    _each(share, lambda descriptor, size: os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED))


def _cached(share: Path) -> tuple[int, int]:
    counts = [0, 0]

    def count(descriptor: int, size: int) -> None:
        counts[0] += cached_pages(descriptor, size) or 0
        counts[1] += -(-size // PAGE_BYTES)

    _each(share, count)
    return counts[0], counts[1]


def _settle() -> None:
    """Waits a little for the pressure of the scan in haste to be forgotten, so that it slows no other one."""
    for _ in range(_SETTLING_SECONDS):
        if (some_waited(SYSTEM) or 0.0) < Tolerance().pressure_percent / 2:
            return
        time.sleep(1)


def _disk_of(place: Path) -> str:
    device = os.stat(place).st_dev
    queue = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/queue")
    if not queue.exists():
        queue = queue.parent.parent / "queue"
    try:
        turns = (queue / "scheduler").read_text(encoding="ascii").strip()
        kind = "rotating" if (queue / "rotational").read_text(encoding="ascii").strip() == "1" else "not rotating"
    except OSError:
        return "disk not known"
    return f"disk {kind} as the kernel says, scheduler {turns}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neighbour", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each is measured")
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--readers", type=int, default=1, help="how many others read at once")
    parser.add_argument("--folder", type=Path, help="measure on the disk of this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="retentiond-bench-", dir=arguments.folder) as scratch:
        measure(Path(scratch), arguments.files, arguments.seconds, arguments.readers)


if __name__ == "__main__":
    main()

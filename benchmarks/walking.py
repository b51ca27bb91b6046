"""How fast a tree is walked and an unchanged one scanned again, beside `find` with the same facts per file."""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from agent import bootstrap
from agent.execution.inline import InlineExecutor
from agent.model.outcome import Extraction, ExtractionStatus
from agent.settings import Settings
from agent.usecases.analyse import Analysis
from agent.usecases.scan import Scan
from connectors.base import KnowsNothing

_PER_FOLDER = 100
_ROUNDS = 3


class _Nothing:
    """Work that finds nothing, so that only walking and storing are measured."""

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        return Analysis(Extraction(ExtractionStatus.EMPTY, "text"), (), 0, None)

    def close(self) -> None:
        """Nothing to let go of."""


def _tree(root: Path, count: int) -> None:
    for folder in range(count // _PER_FOLDER):
        directory = root / f"team{folder // 100:03d}" / f"case{folder:05d}"
        directory.mkdir(parents=True)
        for number in range(_PER_FOLDER):
            (directory / f"letter {number:03d} of the matter.txt").touch()


def _best(what: Callable[[], object]) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        what()
        times.append(time.perf_counter() - began)
    return min(times)


def measure(scratch: Path, count: int) -> None:
    """Prints the table for a tree of `count` empty files, 100 to a folder; each time is the best of three, warm."""
    share, state = scratch / f"share{count}", scratch / f"state{count}"
    _tree(share, count)
    state.mkdir()
    settings = Settings()

    def find() -> None:
        fields = "%i %s %T@ %C@ %y %P\\n"
        subprocess.run(["find", str(share), "-printf", fields], stdout=subprocess.DEVNULL, check=True)

    def walk() -> None:
        connector = bootstrap.share_connector(share, "bench", state, settings)
        for _ in connector.changes(connector.scopes()[0], KnowsNothing()):
            continue
        connector.close()

    def scan() -> None:
        connector = bootstrap.share_connector(share, "bench", state, settings)
        with bootstrap.open_catalogue(state, create=True) as catalogue:
            scope, executor = connector.scopes()[0], InlineExecutor(_Nothing())
            run = Scan(
                connector, scope, str(share), catalogue, executor, "bench", bootstrap.now, lambda items, size: None
            )
            result, _ = run.run()
        connector.close()
        assert result.seen == count, result.seen
        assert result.reconciles

    baseline = _best(find)
    rows = [
        ("find -printf (inode, size, times, type, path)", baseline),
        ("first walk: every fact of every file", _best(walk)),
    ]
    began = time.perf_counter()
    scan()
    rows.append(("first scan, work that finds nothing (one run)", time.perf_counter() - began))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows.append(("scan of the unchanged tree", _best(scan)))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"Walking {count:,} files in {count // _PER_FOLDER:,} folders")
    for name, seconds in rows:
        print(f"  {name:<48} {seconds:8.2f} s {count / seconds:12,.0f} files/s {seconds / baseline:6.1f} x find")
    print(f"  peak memory {before // 1024:,} MiB; the scans of the unchanged tree added {grown // 1024:,} MiB\n")
    shutil.rmtree(share)

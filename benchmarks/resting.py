"""What the service costs while nothing happens, and how soon a new file is known.

python -m benchmarks.resting [FOLDERS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

_AFTER_WORK_SECONDS = 75.0  # by then the workers have ended
_RESTING_SECONDS = 60.0
_NEW_FILES = 5
_TICKS = os.sysconf("SC_CLK_TCK")


class _Service:
    """`retentiond run` over a folder, and what it tells."""

    def __init__(self, share: Path, state: Path) -> None:
        command = [sys.executable, "-m", "agent", "run", "--share", os.fspath(share), "--state", os.fspath(state)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.told: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.append(json.loads(line))

    def wait_for(self, event: str, since: int = 0) -> None:
        while not any(entry["event"] == event for entry in self.told[since:]):
            time.sleep(0.02)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """Of the process and all that it has started."""
        shares = 0
        for pid in (self.process.pid, *_children(self.process.pid)):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            shares += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return shares * 1024 / 1e6


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def measure(folders: int) -> None:
    """Serves a share of so many folders, lets it rest, and then puts a few files into it, one after the other."""
    with tempfile.TemporaryDirectory(prefix="retentiond-rest-") as scratch:
        share = Path(scratch) / "share"
        for number in range(folders):
            folder = share / f"{number // 100:03}" / f"{number % 100:02}"
            folder.mkdir(parents=True)
            (folder / "note.txt").write_text(f"Minutes of meeting {number}.\n")
        service = _Service(share, Path(scratch) / "state")
        try:
            began = time.monotonic()
            service.wait_for("job.ended")
            print(f"{folders:,} folders with a file each, read and watched after {time.monotonic() - began:.1f} s")
            time.sleep(_AFTER_WORK_SECONDS)
            before = service.cpu_seconds()
            time.sleep(_RESTING_SECONDS)
            percent = 100 * (service.cpu_seconds() - before) / _RESTING_SECONDS
            print(f"  at rest: {percent:.2f} % of a processor, {service.memory_mb():.0f} MB with all its processes")
            for number in range(_NEW_FILES):
                since, began = len(service.told), time.monotonic()
                (share / "000" / "00" / f"new {number}.txt").write_text("Dear Ms Example, yours of 3 May.\n")
                service.wait_for("look.ended", since)
                print(f"  a new file is read and classified after {time.monotonic() - began:.1f} s", flush=True)
        finally:
            service.process.terminate()
            service.process.wait()


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

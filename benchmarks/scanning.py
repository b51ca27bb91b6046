"""Files per second from folder to report, the way a user runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.corpus.office_share import make_office_share

_COPIES = 10


def measure(scratch: Path, folder: Path | None) -> None:
    """Prints scans of ten copies of the sample office share, and of `folder` if one is named, with one job and two."""
    sample = scratch / "sample"
    make_office_share(sample)
    share = scratch / "offices"
    for number in range(_COPIES):
        copy = share / f"office{number}"
        shutil.copytree(sample, copy, symlinks=True)
        for file in copy.rglob("*.txt"):
            if not file.is_symlink():
                file.write_bytes(file.read_bytes() + b"\ncopy %d\n" % number)
    print("Scanning end to end (worker start-up and report included)")
    for place in filter(None, (share, folder)):
        for jobs in (1, 2):
            state = scratch / f"state-{place.name}-{jobs}"
            first = _scan(place, state, jobs)
            again = _scan(place, state, jobs)
            rate = first["seen"] / first["seconds"]
            megabytes = first["bytes"] / first["seconds"] / 1e6
            print(
                f"  {place.name}: {first['seen']:,} files, {first['bytes'] / 1e6:,.1f} MB read, {jobs} jobs: "
                f"{first['seconds']:.1f} s, {rate:,.0f} files/s, {megabytes:.2f} MB/s; "
                f"again, unchanged: {again['opened']} opened, {again['seconds']:.2f} s"
            )


def _scan(share: Path, state: Path, jobs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "agent", "scan", str(share), "--state", str(state), "--json", "--jobs", str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in {0, 3}:
        sys.exit(done.stderr)
    facts: dict[str, float] = json.loads(done.stdout)
    return facts

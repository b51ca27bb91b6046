"""Measures side by side in one run, and prints what it measured on.

python -m benchmarks [--million] [--only walk,extract,detect,scan,evaluate,vault,dispose] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

from agent.cli.logs import start_logging


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--million", action="store_true", help="walk and rescan 1,000,000 files too")
    everything = "walk,extract,detect,scan,evaluate,vault,dispose"
    parser.add_argument("--only", default=everything, help="which measurements, by comma")
    parser.add_argument("--folder", type=Path, help="also scan this folder end to end, and extract from it")
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, ", end="")
    print(f"Python {platform.python_version()}\n")
    start_logging(verbose=False)
    wanted = arguments.only.split(",")
    with tempfile.TemporaryDirectory(prefix="retentiond-bench-") as scratch:
        if "walk" in wanted:
            from benchmarks import walking

            for count in (100_000, 1_000_000) if arguments.million else (100_000,):
                walking.measure(Path(scratch), count)
        if "extract" in wanted:
            from benchmarks import extracting

            for folder in dict.fromkeys((None, arguments.folder)):
                extracting.measure(folder)
        if "detect" in wanted:
            from benchmarks import detecting

            detecting.measure()
        if "scan" in wanted:
            from benchmarks import scanning

            scanning.measure(Path(scratch), arguments.folder)
        if "vault" in wanted:
            from benchmarks import vaulting

            vaulting.measure(Path(scratch))
        if "dispose" in wanted:
            from benchmarks import disposing

            disposing.measure(Path(scratch))
        if "evaluate" in wanted:
            from benchmarks import evaluating

            evaluating.measure(Path(scratch), 1_000_000)


main()

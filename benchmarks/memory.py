"""Whether the memory of a process that searches stays the same, however many documents it has seen.

python -m benchmarks.memory [DOCUMENTS]
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from random import Random

from agent import bootstrap
from agent.settings import Settings
from benchmarks.office_text import mixed


def resident() -> float:
    """The memory of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def measure(documents: int = 100_000) -> None:
    """Searches short documents, each with words, names and numbers of its own, and prints the memory every tenth."""
    detector = bootstrap.detector_from(Settings())
    chance = Random(3)
    passages = [text[:400] for texts in mixed(300_000).values() for text in texts]
    began = time.process_time()
    for number in range(1, documents + 1):
        words = " ".join(f"w{chance.getrandbits(60):x}" for _ in range(4))
        name = f"Amy {''.join(chance.choices('abcdefghijklmnopqrstuvwxyz', k=8)).capitalize()}"
        document = detector.document()
        document.search(
            f"{name}: {words} {chance.choice(passages)} staff no {number:06} {words[:9]}@example.org. {name} has asthma"
        )
        document.verdict()
        if number % max(1, documents // 10) == 0:
            print(f"  {number:7} documents, {resident():6.1f} MB, {time.process_time() - began:6.1f} s", flush=True)


if __name__ == "__main__":
    measure(*map(int, sys.argv[1:]))

"""Nobody waits for a help text."""

from __future__ import annotations

import subprocess
import sys
import time

_HEAVY = ("spacy", "presidio_analyzer", "sqlalchemy", "pydantic", "numpy", "rich.progress")


def test_help_comes_within_three_tenths_of_a_second() -> None:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "agent", "--help"], capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - began)
        assert "scan" in done.stdout

    assert min(times) < 0.3


def test_help_loads_none_of_the_heavy_libraries() -> None:
    code = f"import sys\nfrom agent.cli.app import app\nprint([name for name in {_HEAVY!r} if name in sys.modules])\n"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

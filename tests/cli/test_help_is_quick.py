"""Nobody waits for a help text."""

from __future__ import annotations

import resource
import subprocess
import sys

_HEAVY = ("spacy", "presidio_analyzer", "sqlalchemy", "pydantic", "numpy", "rich.progress")


def _used() -> float:
    """Seconds of processor time that ended child processes have used: what a busy machine does not stretch."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_comes_within_three_tenths_of_a_second() -> None:
    times = []
    for _ in range(5):
        began = _used()
        done = subprocess.run([sys.executable, "-m", "agent", "--help"], capture_output=True, text=True, check=True)
        times.append(_used() - began)
        assert "scan" in done.stdout

    assert min(times) < 0.3


def test_help_loads_none_of_the_heavy_libraries() -> None:
    code = f"import sys\nfrom agent.cli.app import app\nprint([name for name in {_HEAVY!r} if name in sys.modules])\n"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

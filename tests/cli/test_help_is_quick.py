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


def _least(times: int, *commands: list[str]) -> list[float]:
    """The least that each command has used in so many goes, one after the other by turns."""
    used: list[list[float]] = [[] for _ in commands]
    for _ in range(times):
        for seconds, command in zip(used, commands, strict=True):
            began = _used()
            done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
            seconds.append(_used() - began)
            assert "scan" in done.stdout or command[0] == "-c"
    return [min(seconds) for seconds in used]


def test_help_comes_within_three_tenths_of_a_second() -> None:
    """Or, where this machine is so slow just now that the library alone takes most of that, in little more time."""
    library, ours = _least(5, ["-c", "import typer.main, typer.rich_utils"], ["-m", "agent", "--help"])

    assert ours < max(0.3, 1.5 * library)


def test_help_loads_none_of_the_heavy_libraries() -> None:
    code = f"import sys\nfrom agent.cli.app import app\nprint([name for name in {_HEAVY!r} if name in sys.modules])\n"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

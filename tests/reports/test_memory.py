from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.reports.base import Report
from tests.reports.factories import a_report, many_rows

ROOT = Path(__file__).parents[2]
_LONG = "RETENTIOND_TEST_LONG" in os.environ
_ROWS = 200_000 if _LONG else 50_000  # kept in memory they take half a kilobyte each

_MEASURE = """
from agent.reports.html import write_html
from agent.reports.tabular import write_csv, write_json
from tests.reports.test_memory import Nowhere, large_report, most_bytes

{write}(large_report({few}), Nowhere())
before = most_bytes()
{write}(large_report({rows}), Nowhere())
print(most_bytes() - before)
"""


def most_bytes() -> int:
    """The most memory that this process has had since its program began; `ru_maxrss` knows that of its parent, too."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


class Nowhere(io.TextIOBase):
    """A stream that keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


def large_report(rows: int) -> Report:
    return replace(a_report([]), rows=lambda: many_rows(rows))


@pytest.mark.parametrize("write", ["write_html", "write_csv", "write_json"])
def test_ten_times_as_many_rows_take_no_more_memory(write: str) -> None:
    script = _MEASURE.format(write=write, few=_ROWS // 10, rows=_ROWS)

    measured = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(measured.stdout) < 16_000_000

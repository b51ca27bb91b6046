from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.reports.base import Report
from tests.reports.factories import a_report, many_rows

ROOT = Path(__file__).parents[2]
_ROWS = 200_000  # kept in memory they take about 200 MB

_MEASURE = """
import resource
from agent.reports.html import write_html
from agent.reports.tabular import write_csv, write_json
from tests.reports.test_memory import Nowhere, large_report

{write}(large_report(20_000), Nowhere())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{write}(large_report({rows}), Nowhere())
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


class Nowhere(io.TextIOBase):
    """A stream that keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


def large_report(rows: int) -> Report:
    return replace(a_report([]), rows=lambda: many_rows(rows))


@pytest.mark.parametrize("write", ["write_html", "write_csv", "write_json"])
def test_two_hundred_thousand_rows_take_no_more_memory_than_twenty_thousand(write: str) -> None:
    script = _MEASURE.format(write=write, rows=_ROWS)

    measured = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(measured.stdout) < 16_000_000

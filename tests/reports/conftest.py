"""What the report tests share: a small estate."""

from __future__ import annotations

import pytest

from agent.reports.base import Report
from tests.reports.factories import small_report


@pytest.fixture
def report() -> Report:
    return small_report()

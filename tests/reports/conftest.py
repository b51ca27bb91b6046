"""What the report tests share: a small estate, and whether what is expected shall be written anew."""

from __future__ import annotations

import pytest

from agent.reports.base import Report
from tests.reports.factories import small_report


@pytest.fixture
def golden_update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--golden-update", default=False))


@pytest.fixture
def report() -> Report:
    return small_report()

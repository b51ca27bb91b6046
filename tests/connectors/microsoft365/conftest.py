"""These tests speak to the emulator, which listens on this machine; anything further away is still refused."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all that stands in this folder; what is given are the items of every folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.loopback)

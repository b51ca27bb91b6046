from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disposition.house import House
from tests.disposition.kept_house import KeptHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.honest()
    made.close()


@pytest.fixture
def kept_house(tmp_path: Path) -> Iterator[KeptHouse]:
    made = KeptHouse(tmp_path)
    yield made
    made.honest()
    made.close()

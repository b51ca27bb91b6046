from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.disposition.house import House
from tests.disposition.kept_house import KeptHouse

Cases = tuple[tuple[str, bytes], ...]


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


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Cases], KeptHouse]:
    """Gives a closed house in which these cases, by path and content, are approved and can go."""

    @functools.cache
    def made(cases: Cases) -> KeptHouse:
        house = KeptHouse(tmp_path_factory.mktemp("ready"))
        for path, content in cases:
            house.put_item(path, content)
        house.scan()
        house.approve(*dict(cases))
        house.close()
        return house

    return made


@pytest.fixture
def ready_house(
    made_once: Callable[[Cases], KeptHouse], tmp_path: Path
) -> Iterator[Callable[[Mapping[str, bytes]], KeptHouse]]:
    """Gives a house in which these cases are approved and can go: it is made once, and each test has a copy."""
    given: list[KeptHouse] = []

    def copied(cases: Mapping[str, bytes]) -> KeptHouse:
        given.append(made_once(tuple(cases.items())).copied(tmp_path / f"house {len(given)}"))
        return given[-1]

    yield copied
    for house in given:
        house.honest()
        house.close()

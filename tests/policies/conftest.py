from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import bootstrap
from agent.detection.identity import FindingIdentity
from agent.settings import Settings
from agent.usecases.analyse import Analyst
from tests.policies.scenario import Office, Play


@pytest.fixture(scope="session")
def analyst() -> Iterator[Analyst]:
    """The real one: real extraction in its process, real detection."""
    analyst = bootstrap.build_analyst(Settings(), b"k" * 32)
    yield analyst
    analyst.close()


@pytest.fixture(scope="session")
def play(analyst: Analyst, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Plays a scenario, once for all tests that ask."""

    @functools.cache
    def played(name: str) -> tuple:  # type: ignore[type-arg]
        folder: Path = tmp_path_factory.mktemp(name)
        office = Office(name, folder / "catalogue.sqlite", analyst, FindingIdentity(b"k" * 32).of)
        try:
            return office, office.play()
        finally:
            office.close()

    return played

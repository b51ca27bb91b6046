from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.vault.store import Vault
from tests.vault.factories import make, opened


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where an empty vault is."""
    make(tmp_path / "vault")
    return tmp_path / "vault"


@pytest.fixture
def vault(place: Path) -> Iterator[Vault]:
    with opened(place) as opening:
        yield opening

"""Offers metrics of this process, if the settings ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.model.service import Role
from agent.settings import Settings


@contextmanager
def offered(settings: Settings, state: Path, role: Role) -> Iterator[None]:
    yield

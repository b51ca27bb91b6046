from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fsck.estate import Estate


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # here no power is cut, and these are most of the time
    made = Estate(tmp_path)
    yield made
    made.close()

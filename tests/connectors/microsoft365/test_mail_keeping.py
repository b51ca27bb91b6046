"""Quarantine in mailboxes keeps the contract of keepings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import HeldAtSource
from connectors.testing_keeping import KeepingContract
from tests.connectors.microsoft365.kept_mailbox import KeptMailbox, kept_mailbox


class TestMailKeeping(KeepingContract):
    names = False
    labels = False
    marks = False
    protections = (HeldAtSource,)

    @pytest.fixture
    def source(self) -> Iterator[KeptMailbox]:  # type: ignore[override]
        with kept_mailbox() as source:
            yield source

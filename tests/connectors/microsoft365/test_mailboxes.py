"""The connector to mailboxes keeps the contract of connectors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.testing_continuing import ContinuingContract
from tests.connectors.microsoft365.mailbox_source import MailboxSource, mailbox_source


class TestMailbox(ContinuingContract):
    @pytest.fixture
    def source(self) -> Iterator[MailboxSource]:  # type: ignore[override]
        with mailbox_source() as source:
            yield source


class TestMailboxInSmallPages(ContinuingContract):
    @pytest.fixture
    def source(self) -> Iterator[MailboxSource]:  # type: ignore[override]
        with mailbox_source(per_page=1) as source:
            yield source


class TestMailboxThatLosesArrivals(ContinuingContract):
    @pytest.fixture
    def source(self) -> Iterator[MailboxSource]:  # type: ignore[override]
        with mailbox_source() as source:
            source.mailbox.quirks.loses_arrivals = True
            source.mailbox.quirks.tells_hidden_folders = False
            yield source

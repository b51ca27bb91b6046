"""These tests speak to the emulator, which listens on this machine; anything further away is still refused."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.settings import TenantSettings
from agent.usecases.set_up_certificates import new_key
from tests.emulator import Emulator


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the fixture of the same name: the loopback address is allowed here."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX and not (isinstance(address, tuple) and address[0] in ("127.0.0.1", "::1")):
            pytest.fail(f"the code under test tried to reach {address!r}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def graph() -> Iterator[Emulator]:
    """The emulated tenant."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def key() -> bytes:
    """A private key with its certificate."""
    return new_key("retentiond reader contoso", dt.datetime.now(dt.UTC))


@pytest.fixture
def tenant(graph: Emulator, key: bytes, tmp_path: Path) -> Callable[..., TenantSettings]:
    """The settings of the emulated tenant, whose reader signs in by certificate; others of them can be given."""
    reader = graph.tenant.add_app(roles={"Sites.Read.All", "User.Read.All", "Mail.Read"}, certificate=key)
    (tmp_path / "reader.pem").write_bytes(key)
    (tmp_path / "reader.pem").chmod(0o600)

    def made(**more: Any) -> TenantSettings:
        settings = {
            "name": "contoso",
            "tenant_id": graph.tenant.id,
            "reader": {"client_id": reader.client_id, "certificate_file": str(tmp_path / "reader.pem")},
            "ca_file": graph.ca_file,
            "login_url": graph.login_url,
            "graph_url": graph.graph_url,
        }
        return TenantSettings.model_validate(settings | more)

    return made

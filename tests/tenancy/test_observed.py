"""What there is to see of tenants without asking them, and without leaving a trace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from agent.observing.base import TenantFacts
from agent.settings import Settings, TenantSettings
from agent.tenancy import Reach
from agent.tenancy.observed import tenants_observed
from tests.emulator import Emulator

Make = Callable[..., TenantSettings]


def seen(state: Path, *tenants: TenantSettings) -> TenantFacts:
    (one,) = tenants_observed(Settings(tenants=tenants), state)
    return one


def test_the_gates_are_told_as_all_processes_have_left_them(graph: Emulator, tenant: Make, tmp_path: Path) -> None:
    for _ in range(2):
        way = Reach(tenant(), "reader", tmp_path)
        list(way.graph().all("/sites/getAllSites"))
        way.close()
    gates = seen(tmp_path, tenant()).gates
    assert (gates["sharepoint"].used_today, gates["sharepoint"].closed_seconds) == (4, 0)
    assert set(gates) == {"sharepoint"}, "nobody has passed the other one"

    way = Reach(tenant(), "reader", tmp_path)
    way.graph("exchange").gate.throttled(300.0)
    way.close()
    assert 299 < seen(tmp_path, tenant()).gates["exchange"].closed_seconds < 310


def test_what_was_used_yesterday_is_not_told_of_today(tenant: Make, tmp_path: Path) -> None:
    from connectors.microsoft365.gate_file import FileStanding
    from connectors.microsoft365.standing import Standing

    standings = FileStanding(str(tmp_path / "m365-contoso-sharepoint.gate"))
    standings.change(lambda _: (Standing(day="2026-01-02", used=900.0), None))
    standings.close()

    assert seen(tmp_path, tenant()).gates["sharepoint"].used_today == 0


def test_looking_makes_nothing_and_asks_nothing(graph: Emulator, tenant: Make, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert seen(state, tenant()).gates == {}
    assert not state.exists()
    state.mkdir()
    assert seen(state, tenant()).gates == {}
    assert list(state.iterdir()) == []
    assert graph.log == []

    Reach(tenant(), "reader", tmp_path).graph()
    gate = tmp_path / "m365-contoso-sharepoint.gate"
    before = (gate.stat().st_mtime_ns, gate.read_bytes())
    seen(tmp_path, tenant())
    assert (gate.stat().st_mtime_ns, gate.read_bytes()) == before


def test_when_certificates_expire_is_told_as_far_as_they_may_be_read(tenant: Make, tmp_path: Path) -> None:
    writer = {"client_id": "11111111-2222-3333-4444-555555555555", "secret_file": str(tmp_path / "secret")}
    one = seen(tmp_path, tenant(writer=writer))

    assert set(one.certificates) == {"reader"}
    assert one.certificates["reader"] > dt.datetime.now(dt.UTC) + dt.timedelta(days=700)
    (tmp_path / "reader.pem").unlink()
    assert seen(tmp_path, tenant()).certificates == {}

"""What acts on a tenant's drives and mailboxes is made for whom the settings let act, once, and closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.catalogue.base import Share
from agent.errors import ConfigurationError
from agent.settings import Settings, TenantSettings
from agent.tenancy import Keepings
from connectors.base import Scope
from connectors.errors import Throttled
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.keeping import DriveKeeping
from connectors.microsoft365.mail_keeping import MailKeeping
from tests.emulator import Emulator, Fault

Make = Callable[..., TenantSettings]
SECRET = "writer-secret"  # noqa: S105 — the emulator's
DRIVES, MAILBOXES = "microsoft365-drives", "microsoft365-mailboxes"


@pytest.fixture
def writing(graph: Emulator, tenant: Make, tmp_path: Path) -> Make:
    """The settings of a tenant that has a writer."""
    app = graph.tenant.add_app(roles={"Sites.FullControl.All", "Mail.ReadWrite"}, secret=SECRET)
    (tmp_path / "writer").write_text(SECRET)
    (tmp_path / "writer").chmod(0o600)
    writer = {"client_id": app.client_id, "secret_file": str(tmp_path / "writer")}

    def made(**more: object) -> TenantSettings:
        return tenant(**{"writer": writer, "quarantine_officers": ["dpo@contoso.example"], "sites": "all"} | more)

    return made


@pytest.fixture
def keepings(tmp_path: Path) -> Iterator[Callable[..., Keepings]]:
    with ExitStack() as opened:

        def make(*tenants: TenantSettings, sleep: Callable[[float], None] = lambda _: None) -> Keepings:
            made = Keepings(Settings(tenants=tenants), tmp_path, sleep=sleep)
            opened.callback(made.close)
            opened.callback(made.close)
            return made

        yield make


def share(kind: str = DRIVES, tenant: str = "contoso", identity: str = "b!1") -> Share:
    return Share(1, "HR/Documents", "https://contoso.sharepoint.com/sites/hr", identity, kind, tenant)


def test_all_drives_of_a_tenant_have_one_and_all_its_mailboxes_another(
    graph: Emulator, writing: Make, keepings: Callable[..., Keepings]
) -> None:
    made = keepings(writing(), writing(name="fabrikam"))

    assert isinstance(made.of(share()), DriveKeeping)
    assert made.of(share()) is made.of(share(identity="b!2"))
    assert isinstance(made.of(share(MAILBOXES)), MailKeeping)
    assert made.of(share(MAILBOXES)) is made.of(share(MAILBOXES))
    assert made.of(share(tenant="fabrikam")) is not made.of(share())
    assert graph.log == [], "nothing is asked before anything is done"


def test_nothing_acts_where_the_settings_let_nobody(
    writing: Make, tenant: Make, keepings: Callable[..., Keepings]
) -> None:
    made = keepings(writing(), tenant(name="observed"))

    assert made.of(share(tenant="observed")) is None
    assert made.of(share(tenant="gone from the settings")) is None
    assert made.of(share(kind="of another sort")) is None
    assert made.of(share(kind="filesystem", tenant="")) is None


def test_its_connections_are_closed_together(
    writing: Make, keepings: Callable[..., Keepings], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Graph] = []
    monkeypatch.setattr(Graph, "close", lambda self: closed.append(self))
    made = keepings(writing())
    made.of(share())
    made.of(share(MAILBOXES))

    made.close()

    assert len(set(closed)) == 2


def test_whoever_waits_for_a_tenant_may_be_ended(
    graph: Emulator, writing: Make, keepings: Callable[..., Keepings]
) -> None:
    drive = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
    graph.faults.add(Fault(status=429, retry_after="600", times=None))

    def sleep(seconds: float) -> None:
        assert seconds <= 1
        raise Throttled("we are to stop", seconds)

    keeping = keepings(writing(), sleep=sleep).of(share(identity=drive.id))
    assert keeping is not None
    with pytest.raises(Throttled, match="we are to stop"):
        list(keeping.in_quarantine(Scope("HR/Documents", drive.id)))


def test_a_credential_that_lies_nowhere_is_told_when_it_is_needed(
    writing: Make, keepings: Callable[..., Keepings], tmp_path: Path
) -> None:
    (tmp_path / "writer").unlink()
    made = keepings(writing())

    try:
        keeping = made.of(share())
    except ConfigurationError:
        pytest.fail("nothing was asked yet")
    assert keeping is not None

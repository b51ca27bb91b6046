"""From the settings of a tenant to what asks its Graph: signed in, behind the gate, and closed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import tenancy
from agent.errors import ConfigurationError
from agent.settings import Settings, TenantSettings
from agent.tenancy import Reach
from connectors.base import FolderFound, Found, KnowsNothing
from connectors.errors import NotSignedIn
from connectors.keeping import Target
from tests.emulator import Emulator

Make = Callable[..., TenantSettings]
NEW = "new"


def _secret(graph: Emulator) -> Path:
    """A file with the writer's secret, beside the emulator's own files."""
    path = Path(graph.ca_file).with_name("writer.secret")
    path.write_text(NEW)
    path.chmod(0o600)
    return path


@pytest.fixture
def reach(tmp_path: Path) -> Iterator[Callable[..., Reach]]:
    """Makes ways to tenants, which are closed at the end."""
    made: list[Reach] = []

    def make(tenant: TenantSettings, role: tenancy.Role = "reader", state: Path | None = None) -> Reach:
        made.append(Reach(tenant, role, state, sleep=lambda _: None))
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.close()


def test_a_reader_signs_in_and_asks(graph: Emulator, tenant: Make, reach: Callable[..., Reach]) -> None:
    graph.tenant.add_site("HR", path="/sites/hr")
    way = reach(tenant(company="Contoso Ltd"))

    assert way.tokens.roles() == {"Sites.Read.All", "User.Read.All", "Mail.Read"}
    assert [site["displayName"] for site in way.graph().all("/sites/getAllSites")] == ["HR"]
    asked = [call for call in graph.log if call.host == "graph"]
    assert {call.headers["User-Agent"].rpartition("/")[0] for call in asked} == {"NONISV|Contoso Ltd|retentiond"}


def test_nothing_is_asked_before_it_is_used(graph: Emulator, tenant: Make, reach: Callable[..., Reach]) -> None:
    reach(tenant()).graph()

    assert graph.log == []


def test_a_secret_that_was_changed_is_picked_up(
    graph: Emulator, tenant: Make, reach: Callable[..., Reach], tmp_path: Path
) -> None:
    app = graph.tenant.add_app(roles={"Sites.Read.All"}, secret=NEW)
    secret = tmp_path / "secret"
    secret.write_text("old\n")
    secret.chmod(0o600)
    way = reach(tenant(reader={"client_id": app.client_id, "secret_file": str(secret)}))

    with pytest.raises(NotSignedIn):
        way.tokens.roles()
    secret.write_text(f"{NEW}\n")

    assert way.tokens.roles() == {"Sites.Read.All"}


def test_a_credential_that_is_not_there_is_told_as_not_signed_in(
    tenant: Make, reach: Callable[..., Reach], tmp_path: Path
) -> None:
    (tmp_path / "reader.pem").unlink()

    with pytest.raises(NotSignedIn, match=r"reader\.pem: cannot read the credential"):
        reach(tenant()).tokens.roles()


def test_a_managed_identity_signs_in(
    graph: Emulator, tenant: Make, reach: Callable[..., Reach], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.tenant.add_app(roles={"Sites.Read.All"}, managed_identity=True)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", graph.imds_url)

    assert reach(tenant(reader={"managed_identity": True})).tokens.roles() == {"Sites.Read.All"}


def test_the_budget_is_our_share_of_what_the_licences_allow(tenant: Make) -> None:
    assert tenancy.budget_of(tenant()) == tenancy.Budget(1_250, 1_200_000, 750, 720_000)
    assert tenancy.budget_of(tenant(licences=60_000, share_of_limit=0.5)) == tenancy.Budget(
        6_250, 6_000_000, 3_125, 3_000_000
    )
    assert tenancy.budget_of(tenant(units_per_day=5_000)).per_day == 5_000
    assert tenancy.budget_of(tenant(share_of_limit=0.000_001)) == tenancy.Budget(1_250, 1_200_000, 10, 1)


def test_the_roles_of_a_machine_share_one_gate_for_a_workload(
    tenant: Make, reach: Callable[..., Reach], tmp_path: Path
) -> None:
    one, other = reach(tenant(), state=tmp_path), reach(tenant(), state=tmp_path)
    one.graph().gate.throttled(300.0)

    assert other.graph().gate.closed_for_seconds > 299
    assert other.graph("exchange").gate.closed_for_seconds == 0
    assert sorted(path.name for path in tmp_path.glob("*.gate")) == [
        "m365-contoso-exchange.gate",
        "m365-contoso-sharepoint.gate",
    ]


def test_acts_go_before_scans(graph: Emulator, tenant: Make, reach: Callable[..., Reach]) -> None:
    app = graph.tenant.add_app(roles={"Mail.ReadWrite"}, secret=NEW)
    settings = tenant(writer={"client_id": app.client_id, "secret_file": "x"})

    assert reach(settings, "writer").graph()._acting
    assert not reach(settings, "reader").graph()._acting


def test_a_graph_is_made_once_for_a_workload(tenant: Make, reach: Callable[..., Reach]) -> None:
    way = reach(tenant())

    assert way.graph() is way.graph()
    assert way.graph() is not way.graph("exchange")


def test_drives_are_scanned_as_the_settings_want(graph: Emulator, tenant: Make, reach: Callable[..., Reach]) -> None:
    for name in ("HR", "Sales"):
        library = graph.tenant.add_site(name, path=f"/sites/{name.lower()}").add_library("Documents")
        library.put("a.txt", b"a letter")
    graph.tenant.add_user("ann@contoso.example")
    settings = tenant(sites=["https://contoso.sharepoint.com/sites/hr"], onedrives="all")

    connector = tenancy.drive_connector(reach(settings))

    assert connector is not None
    assert [scope.name for scope in connector.scopes()] == ["HR/Documents", "OneDrive/ann@contoso.example"]
    pages = list(connector.changes(connector.scopes()[0], KnowsNothing()))
    assert sum(page.seen for page in pages) == 1
    connector.close()


def test_mailboxes_are_scanned_as_the_settings_want(graph: Emulator, tenant: Make, reach: Callable[..., Reach]) -> None:
    graph.tenant.add_user("ann@contoso.example")

    connector = tenancy.mailbox_connector(reach(tenant(mailboxes=["ann@contoso.example"])))

    assert connector is not None
    assert [scope.name for scope in connector.scopes()] == ["ann@contoso.example"]
    connector.close()


def test_what_is_not_wanted_has_no_connector(tenant: Make, reach: Callable[..., Reach]) -> None:
    way = reach(tenant())

    assert tenancy.drive_connector(way) is None
    assert tenancy.mailbox_connector(way) is None


def test_what_is_taken_by_the_writer_lies_out_of_reach_and_can_be_found(
    graph: Emulator, tenant: Make, reach: Callable[..., Reach]
) -> None:
    library = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
    ann = graph.tenant.add_user("ann@contoso.example")
    file, _ = library.put("a.txt", b"a letter"), ann.mailbox.deliver("Inbox", b"Subject: a\r\n\r\nb")
    app = graph.tenant.add_app(roles={"Sites.ReadWrite.All", "Mail.ReadWrite"}, secret=NEW)
    settings = tenant(
        sites="all",
        mailboxes=["ann@contoso.example"],
        writer={"client_id": app.client_id, "secret_file": str(_secret(graph))},
        quarantine_officers=["dpo@contoso.example"],
    )
    reader, writer = reach(settings), reach(settings, "writer")

    for connector, keeping in (
        (tenancy.drive_connector(reader), tenancy.drive_keeping(writer)),
        (tenancy.mailbox_connector(reader), tenancy.mail_keeping(writer)),
    ):
        assert connector is not None
        [scope] = [scope for scope in connector.scopes() if not scope.name.startswith("OneDrive")]
        pages = list(connector.changes(scope, KnowsNothing()))
        folders = {one.folder: one.folder_id for page in pages for one in page.changes if isinstance(one, FolderFound)}
        [item] = [one.item for page in pages for one in page.changes if isinstance(one, Found)]
        target = Target(item.file_id, item.ref, folders[item.ref.folder], item.version)
        keeping.keep(scope, target, "0" * 32)

        assert list(keeping.in_quarantine(scope)) == [("0" * 32, item.file_id)]
        keeping.close()
    assert library.path_of(file) == f".retentiond quarantine/{'0' * 32}__a.txt"


def test_how_often_the_tenant_made_us_wait_is_told(graph: Emulator, tenant: Make, reach: Callable[..., Reach]) -> None:
    way = reach(tenant())
    assert way.waits() == (0, 0.0)

    way.graph().gate.throttled(0.0)
    way.graph("exchange").gate.throttled(0.0)

    assert way.waits()[0] == 2


def test_a_tenant_without_a_writer_has_nothing_that_changes_it(tenant: Make) -> None:
    with pytest.raises(ConfigurationError, match="contoso has no writer"):
        Reach(tenant(), "writer", None)


def test_downloads_keep_to_the_rate_of_the_settings(tenant: Make) -> None:
    slept: list[float] = []
    spend = tenancy.spend_of(tenant(mib_per_second=1.0), slept.append)

    for _ in range(16):
        spend(64 << 10)
    assert slept == []

    spend(5 << 20)
    spend(1)
    assert 4 < sum(slept) <= 5


def test_without_a_rate_nothing_waits(tenant: Make) -> None:
    slept: list[float] = []
    spend = tenancy.spend_of(tenant(), slept.append)

    spend(1 << 40)
    spend(1)

    assert slept == []


def test_tenants_are_found_by_name(tenant: Make) -> None:
    settings = Settings(tenants=(tenant(), tenant(name="fabrikam")))

    assert [one.name for one in tenancy.tenants_named(settings, None)] == ["contoso", "fabrikam"]
    assert [one.name for one in tenancy.tenants_named(settings, "fabrikam")] == ["fabrikam"]
    with pytest.raises(ConfigurationError, match=r"no tenant 'x'. Known are: contoso, fabrikam"):
        tenancy.tenants_named(settings, "x")
    with pytest.raises(ConfigurationError, match="retentiond init --m365"):
        tenancy.tenants_named(Settings(), None)


@pytest.mark.parametrize("cloud", ["global", "gcc", "gcc_high", "dod", "china"])
def test_every_cloud_of_the_settings_is_known(tenant: Make, cloud: str) -> None:
    settings = tenant(cloud=cloud, login_url=None, graph_url=None)

    assert tenancy.cloud_of(settings).name == cloud
    assert tenancy.lacks_of(settings) >= set()
    sign_in = tenancy.sign_in_of(settings, "reader")
    assert sign_in.login == tenancy.cloud_of(settings).login
    assert sign_in.known_login

"""The settings of Microsoft 365: every key that is shown can be set, and what cannot be meant is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigurationError
from agent.settings import AppSettings, Settings, TenantSettings, load_settings

ROOT = Path(__file__).parents[1]
SHIPPED = (ROOT / "config" / "retentiond.yaml").read_text(encoding="utf-8")
APP = "11111111-2222-3333-4444-555555555555"
OFFICER = "quarantine_officers: [dpo@contoso.example]"


def _load(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "retentiond.yaml").write_text(text)
    return load_settings(tmp_path / "retentiond.yaml")


def _entry(
    *lines: str, name: str = "contoso", reader: str = f"{{client_id: {APP}, certificate_file: /etc/key}}"
) -> str:
    """A tenant with what it must have on lines 2 to 4, and these lines of its own from line 5 on."""
    given = {line.partition(":")[0] for line in lines}
    usual = [f"name: {name}", "tenant_id: contoso.onmicrosoft.com", f"reader: {reader}"]
    kept = [line for line in usual if line.partition(":")[0] not in given]
    first, *rest = [*kept, *lines]
    return f"  - {first}\n" + "".join(f"    {line}\n" for line in rest)


def _tenant(tmp_path: Path, *lines: str) -> TenantSettings:
    return _load(tmp_path, "tenants:\n" + _entry(*lines)).tenants[0]


def _shown() -> str:
    """The commented entry of the shipped file, as it is when the marks are taken away."""
    _, _, after = SHIPPED.partition("tenants: []\n")
    block, _, _ = after.partition("\n\n")
    return "tenants:\n" + "".join(f"{line.removeprefix('#')}\n" for line in block.splitlines())


def test_the_entry_that_is_shown_holds_every_key_and_loads(tmp_path: Path) -> None:
    text = _shown()
    tenant = _load(tmp_path, text).tenants[0]

    for section in (TenantSettings, AppSettings):
        for key in section.model_fields:
            assert f" {key}:" in text, key
    assert (tenant.name, tenant.sites) == ("contoso", ("https://contoso.sharepoint.com/sites/hr",))
    assert tenant.reader.certificate_file == "m365-contoso-reader"


def test_the_entry_that_is_shown_says_the_default_of_every_key_that_has_one(tmp_path: Path) -> None:
    tenant = _load(tmp_path, _shown()).tenants[0]
    examples = {"name", "tenant_id", "reader", "company", "sites", "reconcile"}

    for key, field in TenantSettings.model_fields.items():
        if key not in examples:
            assert getattr(tenant, key) == field.default, key


def test_there_is_no_tenant_unless_one_is_named() -> None:
    assert Settings().tenants == ()


def test_a_tenant_is_taken_with_its_defaults(tmp_path: Path) -> None:
    tenant = _tenant(tmp_path)

    assert (tenant.cloud, tenant.sites, tenant.onedrives, tenant.mailboxes) == ("global", "none", "none", "none")
    assert (tenant.writer, tenant.full_every_days, tenant.recycle_bin_days) == (None, 7, 93)


def test_an_empty_list_of_places_is_none(tmp_path: Path) -> None:
    tenant = _tenant(tmp_path, "sites: []", "mailboxes: []", "onedrives: [ann@contoso.example]")

    assert (tenant.sites, tenant.mailboxes, tenant.onedrives) == ("none", "none", ("ann@contoso.example",))


def test_hours_are_read_as_those_of_shares(tmp_path: Path) -> None:
    tenant = _tenant(tmp_path, 'window: "20:00-06:00"', 'not_during: ["02:00-03:00"]')

    assert len(tenant.hours.spans) == len(tenant.hours.closed) == 1


@pytest.mark.parametrize("identity", ["true", APP])
def test_a_managed_identity_needs_no_file(tmp_path: Path, identity: str) -> None:
    text = "tenants:\n" + _entry(reader=f"{{managed_identity: {identity}}}")

    assert _load(tmp_path, text).tenants[0].reader.managed_identity == (True if identity == "true" else APP)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("sitse: all",), ":5: tenants.0.sitse: there is no such key. Did you mean `sites`?"),
        (("tenant_id: con toso",), ":4: tenants.0.tenant_id: must be the tenant's id, or one of its domains"),
        (("name: con/toso",), ":4: tenants.0.name: must be a short name"),
        (("cloud: moon",), ":5: tenants.0.cloud: must be one of 'global', 'gcc', 'gcc_high', 'dod' or 'china'"),
        (("reader: null",), ":4: tenants.0.reader: must hold `key: value` lines"),
        (("reader: {}",), ":4: tenants.0.reader: must name exactly one of certificate_file, secret_file and managed"),
        (
            (f"reader: {{client_id: {APP}, secret_file: /a, certificate_file: /b}}",),
            ":4: tenants.0.reader: must name exactly one of",
        ),
        (("reader: {secret_file: /a}",), ":4: tenants.0.reader: must name the client_id"),
        ((f"reader: {{client_id: {APP}, managed_identity: true}}",), "must not name a client_id beside"),
        ((f"reader: {{client_id: {APP}, secret_file: /a, passphrase_file: /b}}",), "passphrase_file without"),
        (("reader: {managed_identity: false}",), ":4: tenants.0.reader.managed_identity: must be true, or"),
        (("reader: {client_id: x, secret_file: /a}",), ":4: tenants.0.reader.client_id: must be the application"),
        (("reader: {client_id: x, secret: s3cret}",), "tenants.0.reader.secret: there is no such key. Did you mean"),
        (("sites: 5",), ":5: tenants.0.sites: must be all, none, or a list."),
        (("sites: some",), ":5: tenants.0.sites: must be all, none, or a list."),
        (("sites: ['']",), ":5: tenants.0.sites: must be all, none, or a list."),
        (("sites: [http://contoso.sharepoint.com]",), ":5: tenants.0.sites: must be an address that begins with https"),
        (("graph_url: http://localhost",), ":5: tenants.0.graph_url: must be an address that begins with https://"),
        (("login_url: https://a:b@localhost",), ":5: tenants.0.login_url: must be an address that begins with https"),
        (("proxy: http://ann:pw@proxy:3128",), ":5: tenants.0.proxy: must not hold a user or a password"),
        (("proxy: proxy:3128",), ":5: tenants.0.proxy: must be the address of a proxy"),
        (("onedrives: [ann]",), ":5: tenants.0.onedrives: must be users, each by user principal name"),
        (("mailboxes: some",), ":5: tenants.0.mailboxes: must be all, none, or a list."),
        (("columns: ['Due date']",), ":5: tenants.0.columns.0: must be the internal name of a column"),
        (("labels: {pay: ''}",), ":5: tenants.0.labels.pay: must not be empty"),
        (("labels: pay",), ":5: tenants.0.labels: "),
        (("decided_columns: {clas: A}",), ":5: tenants.0.decided_columns.clas"),
        (("decided_columns: {due: 'Due on'}",), ":5: tenants.0.decided_columns.due: must be the internal name of a"),
        (("decided_columns: {class: A, due: A}",), "tenants.0: must name another column for each word under decided"),
        (("columns: [A]", "decided_columns: {class: A}"), "tenants.0: must not name a column both under columns and"),
        (("licences: 0",), ":5: tenants.0.licences: must be at least 1"),
        (("share_of_limit: 1.5",), ":5: tenants.0.share_of_limit: must be at most 1"),
        (("company: 'a|b'",), ":5: tenants.0.company: must be written like"),
        (("reconcile: never",), ":5: tenants.0.reconcile:"),
        (("copies: [{kind: tape, what: x}]",), ":5: tenants.0.copies.0.kind: must be one of"),
        (("copies: [{what: x, kid: y}]",), "tenants.0.copies.0.kid: there is no such key. Did you mean `kind`?"),
        (
            ("sites: all", f"writer: {{client_id: {APP}, secret_file: /a}}"),
            "tenants.0: must name quarantine_officers beside a writer",
        ),
    ],
)
def test_a_mistake_is_told_with_line_and_field(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        _tenant(tmp_path, *lines)
    assert said in str(told.value)
    assert str(told.value).startswith(str(tmp_path / "retentiond.yaml"))


@pytest.mark.parametrize("lines", [("sites: all",), ("onedrives: all",)])
def test_a_writer_of_files_needs_officers(tmp_path: Path, lines: tuple[str, ...]) -> None:
    writer = f"writer: {{client_id: {APP}, secret_file: m365-contoso-writer}}"

    with pytest.raises(ConfigurationError, match="quarantine_officers"):
        _tenant(tmp_path, writer, *lines)
    assert _tenant(tmp_path, writer, OFFICER, *lines).writer is not None


def test_what_a_tenant_is_told_is_taken_by_class_and_by_word(tmp_path: Path) -> None:
    tenant = _tenant(tmp_path, 'labels: {payroll: "Payroll, 6 years"}', "decided_columns: {due: RetentionDue}")

    assert (tenant.labels, tenant.decided_columns) == ({"payroll": "Payroll, 6 years"}, {"due": "RetentionDue"})


def test_a_writer_of_mail_alone_needs_none(tmp_path: Path) -> None:
    assert _tenant(tmp_path, f"writer: {{client_id: {APP}, secret_file: w}}", "mailboxes: all").writer is not None


def test_two_tenants_cannot_have_one_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r":5: tenants\.1\.name: two tenants are named 'contoso'"):
        _load(tmp_path, "tenants:\n" + _entry() + _entry())


@pytest.mark.parametrize(("share", "tenant"), [("contoso", "contoso"), ("Contoso", "contoso"), ("contoso", "CONTOSO")])
def test_a_tenant_cannot_have_the_name_of_a_share(tmp_path: Path, share: str, tenant: str) -> None:
    shares = f"shares:\n  - {{name: {share}, path: /srv}}\n"
    with pytest.raises(ConfigurationError, match=rf":4: tenants\.0\.name: a share is named '{tenant}' as well"):
        _load(tmp_path, shares + "tenants:\n" + _entry(name=tenant))


def test_no_mistake_repeats_a_secret_that_was_written_where_none_belongs(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        _tenant(tmp_path, "reader: {client_id: x, secret: s3cret}", "proxy: http://ann:s3cret@proxy")
    assert "s3cret" not in str(told.value)

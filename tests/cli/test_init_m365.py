"""`retentiond init --m365` makes keys and an entry in the settings, says what to upload and grant; replaces none."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.settings import load_settings
from agent.usecases.set_up_certificates import read_certificate
from tests.cli.tenant_desk import Ran, run_here
from tests.usecases.server import GROUP, TEMPLATE, facts, make_image

READER, WRITER = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
TENANT = ("--tenant-id", "contoso.onmicrosoft.com", "--reader", READER)
HR = "https://contoso.sharepoint.com/sites/hr"
Run = Callable[..., Ran]

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="prepares a machine, for which it must be root")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `init --m365` for oneself, with settings in a folder of its own."""
    monkeypatch.delenv("RETENTIOND_CONFIG", raising=False)

    def run(*arguments: str, typed: str | None = None) -> Ran:
        config = ("--config", tmp_path / "own/retentiond.yaml")
        return run_here(monkeypatch, capsys, "init", "--m365", *config, *arguments, typed=typed)

    return run


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `init --system` with more on the image of a machine."""
    monkeypatch.delenv("RETENTIOND_CONFIG", raising=False)
    make_image(tmp_path / "image")

    def run(*arguments: str, typed: str | None = None) -> Ran:
        return run_here(monkeypatch, capsys, "init", "--system", "--root", tmp_path / "image", *arguments, typed=typed)

    return run


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_makes_a_key_and_an_entry_and_says_what_to_do_with_them(here: Run, tmp_path: Path) -> None:
    ran = here(*TENANT, "--site", HR)

    assert (ran.code, ran.err) == (0, "")
    own = tmp_path / "own"
    assert {path.name: mode_of(path) for path in own.iterdir()} == {
        "retentiond.yaml": 0o600,
        "m365-contoso-reader.pem": 0o600,
        "m365-contoso-reader.crt": 0o644,
    }
    tenant = load_settings(own / "retentiond.yaml").tenants[0]
    assert (tenant.name, tenant.tenant_id, tenant.sites, tenant.writer) == (
        "contoso",
        "contoso.onmicrosoft.com",
        (HR,),
        None,
    )
    assert tenant.reader.certificate_file == str(own / "m365-contoso-reader.pem")
    certificate = read_certificate((own / "m365-contoso-reader.crt").read_bytes())
    for said in (
        f"for the app registration {READER}",
        f"Upload:    {own}/m365-contoso-reader.crt",
        f"SHA-256:   {certificate.sha256}",
        f"Valid to:  {certificate.expires_at:%Y-%m-%d}",
        "Grant:     Sites.Selected",
        "retentiond m365 sign-in --tenant contoso --grant read",
        "retentiond m365 check --config",
    ):
        assert said in ran.out


def test_no_key_is_printed(here: Run, tmp_path: Path) -> None:
    ran = here(*TENANT)

    secret = (tmp_path / "own/m365-contoso-reader.pem").read_text().splitlines()[1]
    assert secret not in ran.out + ran.err
    assert "PRIVATE" not in ran.out + ran.err


def test_the_settings_keep_their_comments_and_everything_else(here: Run, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    settings = tmp_path / "own/retentiond.yaml"
    settings.write_text("# ours\njobs: 3  # not more\n")
    settings.chmod(0o644)

    ran = here(*TENANT)

    assert ran.code == 0
    assert settings.read_text().startswith("# ours\njobs: 3  # not more\ntenants:\n  - name:")
    assert mode_of(settings) == 0o644
    [kept] = (tmp_path / "own").glob("retentiond.yaml.before-*")
    assert kept.read_text() == "# ours\njobs: 3  # not more\n"
    assert str(kept) in ran.out


def test_a_second_run_changes_nothing(here: Run, tmp_path: Path) -> None:
    here(*TENANT, "--site", HR)
    before = facts(tmp_path / "own")

    for arguments in ((), TENANT, (*TENANT, "--site", HR), ("--tenant", "contoso")):
        ran = here(*arguments)
        assert (ran.code, "Everything is there already" in ran.out) == (0, True), ran
        assert facts(tmp_path / "own") == before


def test_what_the_settings_say_otherwise_is_not_overruled(here: Run, tmp_path: Path) -> None:
    here(*TENANT)
    before = facts(tmp_path / "own")

    ran = here(*TENANT, "--cloud", "gcc")

    assert ran.code == 2
    assert "says something else of it. Change it there" in ran.err
    assert facts(tmp_path / "own") == before


def test_with_force_the_entry_is_replaced_and_what_was_not_said_stays(here: Run, tmp_path: Path) -> None:
    here(*TENANT, "--site", HR)
    key = (tmp_path / "own/m365-contoso-reader.pem").read_bytes()

    ran = here("--tenant", "contoso", "--cloud", "gcc", "--force")

    assert ran.code == 0
    tenant = load_settings(tmp_path / "own/retentiond.yaml").tenants[0]
    assert (tenant.cloud, tenant.sites) == ("gcc", (HR,))
    assert (tmp_path / "own/m365-contoso-reader.pem").read_bytes() == key
    assert list((tmp_path / "own").glob("retentiond.yaml.before-*"))


def test_a_writer_gets_a_key_of_its_own(here: Run, tmp_path: Path) -> None:
    ran = here(*TENANT, "--site", HR, "--writer", WRITER, "--officer", "dpo@contoso.example", "--json")

    told = json.loads(ran.out)
    assert [(app["app"], app["client_id"], app["grant"]) for app in told["apps"]] == [
        ("reader", READER, ["Sites.Selected"]),
        ("writer", WRITER, ["Sites.Selected"]),
    ]
    assert told["apps"][0]["sha256"] != told["apps"][1]["sha256"]
    assert any("--grant write" in step["command"] for step in told["next"])


def test_new_certificates_keep_the_old_keys_aside(here: Run, tmp_path: Path) -> None:
    here(*TENANT)
    key, public = (tmp_path / f"own/m365-contoso-reader.{end}" for end in ("pem", "crt"))
    old = key.read_bytes()

    ran = here("--new-certificate")

    assert ran.code == 0
    assert key.read_bytes() != old
    assert read_certificate(key.read_bytes()) == read_certificate(public.read_bytes())
    [kept] = (tmp_path / "own").glob("m365-contoso-reader.pem.before-*")
    assert (kept.read_bytes(), mode_of(kept)) == (old, 0o600)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say which tenant, and by which app registration we sign in"),
        (("--tenant-id", "contoso.example"), "Say which tenant"),
        (("--tenant-id", "x", "--reader", READER), "--tenant-id: must be the tenant's id, or one of its domains"),
        (("--tenant-id", "x.y", "--reader", "me"), "--reader: must be the application (client) id"),
        ((*TENANT, "--cloud", "moon"), "--cloud: must be 'global', 'gcc', 'gcc_high', 'dod' or 'china'"),
        ((*TENANT, "--site", "http://x"), "--site: must be an address that begins with https://"),
        ((*TENANT, "--site", "all", "--writer", WRITER), "--officer: must name quarantine_officers beside a writer"),
        ((*TENANT, "--tenant", "a/b"), "--tenant: must be a short name"),
        ((*TENANT, "--share", "a=/b"), "With --m365 no shares are set up"),
        ((*TENANT, "--root", "/nowhere"), "--root needs --system"),
    ],
)
def test_what_cannot_be_is_told_by_its_option(here: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = here(*arguments)

    assert (ran.code, said in ran.err) == (2, True), ran
    assert not (tmp_path / "own").exists()


def test_the_options_of_a_tenant_need_m365(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run_here(monkeypatch, capsys, "init", "--tenant-id", "x.y", "--config", tmp_path / "x.yaml")

    assert (ran.code, "These options belong to --m365" in ran.err) == (2, True)


def test_settings_with_a_mistake_are_told_and_left_alone(here: Run, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/retentiond.yaml").write_text("jbos: 3\n")

    ran = here(*TENANT)

    assert (ran.code, "Did you mean `jobs`?" in ran.err) == (4, True)
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["retentiond.yaml"]


def test_what_is_not_said_is_asked_for(here: Run, tmp_path: Path) -> None:
    answers = ["contoso.onmicrosoft.com", READER, "", f"{HR}; {HR}2", WRITER, "dpo@contoso.example", "y"]

    ran = here(typed="\n".join([*answers, ""]))

    assert ran.code == 0, ran
    tenant = load_settings(tmp_path / "own/retentiond.yaml").tenants[0]
    assert (tenant.name, tenant.cloud, tenant.sites) == ("contoso", "global", (HR, f"{HR}2"))
    assert tenant.writer is not None
    assert tenant.quarantine_officers == ("dpo@contoso.example",)


def test_nothing_is_written_before_somebody_has_agreed(here: Run, tmp_path: Path) -> None:
    ran = here(*TENANT, "--site", "none", typed="\nnone yet\nn\n")

    assert ran.code == 0
    assert "key of the reader of contoso" in ran.err
    assert not (tmp_path / "own").exists()


# For the service


@AS_ROOT
def test_the_service_gets_its_keys_as_credentials_and_the_network(machine: Run, tmp_path: Path) -> None:
    ran = machine("--m365", *TENANT, "--site", HR, "--yes")

    assert ran.code == 0, ran
    found = facts(tmp_path / "image")
    assert found["etc/retentiond/credstore/m365-contoso-reader"][:3] == (0o600, 0, 0)
    assert found["etc/retentiond/m365-contoso-reader.crt"][:3] == (0o644, 0, GROUP)
    assert found["etc/retentiond/retentiond.yaml"][:3] == (0o640, 0, GROUP)
    scan = found["etc/systemd/system/retentiond-scan.service.d/microsoft365.conf"][3].decode()
    assert "IPAddressAllow=any" in scan
    assert "LoadCredential=m365-contoso-reader:/etc/retentiond/credstore/m365-contoso-reader" in scan
    assert "etc/systemd/system/retentiond-dispose.service.d/microsoft365.conf" not in found
    settings = load_settings(tmp_path / "image/etc/retentiond/retentiond.yaml")
    assert (settings.state, settings.tenants[0].reader.certificate_file) == (
        "/var/lib/retentiond",
        "m365-contoso-reader",
    )
    for step in ("retentiond init --system", "retentiond m365 check", "systemctl restart retentiond-scan"):
        assert step in ran.out


@AS_ROOT
def test_what_disposes_gets_the_network_only_where_there_is_a_writer(machine: Run, tmp_path: Path) -> None:
    path = tmp_path / "image/etc/systemd/system/retentiond-dispose.service.d/microsoft365.conf"
    settings = tmp_path / "image/etc/retentiond/retentiond.yaml"
    machine("--m365", *TENANT, "--yes")
    assert not path.exists()

    machine("--m365", "--writer", WRITER, "--tenant", "contoso", "--force", "--yes")
    assert "PrivateNetwork=no" in path.read_text()
    assert "LoadCredential=m365-contoso-writer:" in path.read_text()
    assert "reader" not in path.read_text()

    text = settings.read_text()
    writer = f'    writer:\n      client_id: "{WRITER}"\n      certificate_file: "m365-contoso-writer"\n'
    assert writer in text
    settings.write_text(text.replace(writer, ""))
    machine("--m365", "--yes")
    assert "PrivateNetwork" not in path.read_text()


@AS_ROOT
def test_the_service_can_then_be_set_up_without_a_share(machine: Run, tmp_path: Path) -> None:
    machine("--m365", *TENANT, "--site", HR, "--yes")

    ran = machine("--yes")

    assert ran.code == 0, ran
    assert (tmp_path / "image/var/lib/retentiond/master.key").exists()
    again = machine("--m365", "--yes")
    assert "Everything is there already" in again.out
    assert "retentiond init --system" not in again.out


@AS_ROOT
def test_a_tenant_that_was_written_by_hand_is_told_to_be_out_of_reach(machine: Run, tmp_path: Path) -> None:
    machine("--m365", *TENANT, "--yes")
    assert "do not reach Microsoft 365" not in machine("--yes").out

    (tmp_path / "image/etc/systemd/system/retentiond-scan.service.d/microsoft365.conf").unlink()

    assert "do not reach Microsoft 365 yet. To let them:  retentiond init --m365 --system" in machine("--yes").out


@AS_ROOT
def test_a_tenant_is_added_to_a_machine_with_shares(machine: Run, tmp_path: Path) -> None:
    machine("--share", "office=/srv/shares/office", "--yes")
    before = load_settings(tmp_path / "image/etc/retentiond/retentiond.yaml")

    ran = machine("--m365", *TENANT, "--yes")

    after = load_settings(tmp_path / "image/etc/retentiond/retentiond.yaml")
    assert ran.code == 0, ran
    assert after.model_copy(update={"tenants": ()}) == before
    assert machine("--yes").code == 0


@AS_ROOT
def test_without_the_users_of_the_service_it_is_said_how_to_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = make_image(tmp_path / "image", accounts=False)

    ran = run_here(monkeypatch, capsys, "init", "--m365", "--system", "--root", image, *TENANT, "--yes")

    assert (ran.code, "systemd-sysusers" in ran.err) == (4, True)
    assert not (image / "etc/retentiond").exists()


def test_the_shipped_settings_take_a_tenant() -> None:
    """The line that is replaced stands there once."""
    assert TEMPLATE.count("\ntenants: []\n") == 1


def test_what_is_granted_is_told_for_programs_too(here: Run) -> None:
    told: dict[str, Any] = json.loads(here(*TENANT, "--site", "all", "--json").out)

    assert told["changed"]
    assert told["apps"][0]["grant"] == ["Sites.Read.All"]
    assert [step["what"] for step in told["steps"]][-1] == "settings"

"""Keys, certificates, the tenant's entry in the settings, and what systemd is told of it."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from agent.errors import ConfigurationError
from agent.settings import TenantSettings
from agent.usecases.set_up_certificates import KeyFile, PublicFile, new_key, public_part, read_certificate
from agent.usecases.set_up_files import Rights
from agent.usecases.set_up_settings import for_the_service, settings_of, with_tenant
from agent.usecases.set_up_tenant import app_places, closed_drop_in, drop_in, entry_of, reach_of
from tests.packaging.unit_files import UNITS
from tests.usecases.server import TEMPLATE

APP = "11111111-2222-3333-4444-555555555555"
NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
MINE = Rights(os.geteuid(), os.getegid(), 0o600)


@pytest.fixture(scope="module")
def pem() -> bytes:
    return new_key("retentiond reader contoso", NOW)


def tenant(**more: Any) -> TenantSettings:
    usual = {
        "name": "contoso",
        "tenant_id": "contoso.example",
        "reader": {"client_id": APP, "certificate_file": "m365-contoso-reader"},
    }
    return TenantSettings.model_validate(usual | more)


# Keys and certificates


def test_a_key_is_a_strong_one_and_its_certificate_says_who_and_how_long(pem: bytes) -> None:
    key = serialization.load_pem_private_key(pem, None)
    certificate = x509.load_pem_x509_certificate(pem)

    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 3072
    assert certificate.subject.rfc4514_string() == "CN=retentiond reader contoso"
    assert certificate.not_valid_after_utc == NOW + dt.timedelta(days=730)
    assert certificate.not_valid_before_utc < NOW
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha256"


def test_key_and_certificate_belong_together(pem: bytes) -> None:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signed = key.sign(b"x", padding.PKCS1v15(), hashes.SHA256())
    public = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(public, rsa.RSAPublicKey)

    public.verify(signed, b"x", padding.PKCS1v15(), hashes.SHA256())


def test_what_is_uploaded_holds_no_key(pem: bytes) -> None:
    public = public_part(pem)

    assert b"PRIVATE" not in public
    assert read_certificate(public) == read_certificate(pem)


def test_fingerprints_are_those_that_others_compute(pem: bytes) -> None:
    certificate, found = x509.load_pem_x509_certificate(pem), read_certificate(pem)

    assert bytes.fromhex(found.sha256) == certificate.fingerprint(hashes.SHA256())
    assert bytes.fromhex(found.sha1) == certificate.fingerprint(hashes.SHA1())  # noqa: S303
    assert found.sha256.isupper()


def test_a_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    step = KeyFile(tmp_path / "key", MINE, "x", NOW)
    assert step.lacking() == "it is missing"

    step.make()
    made = (tmp_path / "key").read_bytes()
    step.make()

    assert step.lacking() == ""
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "key").read_bytes() == made


def test_a_key_that_others_may_read_is_closed_and_not_replaced(tmp_path: Path, pem: bytes) -> None:
    (tmp_path / "key").write_bytes(pem)
    (tmp_path / "key").chmod(0o644)
    step = KeyFile(tmp_path / "key", MINE, "x", NOW)
    assert step.lacking() == "its mode is 0644, not 0600"

    step.make()

    assert step.lacking() == ""
    assert (tmp_path / "key").read_bytes() == pem


def test_a_new_key_takes_the_place_of_the_old_one_which_is_kept(tmp_path: Path, pem: bytes) -> None:
    (tmp_path / "key").write_bytes(pem)
    (tmp_path / "key").chmod(0o600)
    step = KeyFile(tmp_path / "key", MINE, "x", NOW, renew=True)
    assert step.lacking()

    step.make()

    assert step.kept == tmp_path / "key.before-2026-03-01"
    assert step.kept.read_bytes() == pem
    assert step.kept.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "key").read_bytes() != pem
    assert step.lacking() == ""


def test_a_file_that_is_no_key_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("something else")
    (tmp_path / "key").chmod(0o600)

    with pytest.raises(ConfigurationError, match="there is no certificate in it"):
        KeyFile(tmp_path / "key", MINE, "x", NOW).lacking()
    assert (tmp_path / "key").read_text() == "something else"


def test_the_certificate_beside_a_key_is_always_that_keys(tmp_path: Path, pem: bytes) -> None:
    (tmp_path / "key").write_bytes(pem)
    step = PublicFile(tmp_path / "crt", Rights(MINE.uid, MINE.gid, 0o644), tmp_path / "key")
    assert step.lacking() == "it is missing"
    step.make()
    assert step.lacking() == ""

    (tmp_path / "key").write_bytes(new_key("another", NOW))

    assert step.lacking() == "it is another one's"
    step.make()
    assert (tmp_path / "crt").read_bytes() == public_part((tmp_path / "key").read_bytes())


# The settings

OTHERS = "jobs: 3  # not more\n"
SHARES = "shares:\n  - name: office\n    path: /srv/office\n"


def entry(**more: Any) -> list[str]:
    return entry_of(tenant(**more))


def test_an_entry_says_what_differs_from_the_defaults_and_no_more() -> None:
    assert entry(sites=["https://contoso.sharepoint.com/sites/hr"], licences=1_000) == [
        'name: "contoso"',
        'tenant_id: "contoso.example"',
        "reader:",
        f'  client_id: "{APP}"',
        '  certificate_file: "m365-contoso-reader"',
        'sites: ["https://contoso.sharepoint.com/sites/hr"]',
    ]


def test_an_entry_says_the_same_when_it_is_read_again() -> None:
    told = tenant(
        sites="all",
        mailboxes=["zoë@contoso.example"],
        window=["20:00-06:00"],
        copies=[{"kind": "backup", "what": 'tape "A": #1', "days": 35}],
        writer={"client_id": APP, "secret_file": "/etc/x: y"},
        quarantine_officers=["dpo@contoso.example"],
    )

    assert settings_of(with_tenant("", "contoso", entry_of(told))).tenants == (told,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        TEMPLATE,
        OTHERS,
        OTHERS.rstrip("\n"),
        f"{OTHERS}tenants: []\n# the end\n",
        f"tenants: []\n{SHARES}",
        f"{SHARES}# a word\n{OTHERS}",
    ],
)
def test_the_first_tenant_is_added_and_everything_else_stays(text: str) -> None:
    new = with_tenant(text, "contoso", entry())

    assert settings_of(new).tenants == (tenant(),)
    assert settings_of(new).model_copy(update={"tenants": ()}) == settings_of(text)
    kept = [line for line in text.splitlines() if line != "tenants: []"]
    assert [line for line in new.splitlines() if line in kept] == kept


@pytest.mark.parametrize("indent", ["", "  ", "    "])
@pytest.mark.parametrize("after", ["", "# a word about nothing\n\n", f"# a word\n{SHARES}"])
def test_a_second_tenant_is_added_behind_the_first(indent: str, after: str) -> None:
    first = entry_of(tenant(name="fabrikam", sites=["https://f.example/a"], exclude=["x # y"]))
    text = f"{OTHERS}tenants:\n{indent}- {first[0]}\n" + "".join(f"{indent}  {line}\n" for line in first[1:])

    new = with_tenant(text + after, "contoso", entry(exclude=["z"]))

    assert [one.name for one in settings_of(new).tenants] == ["fabrikam", "contoso"]
    assert settings_of(new).tenants[0] == settings_of(text).tenants[0]
    assert new.startswith(text)
    assert new.endswith(after)


def test_a_tenant_is_replaced_where_it_stands() -> None:
    text = with_tenant(with_tenant(OTHERS, "contoso", entry()), "fabrikam", entry_of(tenant(name="fabrikam")))
    text += "# the end\n"

    new = with_tenant(text, "contoso", entry(cloud="gcc"))

    assert [(one.name, one.cloud) for one in settings_of(new).tenants] == [("contoso", "gcc"), ("fabrikam", "global")]
    assert new.startswith(OTHERS)
    assert new.endswith("# the end\n")


@pytest.mark.parametrize(
    "text",
    [
        f"tenants: [{{name: a, tenant_id: a.b, reader: {{client_id: {APP}, secret_file: x}}}}]\n",
        "tenants:\n  []\n",
        "{jobs: 3, tenants: []}\n",
        "{jobs: 3}\n",
        "--- \njobs: 3\n...\n",
    ],
)
def test_settings_in_another_form_are_left_alone_and_the_entry_is_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match='Write this under `tenants` yourself:\n  - name: "contoso"'):
        with_tenant(text, "contoso", entry())


def test_a_machine_without_shares_gets_what_the_service_needs() -> None:
    settings = settings_of(for_the_service(TEMPLATE))

    assert (settings.state, settings.service.metrics, settings.shares) == ("/var/lib/retentiond", "/run/retentiond", ())


# What systemd is told


def test_the_service_is_given_its_key_as_a_credential() -> None:
    place = app_places("contoso", "reader", system=True, folder=PurePosixPath("/etc/retentiond"))
    shipped = (UNITS / "microsoft365/scan.conf").read_text(encoding="utf-8")

    text = drop_in(shipped, [place], "any")

    assert place.named == "m365-contoso-reader"
    assert "LoadCredential=m365-contoso-reader:/etc/retentiond/credstore/m365-contoso-reader\n" in text
    assert "IPAddressAllow=any\n" in text
    assert text.startswith("# Written by `retentiond init --m365 --system`")


def test_one_for_oneself_is_named_by_its_path() -> None:
    place = app_places("contoso", "writer", system=False, folder=PurePosixPath("/home/ann/.config"))

    assert place.named == str(place.key_file) == "/home/ann/.config/m365-contoso-writer.pem"


@pytest.mark.parametrize(
    ("proxies", "reach"),
    [
        ((None,), "any"),
        (("http://192.0.2.7:3128",), "localhost 192.0.2.7"),
        (
            ("http://192.0.2.7:3128", "http://192.0.2.7:8080", "http://[2001:db8::1]:1"),
            "localhost 192.0.2.7 2001:db8::1",
        ),
        (("http://localhost:3128",), "localhost"),
        (("http://192.0.2.7:3128", None), "any"),
        (("http://proxy.example.org:3128",), "any"),
    ],
)
def test_only_a_proxy_is_reached_where_all_goes_through_it(proxies: tuple[str | None, ...], reach: str) -> None:
    assert reach_of([tenant(proxy=proxy) for proxy in proxies]) == reach


def test_what_nobody_needs_any_more_opens_nothing() -> None:
    told = [line for line in closed_drop_in().splitlines() if not line.startswith("#")]

    assert told == []


def test_a_shipped_text_that_does_not_say_whom_it_reaches_is_a_defect() -> None:
    with pytest.raises(RuntimeError):
        drop_in("[Service]\n", [], "any")

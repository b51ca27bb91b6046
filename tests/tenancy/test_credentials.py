"""Credentials are read where they are used, only if nobody else can read them, and never told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from agent.errors import ConfigurationError
from agent.settings import AppSettings
from agent.tenancy import credentials
from connectors.microsoft365.auth import Certificate, ManagedIdentity, Secret

APP = "11111111-2222-3333-4444-555555555555"


def app(**how: object) -> AppSettings:
    client = {} if "managed_identity" in how else {"client_id": APP}
    return AppSettings.model_validate(client | how)


def by_secret(file: object) -> AppSettings:
    return AppSettings.model_validate({"client_id": APP, "secret_file": str(file)})


def kept(path: Path, content: bytes = b"s3cret\n", mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(credentials, "CREDSTORE", tmp_path / "credstore")


def test_a_secret_is_the_line_in_its_file(tmp_path: Path) -> None:
    found = credentials.credential_of(by_secret(kept(tmp_path / "secret")))

    assert found == Secret("s3cret")
    assert "s3cret" not in repr(found)


def test_a_certificate_is_taken_with_its_passphrase(tmp_path: Path, key: bytes) -> None:
    file, passphrase = kept(tmp_path / "key", key), kept(tmp_path / "passphrase", b"open sesame\n")

    found = credentials.credential_of(app(certificate_file=str(file), passphrase_file=str(passphrase)))

    assert found == Certificate(key, "open sesame")


@pytest.mark.parametrize("said", [True, APP])
def test_a_managed_identity_needs_no_file(said: bool | str) -> None:
    assert credentials.credential_of(app(managed_identity=said)) == ManagedIdentity(None if said is True else APP)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622])
def test_a_secret_that_others_may_read_is_none(tmp_path: Path, mode: int) -> None:
    file = kept(tmp_path / "secret", mode=mode)

    with pytest.raises(ConfigurationError, match=f"{file}: others may read this secret. Run: chmod 600 {file}"):
        credentials.credential_of(by_secret(file))


def test_what_systemd_has_given_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its modes are systemd's business: nobody else gets into that directory."""
    (tmp_path / "given").mkdir()
    kept(tmp_path / "given" / "m365-contoso-reader", mode=0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))

    assert credentials.credential_of(by_secret("m365-contoso-reader")) == Secret("s3cret")


def test_a_command_of_root_finds_what_the_service_is_given(tmp_path: Path) -> None:
    (tmp_path / "credstore").mkdir()
    kept(tmp_path / "credstore" / "m365-contoso-reader")

    assert credentials.credential_of(by_secret("m365-contoso-reader")) == Secret("s3cret")


def test_what_systemd_gives_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, content in (("credstore", b"old"), ("given", b"new")):
        (tmp_path / folder).mkdir()
        kept(tmp_path / folder / "name", content)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))

    assert credentials.credential_of(by_secret("name")) == Secret("new")


@pytest.mark.parametrize("named", ["nowhere", "../credstore/name", "folder/name"])
def test_a_name_that_leads_nowhere_is_told(tmp_path: Path, named: str) -> None:
    (tmp_path / "credstore").mkdir()
    kept(tmp_path / "credstore" / "name")

    with pytest.raises(ConfigurationError, match="neither an absolute path nor a credential"):
        credentials.credential_of(by_secret(named))


@pytest.mark.parametrize("content", [b"", b" \n", b"x" * 70_000])
def test_what_cannot_be_a_credential_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="this is no credential"):
        credentials.credential_of(by_secret(kept(tmp_path / "secret", content)))


def test_a_secret_that_is_no_text_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not UTF-8") as told:
        credentials.credential_of(by_secret(kept(tmp_path / "secret", b"s3cret\xff")))
    assert "s3cret" not in str(told.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"{tmp_path}/none: cannot read the credential"):
        credentials.credential_of(by_secret(tmp_path / "none"))


def test_the_day_on_which_a_certificate_expires_is_read_from_it(tmp_path: Path, key: bytes) -> None:
    expires = credentials.expires_at(app(certificate_file=str(kept(tmp_path / "key", key))))

    assert expires is not None
    assert dt.timedelta(days=729) < expires - dt.datetime.now(dt.UTC) <= dt.timedelta(days=730)


def test_what_has_no_certificate_never_expires(tmp_path: Path) -> None:
    broken, other = kept(tmp_path / "broken", b"no certificate"), kept(tmp_path / "other", mode=0o644)

    assert credentials.expires_at(by_secret("x")) is None
    assert credentials.expires_at(app(managed_identity=True)) is None
    assert credentials.expires_at(app(certificate_file=str(broken))) is None
    assert credentials.expires_at(app(certificate_file=str(other))) is None


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "find_spec", lambda name: None)

    with pytest.raises(ConfigurationError, match=r"retentiond\[microsoft365\]"):
        credentials.credential_of(app(managed_identity=True))

"""Signing in: what works, what is refused, and that neither a failure nor a rotation needs a new start."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.errors import NotSignedIn
from connectors.microsoft365.auth import Certificate, ManagedIdentity, Secret, SignIn, Tokens, claims_of
from connectors.microsoft365.clouds import CLOUDS, lacks
from connectors.microsoft365.device_code import DeviceTokens
from connectors.microsoft365.session import Http
from tests.connectors.microsoft365.asking import PASSWORD, SCOPE, calls, tokens_of
from tests.emulator import Emulator, Fault, app_certificate

PEM = app_certificate()
OTHER_PEM = app_certificate()
OTHER_PASSWORD = "of-somebody-else"  # noqa: S105
ROLES = frozenset({"Sites.Read.All", "Files.Read.All"})


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(check=False) as emulator:
        yield emulator


def sign_ins(emulator: Emulator) -> int:
    return len(calls(emulator, "login", "token"))


# The ways


def test_a_secret_signs_in_and_the_token_tells_the_roles(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(roles=set(ROLES), secret=PASSWORD)
    tokens = tokens_of(emulator, app)
    assert tokens.roles() == ROLES
    assert set(tokens.callback()) == {"access_token", "token_type"}
    assert emulator.tokens.peek(f"Bearer {tokens.callback()['access_token']}") is not None
    assert sign_ins(emulator) == 1, "a token is used until it ends"
    tokens.close()
    tokens.close()


def test_a_certificate_signs_in_with_ps256_and_is_named_by_sha_256(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(roles=set(ROLES), certificate=PEM)
    tokens = tokens_of(emulator, app, credential=Certificate(PEM))
    assert tokens.roles() == ROLES
    form = calls(emulator, "login", "token")[0].body.decode()
    assertion = form.split("client_assertion=")[1].split("&")[0]
    head = json.loads(base64.urlsafe_b64decode(assertion.split(".")[0] + "=="))
    assert head["alg"] == "PS256"
    assert "x5t#S256" in head
    assert "x5t" not in head
    tokens.close()


def test_a_certificate_with_a_passphrase_signs_in(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(roles=set(ROLES), certificate=PEM)
    key = load_pem_private_key(PEM, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    locked = key + PEM[PEM.index(b"-----BEGIN CERTIFICATE") :]
    assert tokens_of(emulator, app, credential=Certificate(locked, "open sesame")).roles() == ROLES
    for passphrase in (None, "wrong"):
        with pytest.raises(NotSignedIn, match="certificate file"):
            tokens_of(emulator, app, credential=Certificate(locked, passphrase)).callback()


@pytest.mark.parametrize("pem", [b"", b"nonsense", b"\xff\xfe", PEM[PEM.index(b"-----BEGIN CERTIFICATE") :]])
def test_a_certificate_file_without_a_key_is_told_before_anybody_is_asked(emulator: Emulator, pem: bytes) -> None:
    app = emulator.tenant.add_app(certificate=PEM)
    with pytest.raises(NotSignedIn, match="certificate file"):
        tokens_of(emulator, app, credential=Certificate(pem)).callback()
    assert calls(emulator, "login") == []


@pytest.mark.parametrize("client_id", [None, "named"])
def test_the_identity_of_the_machine_signs_in(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, client_id: str | None
) -> None:
    app = emulator.tenant.add_app(roles=set(ROLES), managed_identity=True)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.imds_url)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # the machine's own service is not behind a proxy
    credential = ManagedIdentity(app.client_id if client_id else None)
    tokens = Tokens(SignIn("tenant", "", credential, "https://login.example", SCOPE), Http(proxy="http://127.0.0.1:1"))
    assert tokens.roles() == ROLES
    asked = calls(emulator, "imds")[-1]
    assert asked.query["resource"] == "https://graph.microsoft.com"
    assert asked.query.get("client_id") == (app.client_id if client_id else None)
    tokens.close()


def test_an_app_service_gives_its_identity_too(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.tenant.add_app(roles=set(ROLES), managed_identity=True)
    monkeypatch.setenv("IDENTITY_ENDPOINT", emulator.imds_url + "/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "emulated-identity-header")
    tokens = Tokens(SignIn("tenant", "", ManagedIdentity(), "https://login.example", SCOPE), Http())
    assert tokens.roles() == ROLES
    tokens.close()


# Refusals and failures


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_tells_its_code_and_no_words(emulator: Emulator, status: int) -> None:
    emulator.entra.invalid_client_status = status
    app = emulator.tenant.add_app(secret=PASSWORD)
    with pytest.raises(NotSignedIn) as refused:
        tokens_of(emulator, app, credential=Secret("not-this-one")).callback()
    assert "invalid_client, AADSTS7000215" in str(refused.value)
    assert refused.value.temporary
    told = f"{refused.value!r}{refused.value.__cause__}{refused.value.__context__}"
    for kept in ("not-this-one", app.client_id, emulator.tenant.id):
        assert kept not in told


def test_an_unknown_tenant_or_application_is_a_refusal_too(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(secret=PASSWORD)
    for tenant, client in ((emulator.tenant.id, "00000000-0000-0000-0000-000000000000"), ("nobody", app.client_id)):
        sign_in = SignIn(tenant, client, Secret(PASSWORD), emulator.login_url, SCOPE, known_login=False)
        with pytest.raises(NotSignedIn):
            Tokens(sign_in, Http(emulator.ca_file)).callback()


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "body": "<html>busy</html>"},
        {"status": 429, "retry_after": "2", "body": {"error": "temporarily_unavailable"}},
        {"reset": "after"},
        {"status": 200, "body": "not JSON"},
        {"status": 200, "body": {}},
        {"status": 200, "body": {"access_token": ""}},
        {"status": 302, "headers": {"Location": "https://evil.example/"}, "body": ""},
    ],
)
@pytest.mark.parametrize("path", ["openid-configuration", "oauth2/v2.0/token"])
def test_a_sign_in_service_in_trouble_is_asked_again_later(
    emulator: Emulator, fault: dict[str, Any], path: str
) -> None:
    clock = Clock()
    app = emulator.tenant.add_app(roles=set(ROLES), secret=PASSWORD)
    emulator.faults.add(Fault(host="login", path=path, times=1, **fault))
    tokens = tokens_of(emulator, app, now=clock)
    with pytest.raises(NotSignedIn):
        tokens.callback()
    asked = len(calls(emulator, "login"))
    with pytest.raises(NotSignedIn):
        tokens.callback()
    assert len(calls(emulator, "login")) == asked, "not at once"
    clock.now += 5.1
    assert tokens.roles() == ROLES


def test_a_service_that_cannot_be_reached_when_we_start_does_not_matter_later() -> None:
    clock = Clock()
    sign_in = SignIn("tenant", "client", Secret(PASSWORD), "https://localhost:1", SCOPE, known_login=False)
    tokens = Tokens(sign_in, Http(), now=clock)
    with pytest.raises(NotSignedIn, match="cannot be reached"):
        tokens.callback()


def test_the_pause_between_refusals_grows_to_five_minutes_and_no_further(emulator: Emulator) -> None:
    clock = Clock()
    app = emulator.tenant.add_app(secret=OTHER_PASSWORD)
    tokens = tokens_of(emulator, app, now=clock)
    seen = []
    for _ in range(9):
        with pytest.raises(NotSignedIn):
            tokens.callback()
        before, asked = clock.now, sign_ins(emulator)
        while sign_ins(emulator) == asked:
            clock.now += 5.0
            with pytest.raises(NotSignedIn):
                tokens.callback()
        seen.append(clock.now - before)
    assert seen[:3] == [5, 10, 20]
    assert seen[-2:] == [300, 300]


# Rotation


def test_a_rotated_secret_is_picked_up_at_once_though_the_library_replays_refusals(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(roles=set(ROLES), secret=PASSWORD)
    kept = [PASSWORD]
    tokens = tokens_of(emulator, app, credential=lambda: Secret(kept[0]))
    tokens.callback()
    app.rotate_secret("the-new-one")
    with pytest.raises(NotSignedIn):
        tokens.renew()
    kept[0] = "the-new-one"
    assert tokens.roles() == ROLES


def test_a_secret_that_was_rotated_here_before_the_old_one_is_refused_needs_no_refusal_to_be_told(
    emulator: Emulator,
) -> None:
    app = emulator.tenant.add_app(roles=set(ROLES), secret=PASSWORD)
    kept = [PASSWORD]
    tokens = tokens_of(emulator, app, credential=lambda: Secret(kept[0]))
    tokens.callback()
    app.rotate_secret("the-new-one")
    kept[0] = "the-new-one"
    tokens.renew()
    assert tokens.roles() == ROLES


def test_a_secret_that_was_rotated_while_the_token_ran_out_is_read_again(emulator: Emulator) -> None:
    emulator.tokens.lifetime_seconds = 60  # the library renews five minutes before the end: at every call
    app = emulator.tenant.add_app(roles=set(ROLES), secret=PASSWORD)
    kept = [PASSWORD]
    tokens = tokens_of(emulator, app, credential=lambda: Secret(kept[0]))
    tokens.callback()
    app.rotate_secret(OTHER_PASSWORD)
    kept[0] = OTHER_PASSWORD
    assert tokens.roles() == ROLES
    assert tokens.issued == 2


def test_the_same_secret_works_again_when_the_service_takes_it_again(emulator: Emulator) -> None:
    clock = Clock()
    app = emulator.tenant.add_app(roles=set(ROLES), secret=OTHER_PASSWORD)
    tokens = tokens_of(emulator, app, now=clock)
    with pytest.raises(NotSignedIn):
        tokens.callback()
    app.rotate_secret(PASSWORD)
    clock.now += 6
    assert tokens.roles() == ROLES


def test_a_rotated_certificate_is_picked_up(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(roles=set(ROLES), certificate=PEM)
    kept = [PEM]
    tokens = tokens_of(emulator, app, credential=lambda: Certificate(kept[0]))
    tokens.callback()
    app.rotate_certificate(OTHER_PEM)
    kept[0] = OTHER_PEM
    tokens.renew()
    assert tokens.roles() == ROLES


def test_a_credential_that_cannot_be_read_is_not_signed_in(emulator: Emulator) -> None:
    def unreadable() -> Secret:
        raise NotSignedIn("the credential file is not there")

    app = emulator.tenant.add_app(secret=PASSWORD)
    tokens = tokens_of(emulator, app, credential=unreadable)
    for _ in range(2):
        with pytest.raises(NotSignedIn, match="is not there"):
            tokens.callback()

    def broken() -> Secret:
        raise OSError("/etc/retentiond/secret")

    with pytest.raises(NotSignedIn) as refused:
        tokens_of(emulator, app, credential=broken).callback()
    assert "/etc" not in str(refused.value)


# Renewal


def test_a_renewal_for_a_token_that_was_already_replaced_does_nothing(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(secret=PASSWORD)
    tokens = tokens_of(emulator, app)
    tokens.callback()
    refused = tokens.issued
    tokens.renew(refused)
    tokens.renew(refused)
    assert sign_ins(emulator) == 2
    assert tokens.issued == refused + 1


def test_many_threads_sign_in_once(emulator: Emulator) -> None:
    app = emulator.tenant.add_app(secret=PASSWORD)
    tokens = tokens_of(emulator, app)
    threads = [threading.Thread(target=tokens.callback, daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sign_ins(emulator) == 1


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.!.c", "a.W10.c", "a." + "W" * 100_000 + ".c"])
def test_a_token_of_another_form_tells_nothing(token: str) -> None:
    assert claims_of(token) == {}


# A person


def device(emulator: Emulator, **settings: Any) -> DeviceTokens:
    app = emulator.tenant.add_app(scopes={"Sites.FullControl.All"})
    defaults: dict[str, Any] = {"sleep": emulator.clock.advance, "now": emulator.clock.time}
    return DeviceTokens(
        emulator.tenant.id,
        app.client_id,
        emulator.login_url,
        ["https://graph.microsoft.com/Sites.FullControl.All"],
        Http(emulator.ca_file),
        known_login=False,
        **(defaults | settings),
    )


def test_a_person_signs_in_elsewhere_with_a_code(emulator: Emulator) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 7:
            emulator.approve_device(code.user_code)

    tokens = device(emulator, sleep=sleep)
    assert tokens.issued == 0
    code = tokens.begin()
    assert code.url.startswith("https://")
    assert code.lives_seconds > 60
    assert code.user_code not in repr(code)
    tokens.finish()
    assert tokens.roles() == {"Sites.FullControl.All"}
    assert tokens.issued == 1
    assert max(slept) <= 1.0
    with pytest.raises(NotSignedIn, match="again"):
        tokens.renew(1)
    tokens.close()
    with pytest.raises(NotSignedIn, match="yet"):
        tokens.callback()


def test_a_person_who_says_no_is_not_signed_in(emulator: Emulator) -> None:
    tokens = device(emulator)
    emulator.decline_device(tokens.begin().user_code)
    with pytest.raises(NotSignedIn, match="authorization_declined"):
        tokens.finish()


def test_a_code_that_nobody_uses_ends(emulator: Emulator) -> None:
    tokens = device(emulator, sleep=lambda seconds: emulator.clock.advance(30 * seconds))
    lives = tokens.begin().lives_seconds
    began = emulator.clock.time()
    with pytest.raises(NotSignedIn, match="nobody has signed in"):
        tokens.finish()
    assert lives <= emulator.clock.time() - began <= lives + 60


@pytest.mark.filterwarnings("ignore:Attempted too soon")  # the library goes by the clock on the wall
def test_who_is_told_to_ask_less_often_does(emulator: Emulator) -> None:
    emulator.faults.add(Fault(host="login", path="v2.0/token", status=400, body={"error": "slow_down"}, times=2))
    slept: list[float] = []
    tokens = device(emulator, sleep=slept.append)
    emulator.approve_device(tokens.begin().user_code)
    tokens.finish()
    assert sum(slept) >= 6 + 11


@pytest.mark.parametrize("fault", [{"status": 503, "body": "x"}, {"status": 200, "body": {"user_code": 7}}])
def test_a_sign_in_service_that_gives_no_code_is_told(emulator: Emulator, fault: dict[str, Any]) -> None:
    emulator.faults.add(Fault(host="login", path="devicecode", **fault))
    with pytest.raises(NotSignedIn):
        device(emulator).begin()


# Clouds


def test_every_cloud_says_where_it_is_and_what_it_lacks() -> None:
    assert set(CLOUDS) == {"global", "gcc", "gcc_high", "dod", "china"}
    for name, cloud in CLOUDS.items():
        assert cloud.name == name
        assert cloud.login.startswith("https://login.")
        assert cloud.root == f"{cloud.graph}/v1.0"
        assert cloud.scope == f"{cloud.graph}/.default"
        assert isinstance(lacks(name), frozenset)
    with pytest.raises(KeyError):
        lacks("moon")


def test_gcc_is_behind_the_worldwide_endpoints() -> None:
    assert (CLOUDS["gcc"].login, CLOUDS["gcc"].graph) == (CLOUDS["global"].login, CLOUDS["global"].graph)
    assert CLOUDS["gcc_high"].graph == "https://graph.microsoft.us"


def test_mail_is_deleted_permanently_in_the_worldwide_cloud_only() -> None:
    assert [name for name in CLOUDS if "message.permanentDelete" not in lacks(name)] == ["global", "gcc"]
    assert "message.delta" in lacks("china")


def test_nothing_secret_is_in_what_is_shown_of_a_sign_in() -> None:
    credential = Certificate(PEM, "open sesame")
    shown = f"{credential!r}{Secret(PASSWORD)!r}{SignIn('t', 'c', credential, 'https://l', SCOPE)!r}"
    for kept in ("BEGIN", "open sesame", PASSWORD):
        assert kept not in shown

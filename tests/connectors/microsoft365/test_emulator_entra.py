"""The emulator's login host and managed identity, as MSAL and as plain requests see them."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import msal
import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509 import load_pem_x509_certificate

from tests.emulator import App, Emulator, app_certificate
from tests.emulator.imds import APP_SERVICE_HEADER

RIGHT, WRONG = "right", "wrong"
SCOPE = ["https://graph.microsoft.com/.default"]
CERTIFICATE = app_certificate()
OTHER_CERTIFICATE = app_certificate()


class Session(requests.Session):
    """Trusts the emulator's authority and nothing that the environment says."""

    def __init__(self, ca_file: str) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = ca_file


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator(check=False) as graph:
        yield graph


@pytest.fixture
def http(graph: Emulator) -> Iterator[Session]:
    with Session(graph.ca_file) as session:
        yield session


def client(graph: Emulator, http: Session, app: App, credential: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        app.client_id,
        client_credential=credential,
        authority=f"{graph.login_url}/{graph.tenant.id}",
        instance_discovery=False,
        http_client=http,
    )


def credential(pem: bytes) -> dict[str, str]:
    text = pem.decode()
    at = text.index("-----BEGIN CERTIFICATE")
    return {"private_key": text[:at], "public_certificate": text[at:]}


def organisation(graph: Emulator, http: Session, token: str) -> requests.Response:
    return http.get(f"{graph.graph_url}/organization", headers={"Authorization": f"Bearer {token}"})


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def token_request(graph: Emulator, http: Session, app: App, **form: str) -> requests.Response:
    data = {"grant_type": "client_credentials", "client_id": app.client_id, "scope": SCOPE[0]} | form
    return http.post(f"{graph.login_url}/{graph.tenant.id}/oauth2/v2.0/token", data=data)


def test_a_secret_buys_a_token_that_tells_the_roles(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(roles={"Sites.Read.All", "User.Read.All"}, secret=RIGHT)
    token = client(graph, http, app, RIGHT).acquire_token_for_client(SCOPE)["access_token"]
    told = claims(token)
    assert (told["roles"], told["appid"], told["tid"]) == (
        ["Sites.Read.All", "User.Read.All"],
        app.client_id,
        graph.tenant.id,
    )
    assert organisation(graph, http, token).status_code != 401


def test_a_wrong_secret_is_refused_in_entras_words(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(secret=RIGHT)
    answer = client(graph, http, app, WRONG).acquire_token_for_client(SCOPE)
    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]
    assert answer["error_description"].startswith("AADSTS7000215")


def test_an_unknown_application_is_refused(graph: Emulator, http: Session) -> None:
    app = App(str(uuid.uuid4()), (), ())
    answer = token_request(graph, http, app, client_secret=WRONG)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [700016])


def test_an_unknown_tenant_is_refused(graph: Emulator, http: Session) -> None:
    answer = http.post(f"{graph.login_url}/{uuid.uuid4()}/oauth2/v2.0/token", data={"client_id": "any"})
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])
    answer = http.get(f"{graph.login_url}/{uuid.uuid4()}/v2.0/.well-known/openid-configuration")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_tenant")


def test_a_registered_certificate_signs_in_with_both_kinds_of_thumbprint(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(certificate=CERTIFICATE)
    modern = credential(CERTIFICATE)
    sha1 = load_pem_x509_certificate(modern["public_certificate"].encode()).fingerprint(hashes.SHA1()).hex()  # noqa: S303
    older = {"private_key": modern["private_key"], "thumbprint": sha1}
    for each in (modern, older):
        assert "access_token" in client(graph, http, app, each).acquire_token_for_client(SCOPE)


def test_another_certificate_does_not_sign_in(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(certificate=CERTIFICATE)
    answer = client(graph, http, app, credential(OTHER_CERTIFICATE)).acquire_token_for_client(SCOPE)
    assert answer["error_codes"] == [700027]


def test_an_expired_certificate_does_not_sign_in(graph: Emulator, http: Session) -> None:
    expired = app_certificate(days=-1)
    app = graph.tenant.add_app(certificate=expired)
    answer = client(graph, http, app, credential(expired)).acquire_token_for_client(SCOPE)
    assert (answer["error_codes"], "expired" in answer["error_description"]) == ([700027], True)


def assertion(graph: Emulator, app: App, signed_by: bytes = CERTIFICATE, **changes: Any) -> str:
    """A client assertion made by hand, so that each of its parts can be wrong."""
    key = serialization.load_pem_private_key(signed_by, None)
    certificate = load_pem_x509_certificate(credential(CERTIFICATE)["public_certificate"].encode())
    now = time.time()
    body = {
        "aud": f"{graph.login_url}/{graph.tenant.id}/oauth2/v2.0/token",
        "iss": app.client_id,
        "sub": app.client_id,
        "exp": now + 600,
        "nbf": now,
        "jti": str(uuid.uuid4()),
    } | changes
    head = {"alg": "PS256", "x5t#S256": b64(certificate.fingerprint(hashes.SHA256()))}
    text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body).encode())}"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    return f"{text}.{b64(key.sign(text.encode(), pss, hashes.SHA256()))}"  # type: ignore[union-attr, call-arg, arg-type]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_in(graph: Emulator, http: Session, app: App, text: str) -> requests.Response:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return token_request(graph, http, app, client_assertion=text, client_assertion_type=kind)


def test_an_assertion_is_verified_in_all_its_parts(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(certificate=CERTIFICATE)
    assert sign_in(graph, http, app, assertion(graph, app)).status_code == 200
    wrong = {
        "signed with another key": (assertion(graph, app, signed_by=OTHER_CERTIFICATE), 700027),
        "for somebody else": (assertion(graph, app, aud="https://login.example/token"), 700023),
        "by somebody else": (assertion(graph, app, iss=str(uuid.uuid4())), 700021),
        "too old": (assertion(graph, app, exp=time.time() - 3600), 700024),
        "not yet valid": (assertion(graph, app, nbf=time.time() + 3600), 700024),
        "without an id": (assertion(graph, app, jti=""), 700026),
        "not a token": ("abc", 50027),
    }
    answers = {why: sign_in(graph, http, app, text).json()["error_codes"] for why, (text, _) in wrong.items()}
    assert answers == {why: [code] for why, (_, code) in wrong.items()}


def test_an_assertion_works_once(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(certificate=CERTIFICATE)
    text = assertion(graph, app)
    assert sign_in(graph, http, app, text).status_code == 200
    assert sign_in(graph, http, app, text).json()["error_codes"] == [700026]


def test_after_a_rotation_only_the_new_credentials_work(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(secret=WRONG, certificate=CERTIFICATE)
    app.rotate_secret(RIGHT)
    app.rotate_certificate(OTHER_CERTIFICATE)
    results = [
        client(graph, http, app, each).acquire_token_for_client(SCOPE).get("error")
        for each in (WRONG, RIGHT, credential(CERTIFICATE), credential(OTHER_CERTIFICATE))
    ]
    assert results == ["invalid_client", None, "invalid_client", None]


def test_a_device_code_waits_for_the_person(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(scopes={"Sites.FullControl.All"})
    public = msal.PublicClientApplication(
        app.client_id,
        authority=f"{graph.login_url}/{graph.tenant.id}",
        instance_discovery=False,
        http_client=http,
    )
    flow = public.initiate_device_flow(SCOPE)
    flow["expires_at"] = 0  # MSAL asks once, and does not wait
    assert public.acquire_token_by_device_flow(flow)["error"] == "authorization_pending"
    graph.approve_device(flow["user_code"])
    token = public.acquire_token_by_device_flow(flow)["access_token"]
    assert claims(token)["scp"] == "Sites.FullControl.All"
    assert "roles" not in claims(token)


def test_a_person_may_decline_and_a_device_code_expires(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(scopes={"Sites.FullControl.All"})
    url = f"{graph.login_url}/{graph.tenant.id}/oauth2/v2.0"
    codes = [http.post(f"{url}/devicecode", data={"client_id": app.client_id}).json() for _ in range(2)]
    graph.decline_device(codes[0]["user_code"])

    def error(code: dict[str, str]) -> str:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": app.client_id}
        return http.post(f"{url}/token", data=form | {"device_code": code["device_code"]}).json()["error"]

    assert error(codes[0]) == "authorization_declined"
    assert error(codes[1]) == "authorization_pending"
    graph.clock.advance(1000)
    assert error(codes[1]) == "expired_token"


def test_a_token_ends_with_the_emulators_clock(graph: Emulator, http: Session) -> None:
    token = graph.token_for(graph.tenant.add_app(roles={"Sites.Read.All"}))
    assert organisation(graph, http, token).status_code != 401
    graph.clock.advance(3600)
    refused = organisation(graph, http, token)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_revoked_token_is_refused_and_a_new_one_works(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(roles={"Sites.Read.All"})
    old = graph.token_for(app)
    graph.revoke_tokens()
    assert organisation(graph, http, old).status_code == 401
    assert organisation(graph, http, graph.token_for(app)).status_code != 401


def test_a_call_needs_a_role_that_suffices(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(roles={"User.Read.All"})
    site = graph.tenant.add_site("HR", path="/sites/hr")

    def read(token: str) -> int:
        url = f"{graph.graph_url}/sites/{site.id}/drives"
        return http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code

    before = graph.token_for(app)
    app.roles.add("Sites.Read.All")
    after = graph.token_for(app)
    assert (read(before), read(after)) == (403, 200), "a new role is in new tokens"
    app.roles.discard("Sites.Read.All")
    assert read(after) == 403, "a role that is taken away is gone at once"


def test_sites_selected_opens_the_sites_that_were_granted(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(roles={"Sites.Selected"})
    granted, other = (graph.tenant.add_site(name, path=f"/sites/{name}") for name in ("hr", "legal"))
    graph.tenant.grant(app, granted, "read")
    headers = {"Authorization": f"Bearer {graph.token_for(app)}"}
    sites = [http.get(f"{graph.graph_url}/sites/{each.id}/drives", headers=headers) for each in (granted, other)]
    assert [answer.status_code for answer in sites] == [200, 403]
    assert sites[1].json()["error"]["code"] == "accessDenied"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer made.up.token", "Basic abc"])
def test_without_a_token_nothing_is_answered(graph: Emulator, http: Session, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = http.get(f"{graph.graph_url}/organization", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_the_metadata_service_knows_a_managed_identity(graph: Emulator, http: Session) -> None:
    app = graph.tenant.add_app(roles={"Sites.Read.All"}, managed_identity=True)
    url = f"{graph.imds_url}/metadata/identity/oauth2/token"
    asked = {"resource": "https://graph.microsoft.com", "api-version": "2018-02-01"}
    assert http.get(url, params=asked).status_code == 400, "the Metadata header is required"
    answer = http.get(url, params=asked, headers={"Metadata": "true"}).json()
    assert claims(answer["access_token"])["appid"] == app.client_id
    wrong = http.get(url, params=asked | {"client_id": str(uuid.uuid4())}, headers={"Metadata": "true"})
    assert wrong.json()["error_description"] == "Identity not found"
    wrong = http.get(url, params=asked | {"resource": "https://vault.azure.net"}, headers={"Metadata": "true"})
    assert wrong.json()["error"] == "invalid_resource"


def test_msal_signs_in_as_a_managed_identity(graph: Emulator, http: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    app = graph.tenant.add_app(roles={"Sites.Read.All"}, managed_identity=True)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", graph.imds_url)
    machine = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=http)
    answer = machine.acquire_token_for_client(resource="https://graph.microsoft.com")
    assert claims(answer["access_token"])["appid"] == app.client_id
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{graph.imds_url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", APP_SERVICE_HEADER)
    service = msal.ManagedIdentityClient(msal.UserAssignedManagedIdentity(client_id=app.client_id), http_client=http)
    answer = service.acquire_token_for_client(resource="https://graph.microsoft.com")
    assert claims(answer["access_token"])["roles"] == ["Sites.Read.All"]


def test_app_service_wants_its_header(graph: Emulator, http: Session) -> None:
    graph.tenant.add_app(managed_identity=True)
    asked = {"resource": "https://graph.microsoft.com"}
    assert http.get(f"{graph.imds_url}/msi/token", params=asked).status_code == 401

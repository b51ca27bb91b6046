"""Pre-authenticated links: they are signed, work for a while, and want no bearer.

A bearer that comes along is not refused, since the real service does not refuse it either; the log knows it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import urllib.parse
from collections.abc import Iterator

from tests.emulator.apps import App, Apps
from tests.emulator.calls import Call
from tests.emulator.clock import Clock
from tests.emulator.front import Desk
from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.throttle import Payer, Throttle

_COST = 1


class Downloads(Desk):
    """Signs links, and answers those who come with one; Range is honoured."""

    ranges = True

    def __init__(self, routes: Routes, apps: Apps, throttle: Throttle, clock: Clock) -> None:
        self._routes = routes
        self._apps = apps
        self._throttle = throttle
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def sign(self, path: str, app: App | None, lifetime_seconds: float) -> str:
        """Path and query of a link that works for so long by the emulator's clock."""
        path, _, query = path.partition("?")
        pairs = urllib.parse.parse_qsl(query)
        pairs += [("app", "" if app is None else app.client_id)]
        pairs += [("expiry", str(int(self._clock.time() + lifetime_seconds)))]
        pairs += [("tempauth", self._signature(path, pairs))]
        return f"{urllib.parse.quote(path, safe='/!')}?{urllib.parse.urlencode(pairs)}"

    @contextlib.contextmanager
    def admit(self, request: Request, call: Call, arrived: float) -> Iterator[None]:
        request.app = self._apps.of(request.query.get("app", ""))
        if request.app is None:
            yield
            return
        call.app, call.cost = request.app.client_id, _COST
        with self._throttle.turn(Payer(request.app.client_id, "spo"), arrived, request.connection):
            yield

    def answer(self, request: Request, call: Call) -> Reply:
        pairs = [(name, value) for name, value in request.query.items() if name != "tempauth"]
        expected = self._signature(request.path, pairs)
        if not hmac.compare_digest(expected, request.query.get("tempauth", "")):
            raise Problem(401, "unauthenticated", "The link is not valid.")
        if float(request.query["expiry"]) <= self._clock.time():
            raise Problem(401, "unauthenticated", "The link has expired.")
        told = {} if request.app is None else self._throttle.pay(Payer(request.app.client_id, "spo"), _COST)
        found = self._routes.find("DOWNLOAD", request.path)
        if request.method != "GET" or found is None:
            raise Problem(404, "itemNotFound", "The resource could not be found.")
        request.route, request.params = found
        call.template = request.route.template
        reply = request.route.handler(request)
        reply.headers.update(told)
        return reply

    def told_to_wait(self, request: Request, seconds: float) -> None:
        if request.app is not None:
            self._throttle.close_gate(Payer(request.app.client_id, "spo"), seconds, request.connection)

    def _signature(self, path: str, pairs: list[tuple[str, str]]) -> str:
        return "v1." + hmac.new(self._key, repr((path, pairs)).encode(), hashlib.sha256).hexdigest()[:40]

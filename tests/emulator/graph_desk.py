"""What the graph host does with a call: who is it, may it, what does it cost, and which route answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.emulator.calls import Call
from tests.emulator.contract import Contract
from tests.emulator.front import Books, Desk
from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.throttle import Payer, Throttle
from tests.emulator.tokens import Tokens


class GraphDesk(Desk):
    """Bearer, throttling, roles and routes; every call and answer is held against the contract, if there is one."""

    def __init__(
        self, routes: Routes, tokens: Tokens, throttle: Throttle, books: Books, contract: Contract | None
    ) -> None:
        self._routes = routes
        self._tokens = tokens
        self._throttle = throttle
        self._books = books
        self._contract = contract

    @contextlib.contextmanager
    def admit(self, request: Request, call: Call, arrived: float) -> Iterator[None]:
        if self._contract is not None:
            self._contract.check_request(request)
        found = self._routes.find(request.method, request.path)
        if found is not None:
            request.route, request.params = found
            call.template, call.cost = request.route.template, request.route.cost_of(request)
        token = self._tokens.peek(request.headers.get("Authorization"))
        if token is None:
            yield
            return
        request.app, request.delegated = token.app, token.delegated
        request.roles = token.permissions & (token.app.scopes if token.delegated else token.app.roles)
        call.app = token.app.client_id
        payer = _payer(request, token.app.client_id)
        with self._throttle.turn(payer, arrived, request.connection):
            yield

    def answer(self, request: Request, call: Call) -> Reply:
        token = self._tokens.check(request.headers.get("Authorization"))
        told = self._throttle.pay(_payer(request, token.app.client_id), call.cost)
        route = request.route
        if route is None:
            raise self._no_such_path(request)
        if not route.admits(request):
            code = "ErrorAccessDenied" if route.workload == "exchange" else "accessDenied"
            raise Problem(403, code, "Access denied. Check credentials and try again.")
        reply = route.handler(request)
        reply.headers.update(told)
        return reply

    def told_to_wait(self, request: Request, seconds: float) -> None:
        if request.app is not None:
            self._throttle.close_gate(_payer(request, request.app.client_id), seconds, request.connection)

    def check(self, request: Request, reply: Reply) -> None:
        if self._contract is not None:
            self._contract.check_answer(request, reply)

    def _no_such_path(self, request: Request) -> Problem:
        if self._routes.methods(request.path):
            return Problem(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        if self._contract is not None and self._contract.knows(request):
            self._books.breakdowns.append(f"{request.method} {request.path}: described, but the emulator has no route")
        return Problem(400, "BadRequest", "Resource not found for the segment.")


def _payer(request: Request, client_id: str) -> Payer:
    workload = "spo" if request.route is None else request.route.workload
    return Payer(client_id, workload, request.params.get("user") if workload == "exchange" else None)

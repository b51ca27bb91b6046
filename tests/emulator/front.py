"""What every host has in common: a call is noted, faults strike, it is answered, and the answer goes over the wire."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import traceback
import urllib.parse
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from tests.emulator.calls import Call
from tests.emulator.clock import Clock
from tests.emulator.faults import Fault, Faults, Hooks
from tests.emulator.http import Content, Headers, Problem, Reply, Request, Service, decoded
from tests.emulator.server import ConnectionGone, Incoming, Outgoing, Wire
from tests.emulator.throttle import TooEarly

_WORTH_PACKING_BYTES = 1400
_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_LONG_AGO = 0.0


@dataclasses.dataclass
class Books:
    """What all hosts write in and read from."""

    clock: Clock
    faults: Faults
    hooks: Hooks
    log: list[Call] = dataclasses.field(default_factory=list)
    breakdowns: list[str] = dataclasses.field(default_factory=list)  # bugs of the emulator itself


class Desk:
    """What a host does with a call. This one only says yes; hosts with more to say redefine what they need."""

    ranges = False  # whether a Range header is honoured

    def admit(self, request: Request, call: Call, arrived: float) -> AbstractContextManager[None]:
        """May refuse a call before anything else; what it gives is left when the call has been answered."""
        return nullcontext()

    def answer(self, request: Request, call: Call) -> Reply:
        """The answer; Problem is one too."""
        return Reply(200, {"value": []})

    def told_to_wait(self, request: Request, seconds: float) -> None:
        """The caller is being told to wait for so long."""

    def check(self, request: Request, reply: Reply) -> None:
        """Look over an answer that goes out as the route gave it."""


class Front:
    """One host as the wire sees it."""

    def __init__(self, name: str, books: Books, service: Service, desk: Desk, *, root: str = "") -> None:
        self._name = name
        self._books = books
        self._service = service
        self._desk = desk
        self._root = root

    def __call__(self, incoming: Incoming, wire: Wire) -> None:
        """Answer one call."""
        request = self._request(incoming.method, incoming.raw_path, incoming.raw_query, incoming.headers, incoming.body)
        request.connection = incoming.connection
        call = self._note(request)
        with ExitStack() as admitted:
            reply, fault = self._reply(request, call, incoming.arrived, admitted, wire)
            if fault is not None and fault.reset is not None:
                wire.reset()
            if self._desk.ranges and not (fault is not None and fault.ignore_range):
                reply = _ranged(request, reply)
            call.status = reply.status
            wire.send(self._outgoing(request, reply, fault))

    def inside(self, request: Request, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """A call that came in a batch: like any other, except that nothing can happen to a wire it does not have."""
        path, _, query = url.partition("?")
        inner = self._request(method, self._root + path, query, Headers({**request.headers, **Headers(headers)}), body)
        inner.connection = request.connection
        call = self._note(inner)
        call.in_batch = True
        with ExitStack() as admitted:
            reply, _ = self._reply(inner, call, _LONG_AGO, admitted, None)  # its batch came before any gate closed
        call.status = reply.status
        return reply

    def _request(self, method: str, raw_path: str, raw_query: str, headers: Headers, body: bytes) -> Request:
        return Request(
            method,
            decoded(raw_path.removeprefix(self._root)),
            dict(urllib.parse.parse_qsl(raw_query, keep_blank_values=True)) if raw_query else {},
            headers,
            body,
            self._books.clock.now(),
            self._service,
            raw_path=raw_path,
        )

    def _note(self, request: Request) -> Call:
        call = Call(
            self._books.clock.time(),
            self._name,
            request.method,
            request.path,
            request.query,
            request.headers,
            request.body,
            connection=request.connection,
        )
        self._books.log.append(call)
        return call

    def _reply(
        self, request: Request, call: Call, arrived: float, admitted: ExitStack, wire: Wire | None
    ) -> tuple[Reply, Fault | None]:
        fault = None
        target = request.path + ("?" + "&".join(f"{k}={v}" for k, v in request.query.items()) if request.query else "")
        try:
            admitted.enter_context(self._desk.admit(request, call, arrived))
            fault = self._books.faults.strike(self._name, request.method, target)
            if fault is not None:
                instead = self._instead(request, fault, wire)
                if instead is not None:
                    return instead, fault
            self._books.hooks.run("before", request, target)
            reply = self._desk.answer(request, call)
            self._books.hooks.run("after", request, target)
        except Problem as problem:
            call.gate_closed = isinstance(problem, TooEarly)
            reply = self._of_problem(request, problem)
        except ConnectionGone:
            raise
        except Exception:  # noqa: BLE001 - a bug of the emulator is told at the end of the run, not swallowed
            self._books.breakdowns.append(f"{request.method} {target}\n{traceback.format_exc()}")
            reply = envelope(Problem(500, "generalException", "The emulator itself failed."), request)
        if fault is not None and fault.changes_the_answer and isinstance(reply.body, dict):
            _edit(reply.body, fault)
        else:
            self._desk.check(request, reply)
        return reply, fault

    def _instead(self, request: Request, fault: Fault, wire: Wire | None) -> Reply | None:
        """What a fault says in place of the answer, if it does."""
        if wire is not None and fault.delay_seconds:
            wire.wait(fault.delay_seconds)
        if wire is not None and fault.reset == "before":
            wire.reset()
        if fault.status is None:
            return None
        headers = fault.headers | fault.retry_header(self._books.clock.time())
        seconds = fault.closes_gate_for()
        if seconds is not None and fault.status in (429, 503):
            self._desk.told_to_wait(request, seconds)
        if fault.body is None:
            problem = Problem(fault.status, fault.code, fault.message, fault.inner, headers)
            return envelope(problem, request) if fault.status >= 400 else Reply(fault.status, None, headers)
        body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        if isinstance(body, bytes):
            headers.setdefault("Content-Type", "text/html; charset=utf-8")
        return Reply(fault.status, body, headers)

    def _of_problem(self, request: Request, problem: Problem) -> Reply:
        wait = problem.headers.get("Retry-After", "")
        if problem.status in (429, 503) and wait.isdecimal():
            self._desk.told_to_wait(request, float(wait))
        return envelope(problem, request)

    def _outgoing(self, request: Request, reply: Reply, fault: Fault | None) -> Outgoing:
        headers = {"request-id": str(uuid.uuid4())}
        if "client-request-id" in request.headers:
            headers["client-request-id"] = request.headers["client-request-id"]
        headers |= reply.headers
        body: Any = reply.body
        length = None
        if isinstance(body, dict | list):
            headers.setdefault("Content-Type", _JSON)
            body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            if fault is not None and fault.garble is not None:
                body = fault.garble(body)
            if len(body) > _WORTH_PACKING_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, compresslevel=1)
        elif isinstance(body, Content):
            headers.setdefault("Content-Type", "application/octet-stream")
            length, body = body.size_bytes, body.read(0, body.size_bytes)
        elif body is None:
            body = b""
        outgoing = Outgoing(reply.status, headers, body, length)
        if fault is not None:
            outgoing.cut_at, outgoing.stall_seconds = fault.cut_at, fault.stall_seconds
        return outgoing


def envelope(problem: Problem, request: Request) -> Reply:
    """A problem as Graph words it."""
    inner = {
        **(problem.inner or {}),
        "date": request.now.strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": str(uuid.uuid4()),
        "client-request-id": request.headers.get("client-request-id", str(uuid.uuid4())),
    }
    error = {"code": problem.code, "message": problem.message, "innerError": inner}
    return Reply(problem.status, {"error": error}, dict(problem.headers))


def _ranged(request: Request, reply: Reply) -> Reply:
    """The part that the Range header asks for, if it asks for one."""
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    if reply.status != 200 or wanted is None or not isinstance(reply.body, bytes | Content):
        return reply
    content = Content.of(reply.body) if isinstance(reply.body, bytes) else reply.body
    start = int(wanted[1])
    stop = min(content.size_bytes, int(wanted[2]) + 1 if wanted[2] else content.size_bytes)
    if start >= content.size_bytes or start >= stop:
        return Reply(416, b"", {"Content-Range": f"bytes */{content.size_bytes}"})
    part = Content(stop - start, lambda first, last: content.read(start + first, start + last))
    return Reply(206, part, {**reply.headers, "Content-Range": f"bytes {start}-{stop - 1}/{content.size_bytes}"})


def _edit(body: dict[str, Any], fault: Fault) -> None:
    if fault.next_link is not None:
        body.pop("@odata.deltaLink", None)
        body["@odata.nextLink"] = fault.next_link
    if fault.edit is not None:
        fault.edit(body)

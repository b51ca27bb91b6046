"""A small server of this machine for `GET /metrics` and `GET /health`; it knows nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer, TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, ClassVar, Self

import structlog
from prometheus_client import CollectorRegistry, generate_latest

from agent.errors import AgentError, ConfigurationError
from agent.observing.address import LoopbackAddress, UnixAddress
from agent.observing.base import Health, HealthState
from agent.observing.metrics import CONTENT_TYPE

_MOST_AT_ONCE = 8
_ASKING_SECONDS = 10.0  # so long may a request take to arrive
_HEALTHY = (HealthState.OK, HealthState.WARNING)

log = structlog.get_logger("retentiond.metrics")


class MetricsServer:
    """Answers in threads of its own from the moment it is made until it is closed.

    Metrics and health hold no secrets, but they are not for everybody: a socket is open to its owner and group, a port
    to this machine. Raises `ConfigurationError` if the address cannot be used, or somebody else serves there.
    """

    def __init__(
        self,
        address: UnixAddress | LoopbackAddress,
        registry: CollectorRegistry,
        health: Callable[[], Health],
    ) -> None:
        self._path = address.path if isinstance(address, UnixAddress) else None
        self._inode = 0
        try:
            if isinstance(address, UnixAddress):
                _clear_away(address.path)
                self._server: _Server = _UnixServer(address.path, registry, health)
                self._inode = os.lstat(address.path).st_ino
            else:
                kind = _Server6 if ":" in address.host else _Server
                self._server = kind((address.host, address.port), registry, health)
        except OSError as error:
            named = self._path or f"{address.host}:{address.port}"  # type: ignore[union-attr]
            raise ConfigurationError(f"{named}: metrics cannot be served there ({error.strerror}).") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port in use, where port 0 has asked for any free one."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Nobody is answered any more; an answer under way may be cut off. Safe to call twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            if self._path is not None:
                with contextlib.suppress(OSError):
                    if os.lstat(self._path).st_ino == self._inode:
                        os.unlink(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _clear_away(path: str) -> None:
    """Removes the socket of a process that is gone."""
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(there.st_mode):
        raise ConfigurationError(f"{path}: metrics cannot be served there, since it is no socket. Name another path.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        else:
            raise ConfigurationError(f"{path}: another process serves metrics there. Name another path.")


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, address: Any, registry: CollectorRegistry, health: Callable[[], Health]) -> None:
        self.registry = registry
        self.health = health
        self.one_at_a_time = threading.Lock()  # facts cost something; whoever asks twice at once gets them in turn
        self._slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread could be started
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning("metrics.not_answered", error=sys.exception())


class _Server6(_Server):
    address_family = socket.AF_INET6


class _UnixServer(_Server):
    address_family = socket.AF_UNIX
    allow_reuse_address = False

    def server_bind(self) -> None:
        super().server_bind()
        os.chmod(str(self.server_address), 0o660)  # before it listens, so that nobody has connected yet


class _Handler(BaseHTTPRequestHandler):
    server_version = "retentiond"
    sys_version = ""
    protocol_version = "HTTP/1.0"  # one request, then the connection is over
    timeout = _ASKING_SECONDS
    known: ClassVar[tuple[str, ...]] = ("/metrics", "/health")

    def __init__(self, request: Any, client_address: Any, server: BaseServer) -> None:
        self._deadline = threading.Timer(_ASKING_SECONDS, _hang_up, [request])
        self._deadline.daemon = True
        self._deadline.start()
        try:
            super().__init__(request, client_address, server)
        finally:
            self._deadline.cancel()

    def do_GET(self) -> None:
        self._deadline.cancel()
        path = self.path.partition("?")[0]
        if path not in self.known:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"Known are /metrics and /health.\n")
            return
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 — it is made for no other
        with server.one_at_a_time:
            if path == "/metrics":
                status, body = HTTPStatus.OK, generate_latest(server.registry)
            else:
                status, body = _health(server.health)
        self._answer(status, CONTENT_TYPE if path == "/metrics" else "application/json", body)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Every other method, and whatever is no request: answered without repeating any of it."""
        status = HTTPStatus(code)
        status = HTTPStatus.METHOD_NOT_ALLOWED if status is HTTPStatus.NOT_IMPLEMENTED else status
        self.send_response(status)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: who fetches metrics how often is not worth a line each time."""


def _health(ask: Callable[[], Health]) -> tuple[HTTPStatus, bytes]:
    try:
        health = ask()
    except AgentError:
        health = Health(HealthState.UNKNOWN)
    problems = [
        {"state": one.state.name.lower(), "code": one.code, "subject": one.subject, "sentence": one.sentence}
        for one in health.problems
    ]
    body = json.dumps({"state": health.state.name.lower(), "problems": problems}) + "\n"
    status = HTTPStatus.OK if health.state in _HEALTHY else HTTPStatus.SERVICE_UNAVAILABLE
    return status, body.encode()


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)

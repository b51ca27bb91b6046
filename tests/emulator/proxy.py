"""A CONNECT proxy that lets a program believe it speaks to Microsoft, while it speaks to the emulator.

For foreign clients that cannot be told another address. It knows the official names and nothing else: whatever else is
asked for is refused and kept in `refused`, so that nothing leaves the machine.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

from tests.emulator.emulator import OFFICIAL_DOWNLOADS, OFFICIAL_GRAPH, OFFICIAL_LOGIN, Emulator

_PIECE_BYTES = 65536


class Proxy:
    """`with Proxy(graph) as proxy:` listens on `proxy.url` until the block is left."""

    def __init__(self, graph: Emulator) -> None:
        self._ports: Mapping[str, int] = {
            OFFICIAL_GRAPH: graph.port_of("graph"),
            OFFICIAL_DOWNLOADS: graph.port_of("downloads"),
            OFFICIAL_LOGIN: graph.port_of("login"),
        }
        self.refused: list[str] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)

    @property
    def url(self) -> str:
        """For HTTPS_PROXY."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Proxy:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut(self._listening)
        with self._lock:
            for connection in self._open:
                self._shut(connection)
        for thread in self._threads:
            thread.join(5)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._tunnel, client)

    def _tunnel(self, client: socket.socket) -> None:
        with self._kept(client):
            host = _wanted(client)
            if host not in self._ports:
                self.refused.append(host)
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with self._kept(socket.create_connection(("127.0.0.1", self._ports[host]))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
                back.start()
                self._pass(client, server)
                back.join(5)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                target.sendall(piece)
        self._shut(target)

    @contextlib.contextmanager
    def _kept(self, connection: socket.socket) -> Iterator[socket.socket]:
        with self._lock:
            self._open.add(connection)
        try:
            with contextlib.suppress(OSError):
                yield connection
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _start(self, target: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _wanted(client: socket.socket) -> str:
    """The host that the client wants to be connected with."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(_PIECE_BYTES)
        if not piece:
            return ""
        head += piece
    return head.split()[1].decode().rpartition(":")[0]

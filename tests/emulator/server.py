"""A small HTTP/1.1 server with keep-alive and TLS, which can also misbehave on the wire.

The standard library's handler parses headers with the mail parser and writes header and body apart: too slow for a
hundred thousand items, and with TLS it runs into delayed acknowledgements. This one reads what our clients send, writes
an answer in one piece, and can drop, truncate and stall a connection on purpose.
"""

from __future__ import annotations

import contextlib
import http
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import formatdate

from tests.emulator.clock import Clock
from tests.emulator.http import Headers

_LONGEST_LINE = 65536
_REASONS = {status.value: status.phrase for status in http.HTTPStatus}
_WAIT_FOR_THREADS_SECONDS = 5.0


class ConnectionGone(Exception):
    """The connection was closed, by the client or by us on purpose; nothing more can be said on it."""


@dataclass(frozen=True)
class Incoming:
    """A request as it came over the wire."""

    method: str
    raw_path: str
    raw_query: str
    headers: Headers
    body: bytes
    connection: int
    arrived: float  # time.monotonic() when its first line had been read


@dataclass
class Outgoing:
    """An answer, and what the wire does to it.

    A body of bytes is sent with its length; an iterator needs `length` or is sent in chunks. `cut_at`: drop the
    connection after so many bytes of the body; `stall_seconds`: be silent for so long in the middle of the body.
    """

    status: int
    headers: dict[str, str]
    body: bytes | Iterable[bytes] = b""
    length: int | None = None
    cut_at: int | None = None
    stall_seconds: float = 0.0


class Wire:
    """One connection, as the one who answers sees it."""

    def __init__(self, connection: socket.socket, clock: Clock, stopping: threading.Event) -> None:
        self._socket = connection
        self._clock = clock
        self._stopping = stopping
        self._date = (0, "")

    def wait(self, seconds: float) -> None:
        """Do nothing for a while; ends early when the server is being stopped."""
        self._stopping.wait(seconds)

    def reset(self) -> None:
        """Drop the connection so that the client sees a TCP reset. Raises ConnectionGone, always."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionGone

    def send(self, answer: Outgoing) -> None:
        """Send an answer. Raises ConnectionGone when the client has gone or the answer was to be cut."""
        empty = answer.status in (204, 304) or answer.status < 200
        length = len(answer.body) if isinstance(answer.body, bytes) else answer.length
        head = self._head(answer, None if empty else length, chunked=length is None and not empty)
        try:
            if empty:
                self._socket.sendall(head)
            elif isinstance(answer.body, bytes) and answer.cut_at is None and not answer.stall_seconds:
                self._socket.sendall(head + answer.body)
            else:
                self._socket.sendall(head)
                self._send_slowly(answer, length)
        except OSError:
            raise ConnectionGone from None

    def _send_slowly(self, answer: Outgoing, length: int | None) -> None:
        left = answer.cut_at
        stall_at = (length or 0) // 2 if left is None else left
        sent = 0
        for piece in (answer.body,) if isinstance(answer.body, bytes) else answer.body:
            for part in _split(piece, stall_at - sent if answer.stall_seconds and sent <= stall_at else None):
                cut = part if left is None else part[: max(0, left - sent)]
                self._socket.sendall(cut if length is not None else b"%x\r\n%b\r\n" % (len(cut), cut))
                sent += len(cut)
                if answer.stall_seconds and sent == stall_at:
                    self.wait(answer.stall_seconds)
                if left is not None and sent >= left:
                    raise ConnectionGone
        if length is None:
            self._socket.sendall(b"0\r\n\r\n")

    def _head(self, answer: Outgoing, length: int | None, chunked: bool) -> bytes:
        second = int(self._clock.time())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}", f"Date: {self._date[1]}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        elif length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


Answerer = Callable[[Incoming, Wire], None]


class Host:
    """A server on a free port of the loopback address; one thread for every connection."""

    def __init__(self, name: str, answer: Answerer, clock: Clock, tls: ssl.SSLContext | None) -> None:
        self.name = name
        self._answer = answer
        self._clock = clock
        self._tls = tls
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[int, socket.socket] = {}
        self._threads: set[threading.Thread] = set()
        self._opened = 0
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name=f"{name} accepts", daemon=True)

    @property
    def url(self) -> str:
        """Where it is to be reached; `localhost` for TLS, as the certificate says."""
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    @property
    def opened(self) -> int:
        """How many connections there have been."""
        return self._opened

    def start(self) -> None:
        """Answer from now on."""
        self._accepting.start()

    def close(self) -> None:
        """Drop every connection and end all threads."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join(_WAIT_FOR_THREADS_SECONDS)
        self._listening.close()
        with self._lock:
            connections, threads = list(self._connections.values()), list(self._threads)
        for connection in connections:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not SSLSocket's: its thread still reads
        for thread in threads:
            thread.join(_WAIT_FOR_THREADS_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self._opened += 1
                number = self._opened
                thread = threading.Thread(target=self._run, args=(connection, number), daemon=True)
                self._threads.add(thread)
            thread.start()

    def _run(self, connection: socket.socket, number: int) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections[number] = connection
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._connections[number] = connection
            if not self._stopping.is_set():
                self._converse(connection, number)
        except (OSError, ConnectionGone):  # the client's business, or ours on purpose
            pass
        finally:
            connection.close()
            with self._lock:
                self._connections.pop(number, None)
                self._threads.discard(threading.current_thread())

    def _converse(self, connection: socket.socket, number: int) -> None:
        wire = Wire(connection, self._clock, self._stopping)
        with connection.makefile("rb", buffering=65536) as lines:
            while not self._stopping.is_set():
                line = lines.readline(_LONGEST_LINE)
                if not line.strip():
                    return
                arrived = time.monotonic()
                method, _, rest = line.decode("latin-1").partition(" ")
                target = rest.rpartition(" ")[0]
                headers = Headers(_fields(iter(lambda: lines.readline(_LONGEST_LINE), b"")))
                body = _body(lines.read, lines.readline, headers)
                path, _, query = target.partition("?")
                self._answer(Incoming(method, path, query, headers, body, number, arrived), wire)
                if headers.get("Connection", "").lower() == "close":
                    return


def _fields(lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line in (b"\r\n", b"\n"):
            return
        name, _, value = line.decode("latin-1").partition(":")
        yield name, value.strip()


def _body(read: Callable[[int], bytes], readline: Callable[[], bytes], headers: Headers) -> bytes:
    if headers.get("Transfer-Encoding", "").lower() != "chunked":
        length = int(headers.get("Content-Length", "0"))
        return read(length) if length else b""
    parts = []
    while size := int(readline().split(b";")[0], 16):
        parts.append(read(size))
        readline()
    readline()
    return b"".join(parts)


def _split(piece: bytes, at: int | None) -> tuple[bytes, ...]:
    if at is None or not 0 < at < len(piece):
        return (piece,)
    return piece[:at], piece[at:]

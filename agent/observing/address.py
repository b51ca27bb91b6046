"""Where metrics may be fetched: a Unix socket, or a port of this machine alone."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from agent.errors import ConfigurationError

_LONGEST_SOCKET_PATH = 107  # bytes; sockaddr_un has room for one more, which ends the path


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The absolute path of a socket."""

    path: str


@dataclass(frozen=True, slots=True)
class LoopbackAddress:
    """An address that only this machine itself reaches, and a port."""

    host: str
    port: int


def parse_address(text: str) -> UnixAddress | LoopbackAddress:
    """`/run/retentiond/metrics.sock`, `127.0.0.1:9464` or `[::1]:9464`; `localhost` is the first of these two.

    Raises `ConfigurationError` for anything else, above all for an address that other machines could reach.
    """
    if text.startswith("/"):
        if len(text.encode()) > _LONGEST_SOCKET_PATH:
            raise ConfigurationError(
                f"{text}: the path of a socket has {_LONGEST_SOCKET_PATH} bytes at most. Name a shorter one, such as "
                "/run/retentiond/metrics.sock"
            )
        return UnixAddress(text)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    host = "127.0.0.1" if host == "localhost" else host
    if not colon or not (port.isascii() and port.isdigit()) or not 0 <= int(port) <= 65_535:
        raise ConfigurationError(
            f"{text!r}: metrics need the absolute path of a socket, or a loopback address with a port, such as "
            "/run/retentiond/metrics.sock or 127.0.0.1:9464"
        )
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigurationError(
            f"{text!r}: metrics are only told on this machine itself, without encryption or login. Use 127.0.0.1 or "
            "[::1], or a socket, and let a proxy with TLS pass it on to other machines."
        )
    return LoopbackAddress(host, int(port))

"""The journal's own protocol (systemd's "Native Journal Protocol"): one datagram of fields for each entry."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Mapping

SOCKET = "/run/systemd/journal/socket"
_WAIT_SECONDS = 2.0
_TOO_BIG = (errno.EMSGSIZE, errno.ENOBUFS)
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def is_journal(descriptor: int, journal_stream: str) -> bool:
    """Whether what is written to `descriptor` goes to the journal, as `$JOURNAL_STREAM` (systemd.exec(5)) tells it.

    The variable is inherited by whatever a service starts, so it is only believed of the very file that it names.
    """
    try:
        there = os.fstat(descriptor)
    except OSError:
        return False
    return journal_stream == f"{there.st_dev}:{there.st_ino}"


def encode(fields: Mapping[str, str]) -> bytes:
    """The fields as they go into a datagram; a value of several lines with its length before it."""
    told = bytearray()
    for name, value in fields.items():
        data = value.encode("utf-8", "surrogateescape")
        if b"\n" in data:
            told += name.encode("ascii") + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
        else:
            told += name.encode("ascii") + b"=" + data + b"\n"
    return bytes(told)


class JournalSocket:
    """The journal, open for writing from any thread."""

    def __init__(self, path: str = SOCKET) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(_WAIT_SECONDS)  # whoever is told nothing by the journal must not stand still with it

    def send(self, fields: Mapping[str, str]) -> None:
        """Hands one entry over. Raises `OSError` if the journal is not there or takes nothing for two seconds."""
        data = encode(fields)
        try:
            self._socket.sendto(data, self._path)
        except OSError as error:
            if error.errno not in _TOO_BIG:
                raise
            self._send_as_file(data)

    def _send_as_file(self, data: bytes) -> None:
        descriptor = os.memfd_create("retentiond-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(descriptor, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)  # the journal takes only what nobody can change any more
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", file.fileno()))]
            self._socket.sendmsg([], rights, 0, self._path)

    def close(self) -> None:
        """Safe to call twice."""
        self._socket.close()

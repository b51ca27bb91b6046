"""A tar archive (POSIX.1-2001, pax) that is written straight through, member by member."""

from __future__ import annotations

import hashlib
import io
import math
import tarfile
from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO, Protocol, cast

from agent.outgoing.base import ExportFailed

_RECORD_BYTES = 20 * tarfile.BLOCKSIZE
_MODE = 0o600  # what is handed back is for its recipient alone


class Plain(Protocol):
    """Takes all the bytes it is given."""

    def write(self, data: bytes | memoryview, /) -> None: ...


class Tape:
    """Writes members one behind the other. The same members always give the same bytes; memory is one block."""

    def __init__(self, target: Plain) -> None:
        self._target = target
        self._written = 0
        self._members = 0

    def add(self, path: bytes, size_bytes: int, modified_at: datetime, write: Callable[[BinaryIO], None]) -> bytes:
        """Writes a file and gives the SHA-256 of its content, which `write` puts into a stream.

        Raises `ExportFailed` if that is not as long as it was said to be, and whatever `write` raises.
        """
        self._members += 1
        info = tarfile.TarInfo(path.decode("utf-8", "surrogateescape"))
        info.size = size_bytes
        info.mtime = math.floor(modified_at.timestamp())
        info.mode = _MODE
        self._write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        content = _Content(self._write, size_bytes)
        try:
            write(cast("BinaryIO", content))  # it is one, but for the type's name
        finally:
            content.close()
        if content.given != size_bytes:
            raise ExportFailed(
                f"Item {self._members} of the export has {content.given:,} bytes where {size_bytes:,} were expected: "
                "it is not as it was recorded. Throw this export away, look at the item, and export again."
            )
        self._fill(tarfile.BLOCKSIZE)
        return content.digest.digest()

    def finish(self) -> None:
        """Writes the end of the archive."""
        self._write(bytes(2 * tarfile.BLOCKSIZE))
        self._fill(_RECORD_BYTES)

    def _write(self, data: bytes | memoryview) -> None:
        self._target.write(data)
        self._written += len(data)

    def _fill(self, unit: int) -> None:
        self._write(bytes(-self._written % unit))


class _Content(io.BufferedIOBase):
    """The content of one member on its way; what exceeds its size goes nowhere, and is counted."""

    def __init__(self, put: Callable[[memoryview], None], size_bytes: int) -> None:
        self._put = put
        self._size_bytes = size_bytes
        self.given = 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        if self.closed:
            raise ValueError("this member of the archive is finished")
        whole = memoryview(data).cast("B")
        self.given += len(whole)
        if self.given <= self._size_bytes:
            self.digest.update(whole)
            self._put(whole)
        return len(whole)

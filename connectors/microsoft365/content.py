"""An item's content behind a descriptor: small ones in memory, others in a file without a name, all checked."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from connectors.content import OpenContent
from connectors.errors import ConnectorError, ItemChanged, NoRoom, Sparse
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.streaming import SELECTED, Facts, facts_of, fetch
from connectors.microsoft365.version import Version

_CHUNK_BYTES = 1 << 20


class Spool:
    """Where contents lie while they are open: at most `most_bytes` of all of them together in memory, the rest in
    `directory`, in files that have no name and vanish with their descriptor. For several threads."""

    def __init__(self, most_bytes: int = 64 << 20, directory: Path | None = None) -> None:
        self._most = most_bytes
        self._directory = directory
        self._in_memory = 0
        self._lock = threading.Lock()

    def reserve(self, count: int) -> bool:
        """Whether so many more bytes may lie in memory; then they are counted."""
        with self._lock:
            if self._in_memory + count > self._most:
                return False
            self._in_memory += count
            return True

    def release(self, count: int) -> None:
        with self._lock:
            self._in_memory -= count

    def file(self) -> int:
        """A descriptor of a new file without a name."""
        directory = self._directory or Path(tempfile.gettempdir())
        try:
            return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:  # not every file system has such files
            descriptor, name = tempfile.mkstemp(dir=directory)
            os.unlink(name)
            return descriptor


class SpooledContent(OpenContent):
    """A content on its way in, then open for reading. It grows in memory and moves to a file when that is too much."""

    def __init__(self, spool: Spool, is_current: Callable[[int], bool]) -> None:
        super().__init__(os.memfd_create("content", os.MFD_CLOEXEC), is_current)
        self._spool = spool
        self._reserved = 0
        self._in_memory = True

    def make_room(self, count: int) -> None:
        """So many bytes are about to be written to the descriptor."""
        if not self._in_memory:
            return
        if self._spool.reserve(count):
            self._reserved += count
        else:
            self._move_to_file()

    def close(self) -> None:
        super().close()
        self._spool.release(self._reserved)
        self._reserved = 0

    def _move_to_file(self) -> None:
        """The same descriptor stands for a file from now on, at the same offset."""
        file = self._spool.file()
        try:
            os.lseek(self.fileno(), 0, os.SEEK_SET)
            while piece := os.read(self.fileno(), _CHUNK_BYTES):
                left = memoryview(piece)
                while left:
                    left = left[os.write(file, left) :]
            os.dup2(file, self.fileno(), inheritable=False)
        finally:
            os.close(file)
        self._in_memory = False
        self._spool.release(self._reserved)
        self._reserved = 0


def open_item(
    graph: Graph,
    drive_id: str,
    version: Version,
    spool: Spool,
    largest_bytes: int,
    spend: Callable[[int], None],
) -> OpenContent:
    """The whole content of the item at that version. `spend` is told of bytes before they are taken in, and may wait.

    Raises the errors of `Connector.open`; `Sparse` for content beyond `largest_bytes`, `NoRoom` if the spool's disk is
    full.
    """
    path = f"/drives/{quoted(drive_id)}/items/{quoted(version.item_id)}"

    def described() -> Facts:
        answer = graph.get(f"{path}?$select={SELECTED}")
        if answer.get("eTag") != version.etag:
            raise ItemChanged("the item is at another version than was listed")
        facts = facts_of(answer)
        if facts.size_bytes > largest_bytes:
            raise Sparse("the file is larger than we take")
        return facts

    content = SpooledContent(spool, lambda _: is_at(graph, path, version))

    def take(count: int) -> None:
        spend(count)
        content.make_room(count)

    try:
        fetch(graph, described, content.fileno(), most_bytes=largest_bytes, spend=take)
        os.lseek(content.fileno(), 0, os.SEEK_SET)
    except OSError as error:
        content.close()
        raise NoRoom(f"the content cannot be kept here while it is read ({os.strerror(error.errno or 0)})") from None
    except BaseException:
        content.close()
        raise
    return content


def is_at(graph: Graph, path: str, version: Version) -> bool:
    """Whether the source says that the item is at that version. If it says nothing, what was read must not count."""
    with contextlib.suppress(ConnectorError):
        return bool(graph.get(f"{path}?$select=id,eTag").get("eTag") == version.etag)
    return False

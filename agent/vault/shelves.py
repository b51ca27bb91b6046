"""Where the objects lie: 256 directories, so that none grows beyond what every file system takes with ease."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator

from agent.vault.disk import Disk, sync_directory

ENC, PART = ".enc", ".part"

_SHELF = re.compile(r"[0-9a-f]{2}")
_OURS = re.compile(r"([0-9a-f]{32})(\.enc|\.part)")


class Shelves:
    """The objects' directory. Methods raise `OSError`; ids are 32 hexadecimal digits."""

    def __init__(self, path: str, disk: Disk):
        self.path = path
        self._disk = disk

    @contextlib.contextmanager
    def shelf(self, id: str, make: bool = False) -> Iterator[int]:
        """The directory of an id, open. Made durably if it is not there and `make` is set."""
        path = os.path.join(self.path, id[:2])
        if make and not os.path.isdir(path):
            with contextlib.suppress(FileExistsError):
                self._disk.make_directory(path)
            sync_directory(self._disk, self.path)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def open(self, id: str) -> int:
        """The object, open for reading. `FileNotFoundError` if it is not there."""
        with self.shelf(id) as shelf:
            return os.open(id + ENC, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=shelf)

    def size(self, id: str) -> int:
        """Bytes that the object takes; 0 if it is not there."""
        try:
            with self.shelf(id) as shelf:
                return os.stat(id + ENC, dir_fd=shelf, follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def remove(self, ids: Iterable[str]) -> None:
        """Unlinks the objects and the unfinished copies of these ids, where there are any; durable."""
        by_shelf: dict[str, list[str]] = {}
        for id in ids:
            by_shelf.setdefault(id[:2], []).append(id)
        for of_shelf in by_shelf.values():
            with contextlib.suppress(FileNotFoundError), self.shelf(of_shelf[0]) as shelf:
                for id in of_shelf:
                    for ending in (ENC, PART):
                        with contextlib.suppress(FileNotFoundError):
                            self._disk.unlink(id + ending, shelf)
                self._disk.sync(shelf)

    def _names(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self.path) as shelves:
            for shelf in sorted(shelves, key=lambda entry: entry.name):
                if not _SHELF.fullmatch(shelf.name) or not shelf.is_dir(follow_symlinks=False):
                    yield shelf
                    continue
                with os.scandir(shelf.path) as entries:
                    yield from sorted(entries, key=lambda entry: entry.name)

    def _split(self, entry: os.DirEntry[str]) -> tuple[str, str] | None:
        match = _OURS.fullmatch(entry.name)
        ours = match and os.path.dirname(entry.path) == os.path.join(self.path, entry.name[:2])
        return (match[1], match[2]) if match and ours and entry.is_file(follow_symlinks=False) else None

    def objects(self) -> Iterator[tuple[str, int]]:
        """The ids of the finished objects in order, and the bytes they take."""
        for entry in self._names():
            if (split := self._split(entry)) and split[1] == ENC:
                yield split[0], entry.stat(follow_symlinks=False).st_size

    def parts(self) -> Iterator[str]:
        """The ids of the unfinished copies."""
        for entry in self._names():
            if (split := self._split(entry)) and split[1] == PART:
                yield split[0]

    def foreign(self) -> Iterator[str]:
        """What lies among the objects and is none, by its path beneath the directory."""
        for entry in self._names():
            if not self._split(entry):
                yield os.path.relpath(entry.path, self.path)

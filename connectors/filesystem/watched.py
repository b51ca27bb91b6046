"""What a watch remembers: the folders it watches, by where they lie, and the ones among them that are dirty."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from connectors.watching import Dirty

MOST_DIRTY = 50_000  # folders; beyond that, reading everything is hardly dearer, and memory stays bounded


class WatchedFolder:
    """One folder with a watch on it.

    It knows its place by its parent, so that it need not be told when a folder above it gets another name.
    """

    __slots__ = ("children", "name", "number", "parent", "told")

    def __init__(self, parent: WatchedFolder | None, name: bytes) -> None:
        self.parent = parent
        self.name = name
        self.number = -1  # the kernel's, of its watch
        self.told = -1  # in which round it was last called dirty
        self.children: dict[bytes, WatchedFolder] = {}

    @property
    def path(self) -> bytes:
        """Relative to the root, which is `b""`."""
        names = []
        here = self
        while here.parent is not None:
            names.append(here.name)
            here = here.parent
        return b"/".join(reversed(names))

    def path_of(self, name: bytes) -> bytes:
        """The path of something in this folder."""
        path = self.path
        return path + b"/" + name if path else name

    def with_all_below(self) -> Iterator[WatchedFolder]:
        waiting = [self]
        while waiting:
            folder = waiting.pop()
            waiting.extend(folder.children.values())
            yield folder


class DirtyFolders:
    """Collects what is dirty until somebody asks. At first everything is. Any thread may call."""

    def __init__(self, most: int = MOST_DIRTY) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._paths: set[bytes] = set()
        self._everything = True
        self._round = 0

    def mark(self, folder: WatchedFolder) -> None:
        if self._everything or folder.told == self._round:
            return  # whoever asks after this very change is told already
        folder.told = self._round
        path = folder.path
        with self._lock:
            self._paths.add(path)
            if len(self._paths) <= self._most:
                return
        self.mark_everything()

    def mark_everything(self) -> None:
        with self._lock:
            self._everything = True
            self._paths.clear()

    def drain(self) -> Dirty:
        with self._lock:
            dirty = Dirty(frozenset(self._paths), self._everything)
            self._paths.clear()
            self._everything = False
            self._round += 1
            return dirty

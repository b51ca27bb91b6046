"""Which folders of a share are watched, kept true while they come, go and move.

What we know lags behind what is: an event tells of a moment that has passed, and a path may lead elsewhere by now. Two
things keep that from hurting. A folder is listed only after it is watched, so that whatever comes later has an event.
And whatever is found where it is no more has an event still to come that drops it and finds it anew. Only where events
were lost must all be gone through again.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Collection, Iterable, Sequence

from watchdog.observers.inotify_c import CallbackId, InotifyEvent, WatchCallback, WatchDescriptor

from connectors.filesystem.inotify import (
    A_FOLDER,
    ATTRIBUTES,
    CREATED,
    GONE,
    ITSELF_MOVED,
    MOVED_TO,
    UNMOUNTED,
    Inotify,
    Unwatchable,
)
from connectors.filesystem.walk import Directories, open_folder
from connectors.filesystem.watched import DirtyFolders, WatchedFolder
from connectors.watching import WatchState

_VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV)  # or replaced: its folder tells. Or another mount.
_UNREADABLE = (errno.EACCES, errno.EPERM, errno.EIO)  # the connector cannot read them either, and says so

Place = tuple[WatchedFolder | None, bytes]  # a name in a watched folder; the root lies in none
ROOT: Place = (None, b"")


class Left:
    """What is not watched and not told: paths relative to the root, and directories wherever they are met."""

    def __init__(self, root: bytes, directories: Sequence[bytes], paths: Iterable[bytes]) -> None:
        self._directories = tuple(directories)
        real = os.path.realpath(root).rstrip(b"/") + b"/"
        below = (os.path.realpath(each) for each in directories)
        self.paths = frozenset(paths) | {each.removeprefix(real) for each in below if each.startswith(real)}
        self.names = frozenset(path.rpartition(b"/")[2] for path in self.paths)

    def holds(self, folder: WatchedFolder, name: bytes) -> bool:
        return name in self.names and folder.path_of(name) in self.paths

    def now(self) -> Directories:
        """The directories that are there now, by device and inode."""
        found = set()
        for path in self._directories:
            try:
                facts = os.stat(path)
            except OSError:
                continue
            found.add((facts.st_dev, facts.st_ino))
        return frozenset(found)


class WatchedTree:
    """The watched folders. Every method takes the lock, so that any thread may call.

    `contradicted` is called where what is found cannot be true with what is known, as if events had been lost.
    """

    def __init__(
        self,
        inotify: Inotify,
        told: WatchCallback,
        dirty: DirtyFolders,
        left: Left,
        most: int,
        contradicted: Callable[[], None],
    ) -> None:
        self._inotify = inotify
        self._told = told
        self._dirty = dirty
        self._left = left
        self._most = most
        self._contradicted = contradicted
        self._lock = threading.Lock()
        self._ended = False
        self._folders: dict[int, WatchedFolder] = {}
        self.unread = 0

    def end(self) -> None:
        """From now on nothing is watched any more; what is under way stops."""
        with self._lock:
            self._ended = True
            self._folders.clear()

    def take(self, event: InotifyEvent) -> Place | None:
        """Marks what the event makes dirty; gives what is to be watched from now on. Raises `Unwatchable`."""
        mask, name = event.mask, event.name
        with self._lock:
            folder = self._folders.get(event.wd)
            if folder is None:
                return None
            if mask & UNMOUNTED:
                raise Unwatchable("the file system was unmounted", WatchState.LOST)
            if mask & ITSELF_MOVED:
                raise Unwatchable("the folder was moved", WatchState.LOST)
            if self._left.holds(folder, name):
                return None
            self._dirty.mark(folder)
            if not name or not mask & A_FOLDER:
                return None
            known = folder.children.get(name)
            if known is not None and mask & (GONE | MOVED_TO):
                # Moved within the share, it is found anew: all in it has another path now, and that must be told.
                self._drop(known)
            if mask & CREATED or (mask & ATTRIBUTES and known is None):
                return folder, name
            return None

    def forget(self, number: WatchDescriptor) -> None:
        """The kernel watches this folder no more. Raises `Unwatchable` if it is the root."""
        with self._lock:
            folder = self._folders.get(number)
            if folder is not None and folder.parent is None:
                raise Unwatchable("the folder was deleted", WatchState.LOST)
            if folder is not None:
                self._drop(folder)

    def survey(self, root: int, place: Place, *, again: bool = False) -> None:
        """Watches the folder and all below it, and marks those dirty that were not watched yet.

        If `again`, what is below folders that are watched already is gone through as well. Raises `Unwatchable`.
        """
        waiting = [place]
        left = self._left.now()
        while waiting and not self._ended:
            waiting.extend(self._watch(root, *waiting.pop(), left, again=again))

    def _watch(
        self, root: int, parent: WatchedFolder | None, name: bytes, left: Directories, *, again: bool
    ) -> Iterable[Place]:
        """Watches one folder; gives the folders in it."""
        path = b"" if parent is None else parent.path_of(name)
        if path in self._left.paths:
            return ()
        try:
            opened = open_folder(root, path)
        except OSError as error:
            return self._passed(error, parent)
        try:
            facts = os.fstat(opened)
            if (facts.st_dev, facts.st_ino) in left:
                return ()
            with self._lock:
                folder, new = self._register(opened, parent, name)
                before = () if new or folder is None else tuple(folder.children.values())
            if folder is None or not (new or again):
                return ()
            names = _folders_in(opened)
            self._drop_missing(opened, before, names)
            return [(folder, below) for below in names]
        except OSError as error:
            return self._passed(error, parent)
        finally:
            os.close(opened)

    def _passed(self, error: OSError, parent: WatchedFolder | None) -> Iterable[Place]:
        """What lies in a folder that cannot be opened or listed: nothing, where that needs no watch."""
        if parent is not None and error.errno in _UNREADABLE:
            self.unread += 1
        elif parent is None or error.errno not in _VANISHED:
            raise Unwatchable(f"a folder in it cannot be opened ({error.strerror})") from None
        return ()

    def _register(self, opened: int, parent: WatchedFolder | None, name: bytes) -> tuple[WatchedFolder | None, bool]:
        """The open folder as it is watched, and whether it is so only now; none if that is no longer wanted."""
        if self._ended or not self._knows(parent):
            return None, False
        folder, new = self._add(opened, WatchedFolder(parent, name))
        if not new and (folder.parent, folder.name) != (parent, name):
            self._drop(folder)
            if not self._knows(parent):  # it was found in another place before, and its new parent below it
                self._contradicted()
                return None, False
            folder, new = self._add(opened, WatchedFolder(parent, name))
        if new:
            self._folders[folder.number] = folder
            if parent is not None:
                parent.children[name] = folder
            self._dirty.mark(folder)
        return folder, new

    def _knows(self, folder: WatchedFolder | None) -> bool:
        return folder is None or self._folders.get(folder.number) is folder

    def _add(self, opened: int, folder: WatchedFolder) -> tuple[WatchedFolder, bool]:
        """The folder with its watch, or the one that has the watch already; whether it is the former."""
        key = CallbackId(id(folder))
        number = self._inotify.watch(opened, self._told, key, itself=folder.parent is None)
        known = self._folders.get(number)
        if known is not None:
            self._inotify.remove_callbacks([(number, key)])
            return known, False
        if len(self._folders) >= self._most:
            raise Unwatchable(f"it has more than {self._most:,} folders, which is the most that we watch")
        folder.number = number
        return folder, True

    def _drop(self, folder: WatchedFolder) -> None:
        """Watches the folder and all below it no more."""
        if folder.parent is not None and folder.parent.children.get(folder.name) is folder:
            del folder.parent.children[folder.name]
        dropped = [each for each in folder.with_all_below() if self._folders.pop(each.number, None) is not None]
        if not self._ended:
            self._inotify.remove_callbacks([(WatchDescriptor(each.number), CallbackId(id(each))) for each in dropped])

    def _drop_missing(self, opened: int, before: Iterable[WatchedFolder], names: Collection[bytes]) -> None:
        """Drops what was watched in the open folder and has gone unheard."""
        present = frozenset(names)
        for child in before:
            if child.name not in present:
                with self._lock:
                    # Looked at with the lock held: if it comes back later, so does its event.
                    if self._knows(child) and not _exists(opened, child.name):
                        self._drop(child)


def count_folders(root: int, left: Left, most: int) -> int:
    """How many folders would have to be watched; no more than `most` are counted."""
    excluded = left.now()
    waiting, count = [b""], 0
    while waiting and count < most:
        path = waiting.pop()
        if path in left.paths:
            continue
        try:
            opened = open_folder(root, path)
        except OSError:
            continue
        try:
            facts = os.fstat(opened)
            if (facts.st_dev, facts.st_ino) not in excluded:
                count += 1
                waiting.extend(path + b"/" + name if path else name for name in _folders_in(opened))
        except OSError:
            continue
        finally:
            os.close(opened)
    return count


def _folders_in(opened: int) -> list[bytes]:
    with os.scandir(opened) as entries:
        return [os.fsencode(entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]


def _exists(opened: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=opened, follow_symlinks=False)
    except OSError:
        return False
    return True

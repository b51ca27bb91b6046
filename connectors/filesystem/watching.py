"""The watch over a folder and all below it, on its mount only.

Not told, and so left to the reading on schedule: what is written to a file that stays open, a file cut short by its
name, a time of change set by itself (to hear of these would cost an event for each write), what programs write through
mapped memory, and what comes to light when another mount inside the folder is taken away.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from watchdog.observers.inotify_c import InotifyEvent, WatchDescriptor

from connectors.errors import ScopeUnavailable
from connectors.filesystem.connector import HOLD, open_root
from connectors.filesystem.inotify import Inotify, OutOfWatches, Unwatchable, hearing
from connectors.filesystem.mounts import remote_kind
from connectors.filesystem.watched import DirtyFolders
from connectors.filesystem.watched_tree import ROOT, Left, Place, WatchedTree, count_folders
from connectors.watching import Dirty, WatchCondition, WatchState

_SETTLING_SECONDS = 1.0  # between lost events and going through all again: the storm that lost them may go on


class FolderWatch:
    """Watches the folder `root` as `connectors.watching.Watch` promises. Making it lists every folder once.

    It never raises for a folder that cannot be watched: `condition` says why. `excluded` names directories that are
    neither watched nor told (our own state), as is the hold. A share of more than `most_watches` folders is not
    watched: each costs about 1 kB here and another in the kernel.
    """

    def __init__(self, root: bytes, *, excluded: Sequence[bytes] = (), most_watches: int = 500_000) -> None:
        self._path = root
        self._left = Left(root, excluded, (HOLD,))
        self._most = most_watches
        self._dirty = DirtyFolders()
        self._lock = threading.Lock()  # over the ending and the mending
        self._ended = threading.Event()
        self._reason: Unwatchable | None = None
        self._losses = 0
        self._mending: threading.Thread | None = None
        self._inotify: Inotify | None = None
        self._tree: WatchedTree | None = None
        try:
            self._start()
        except Unwatchable as reason:
            self._end(reason)

    @property
    def condition(self) -> WatchCondition:
        if self._reason is not None:
            return WatchCondition(self._reason.state, self._reason.why)
        unread = self._tree.unread if self._tree is not None else 0
        why = f"{unread:,} of its folders cannot be read and are not watched" if unread else ""
        return WatchCondition(WatchState.WATCHED, why)

    def drain(self) -> Dirty:
        self._look_after_hearing()
        return self._dirty.drain()

    def alive(self) -> bool:
        self._look_after_hearing()
        if not self._ended.is_set():
            try:
                facts = os.stat(self._path)
                self._verify(facts)
            except OSError as error:
                self._end(Unwatchable(f"the folder does not answer ({error.strerror})", WatchState.LOST))
            except Unwatchable as reason:
                self._end(reason)
        return not self._ended.is_set()

    def close(self) -> None:
        self._end(Unwatchable("the watch was closed", WatchState.LOST))
        for thread in (self._inotify, self._mending):
            if thread is not None:
                thread.join()

    def on_event(self, event: InotifyEvent) -> None:
        """Called by the thread that hears the kernel, as the other two."""
        if self._tree is None or self._ended.is_set():
            return
        try:
            place = self._tree.take(event)
            if place is not None:
                self._survey(place)
        except Unwatchable as reason:
            self._end(reason)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        if self._tree is None or self._ended.is_set():
            return
        try:
            self._tree.forget(wd)
        except Unwatchable as reason:
            self._end(reason)

    def on_queue_overflow(self) -> None:
        """Events were lost: anything may have changed, and there may be folders that are not watched."""
        self._dirty.mark_everything()
        with self._lock:
            self._losses += 1
            if self._mending is None and not self._ended.is_set():
                # Not in the thread that hears: it must go on, or one loss would bring about the next.
                self._mending = threading.Thread(target=self._mend, name="watch-mending", daemon=True)
                self._mending.start()

    def _start(self) -> None:
        try:
            root = open_root(self._path)
        except ScopeUnavailable as error:
            raise Unwatchable(str(error)) from None
        try:
            facts = os.fstat(root)
            self._identity = (facts.st_dev, facts.st_ino)
            kind = remote_kind(root)
            if kind is not None:
                raise Unwatchable(f"it lies on a network file system ({kind}), which does not tell what others change")
            self._inotify = hearing()
            self._tree = WatchedTree(
                self._inotify, self, self._dirty, self._left, self._most, contradicted=self.on_queue_overflow
            )
            try:
                self._tree.survey(root, ROOT)
            except OutOfWatches as reason:
                needed = count_folders(root, self._left, self._most + 1)
                raise Unwatchable(f"{reason.why}; this folder alone needs {needed:,}") from None
        except OSError as error:
            raise Unwatchable(f"the system does not say what it is ({error.strerror})") from None
        finally:
            os.close(root)

    def _survey(self, place: Place, *, again: bool = False) -> None:
        """The root is opened for this only: an open folder would hinder the share's unmounting."""
        if self._tree is None:
            return
        try:
            root = open_root(self._path)
        except ScopeUnavailable as error:
            raise Unwatchable(str(error), WatchState.LOST) from None
        try:
            self._verify(os.fstat(root))
            self._tree.survey(root, place, again=again)
        finally:
            os.close(root)

    def _verify(self, facts: os.stat_result) -> None:
        if (facts.st_dev, facts.st_ino) != self._identity:
            raise Unwatchable("another folder is in its place now; is the share still mounted?", WatchState.LOST)

    def _mend(self) -> None:
        """Finds what is not watched, until no event was lost meanwhile."""
        reason = Unwatchable("the thread that restores the watch has died", WatchState.LOST)
        try:
            while not self._ended.wait(_SETTLING_SECONDS):
                losses = self._losses
                if self._tree is not None:
                    self._tree.unread = 0
                self._survey(ROOT, again=True)
                self._dirty.mark_everything()  # what happened in folders before they were watched again
                with self._lock:
                    if losses == self._losses:
                        self._mending = None
                        return
        except Unwatchable as unwatchable:
            reason = unwatchable
        finally:
            if self._mending is threading.current_thread():
                self._end(reason)

    def _look_after_hearing(self) -> None:
        if self._inotify is not None and not self._inotify.is_alive():
            self._end(Unwatchable("the thread that hears of changes has died", WatchState.LOST))

    def _end(self, reason: Unwatchable) -> None:
        """The first reason counts."""
        with self._lock:
            if self._ended.is_set():
                return
            self._reason = reason
            self._ended.set()
        self._dirty.mark_everything()
        if self._tree is not None:
            self._tree.end()  # before the descriptor is closed: its number may be another's by then
        if self._inotify is not None:
            self._inotify.stop()

"""What the kernel tells of changes in folders, and what it says when it tells nothing."""

from __future__ import annotations

import errno
import os

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from connectors.watching import WatchState

MOVED_TO = InotifyConstants.IN_MOVED_TO
CREATED = InotifyConstants.IN_CREATE | MOVED_TO
GONE = InotifyConstants.IN_DELETE | InotifyConstants.IN_MOVED_FROM
ATTRIBUTES = InotifyConstants.IN_ATTRIB
A_FOLDER = InotifyConstants.IN_ISDIR
ITSELF_MOVED = InotifyConstants.IN_MOVE_SELF
UNMOUNTED = InotifyConstants.IN_UNMOUNT
# No IN_OPEN, IN_ACCESS, IN_CLOSE_NOWRITE: to read is no change, and our own reading would fill the kernel's queue.
_CHANGED = CREATED | GONE | ATTRIBUTES | InotifyConstants.IN_CLOSE_WRITE
_MASK = Mask(_CHANGED | InotifyConstants.IN_EXCL_UNLINK | InotifyConstants.IN_ONLYDIR)
_LIMITS = "/proc/sys/fs/inotify/"


class Unwatchable(Exception):
    """A folder cannot be watched, or no longer; says why, and in which state that leaves the watch."""

    def __init__(self, why: str, state: WatchState = WatchState.RECONCILE_ONLY) -> None:
        super().__init__(why)
        self.why = why
        self.state = state


class OutOfWatches(Unwatchable):
    """The kernel gives no more watches."""

    def __init__(self) -> None:
        limit = _limit("max_user_watches")
        super().__init__(f"the kernel gives no more watches (fs.inotify.max_user_watches is {limit})")


class Inotify(InotifyFD):
    """Hears what the kernel tells, in a thread of its own, and passes it on to the `WatchCallback` of each watch.

    watchdog's Observer above it cannot be used: it keeps to itself that events were lost and that the kernel gave no
    more watches, watches what lies on other mounts and what is excluded, and queues without bound.
    """

    @classmethod
    def _create_inotify_fd(cls) -> int:
        descriptor = super()._create_inotify_fd()
        os.set_inheritable(descriptor, False)  # a child process would learn every name in the share
        return descriptor

    def watch(self, opened: int, told: WatchCallback, key: CallbackId, *, itself: bool) -> WatchDescriptor:
        """Watches the open folder; with `itself`, also whether it is moved. Its number is the same if it is watched
        already, but then `key` must be another. Raises `Unwatchable`."""
        mask = Mask(_MASK | ITSELF_MOVED) if itself else _MASK
        try:
            # By descriptor: no link is followed, no path is too long, and it is surely the folder that was looked at.
            number = self.add_callback(b"/proc/self/fd/%d" % opened, mask, told, key)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise OutOfWatches from None
            raise Unwatchable(
                f"the kernel gives no watch on a folder in it ({os.strerror(error.errno or 0)})"
            ) from None
        if number < 0:  # watchdog raises nothing for EACCES
            self.remove_callbacks([(number, key)])
            raise Unwatchable("a folder in it cannot be watched (the kernel does not allow it)")
        return number


def hearing() -> Inotify:
    """Its thread runs. Raises `Unwatchable`."""
    try:
        inotify = Inotify()
        inotify.start()
    except OSError as error:
        if error.errno == errno.EMFILE:
            limit = _limit("max_user_instances")
            why = f"the kernel gives no more inotify instances (fs.inotify.max_user_instances is {limit}) or open files"
            raise Unwatchable(why) from None
        raise Unwatchable(f"the kernel tells nothing of changes ({os.strerror(error.errno or 0)})") from None
    except RuntimeError:
        raise Unwatchable("no thread can be started to hear of changes") from None
    return inotify


def _limit(name: str) -> str:
    try:
        with open(_LIMITS + name, encoding="ascii") as file:
            return f"{int(file.read()):,}"
    except (OSError, ValueError):
        return "unknown"

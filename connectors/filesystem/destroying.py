"""Away for good: what lies in the hold is overwritten where that reaches the device, and unlinked.

By now a file's own blocks are the only place where its plain content is left, so they are what must go. Before the
first of them is touched the file gets another name in the hold: nobody can take what is half destroyed for a whole
file and put it back, not even after a crash.
"""

from __future__ import annotations

import os
import stat

from connectors.errors import ItemChanged, LockedAtSource
from connectors.filesystem.extents import may_share, overwrite, written_in_place
from connectors.filesystem.faults import acting
from connectors.filesystem.files import open_file
from connectors.filesystem.held import State, state_of
from connectors.filesystem.hold import Hold
from connectors.filesystem.leases import lease_holds
from connectors.filesystem.taking import nobody_writes
from connectors.holding import Doubt, LetGo

_GOING = b".going"


def let_go(hold: Hold, id: str, expected: State | None) -> LetGo:
    """Destroys it; finishes what a crash has cut off. Raises the errors of `Holding.let_go`.

    `expected` is how it was when it was last looked at, if it was. A file that cannot be overwritten, be it for a
    fault of the device, is unlinked all the same, and a doubt says so: left in the hold it would be no safer.
    """
    name = id.encode()
    with acting():
        if hold.facts_of(name) is not None:
            return _destroy(hold, name, expected)
        if hold.facts_of(name + _GOING) is not None:
            return _finish(hold, name + _GOING)
        hold.sync()  # it may have been unlinked right before a crash
        return LetGo("nothing_there")


def _destroy(hold: Hold, name: bytes, expected: State | None) -> LetGo:
    writable = _may_be_written(hold, name)
    descriptor = open_file(hold.descriptor, name)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise ItemChanged("what lies in the hold is not a file")
        leased = nobody_writes(descriptor, hold)
        if expected is not None and state_of(facts) != expected:
            raise ItemChanged("the file was changed while it lay in the hold")
        doubt = _why_not_overwritten(descriptor) if writable else Doubt.COPIES_ON_WRITE
        if doubt is not None:
            hold.unlink(name)
            return LetGo("unlinked", frozenset({doubt}))
        hold.rename(name, name + _GOING)
        # That took a while. Whoever had the file open before it was taken finds his way to it, if he may write to it.
        now = os.fstat(descriptor)
        untouched = (now.st_size, now.st_mtime_ns) == (facts.st_size, facts.st_mtime_ns)
        if not untouched or (leased and not lease_holds(descriptor)):
            raise _changed(hold, name)
    finally:
        os.close(descriptor)  # and with it the lease, while which is held not even we can open the file for writing
    return _finish(hold, name + _GOING, state_of(now))


def _changed(hold: Hold, name: bytes) -> ItemChanged:
    hold.rename(name + _GOING, name)
    return ItemChanged("somebody wrote to the file in the hold at the last moment, or wants to")


def _may_be_written(hold: Hold, name: bytes) -> bool:
    try:
        os.close(_open_for_writing(hold, name))
    except BlockingIOError:
        raise LockedAtSource("the file in the hold is still open; close it first") from None
    except OSError:  # it is being executed, or we may only unlink it
        return False
    return True


def _open_for_writing(hold: Hold, name: bytes) -> int:
    return os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=hold.descriptor)


def _why_not_overwritten(descriptor: int) -> Doubt | None:
    if os.fstat(descriptor).st_nlink != 1:
        return Doubt.SHARED_EXTENTS
    if not written_in_place(descriptor):
        return Doubt.COPIES_ON_WRITE
    return Doubt.SHARED_EXTENTS if may_share(descriptor) else None


def _finish(hold: Hold, going: bytes, expected: State | None = None) -> LetGo:
    descriptor = _open_for_writing(hold, going)
    try:
        if expected is not None and state_of(os.fstat(descriptor)) != expected:
            raise _changed(hold, going.removesuffix(_GOING))
        try:
            overwrite(descriptor)
        except OSError:
            gone = LetGo("unlinked", frozenset({Doubt.COPIES_ON_WRITE}))
        else:
            gone = LetGo("overwritten")
        hold.unlink(going)
        return gone
    finally:
        os.close(descriptor)

"""Out of its place and into the hold, and back.

Between a check of a name and an act on it anybody may put another file there, and Linux unlinks by name only. So a file
is first renamed into a directory that nobody else can enter, and only what is found there, behind a descriptor that was
open all the time, counts as taken.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator, Sequence

from connectors.base import ItemRef
from connectors.errors import (
    ConnectorError,
    ItemChanged,
    LockedAtSource,
    PermissionDenied,
    PlaceTaken,
    SeveralNames,
)
from connectors.filesystem import properties
from connectors.filesystem.directories import keeping_times, sync
from connectors.filesystem.facts import version_of
from connectors.filesystem.faults import acting, making_way
from connectors.filesystem.files import open_file
from connectors.filesystem.folders import make_folders, naming
from connectors.filesystem.held import HeldFile, state_of
from connectors.filesystem.hold import Hold
from connectors.filesystem.leases import lease
from connectors.filesystem.properties import FolderProperties
from connectors.holding import Doubt, Taken


def take(root: int, hold: Hold, ref: ItemRef, version: bytes, id: str, quiet_seconds: float) -> HeldFile:
    """Moves the file into the hold. Raises the errors of `Holding.take`."""
    with acting():
        folder, way = properties.way_to(root, ref.folder)
    try:
        with acting(folder):
            descriptor = open_file(folder, ref.name)
        try:
            with acting(folder, descriptor):
                facts = _check(descriptor, version)
                if not hold.may_move_out(facts):
                    raise PermissionDenied("on this file system only the file's owner could move it back")
                leased = nobody_writes(descriptor, hold)
                if not leased:
                    _must_be_quiet(facts, quiet_seconds)
                facts = _check(descriptor, version)  # once more: only from here on does the lease tell of every writer
                with keeping_times(folder):
                    hold.move_in(folder, ref.name, id.encode())
                with _back_on_failure(hold, id, folder, ref.name):
                    return _settle(hold, id, folder, descriptor, facts, way, leased=leased)
        except ConnectorError:
            os.close(descriptor)
            raise
    finally:
        os.close(folder)


def _check(descriptor: int, version: bytes) -> os.stat_result:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or version_of(facts) != version:
        raise ItemChanged("the file is another one than was listed")
    if facts.st_nlink != 1:
        raise SeveralNames("the file has further names (hard links)")
    return facts


def nobody_writes(descriptor: int, hold: Hold) -> bool:
    """Whether it is known that nobody has the file open for writing, and told while the descriptor is open should
    somebody try. Raises `LockedAtSource` if somebody has."""
    got = lease(descriptor) if hold.can.leases else None
    if got is False:
        raise LockedAtSource("somebody has the file open for writing")
    return got is True


def _must_be_quiet(facts: os.stat_result, quiet_seconds: float) -> None:
    if time.time() - max(facts.st_mtime, facts.st_ctime) < quiet_seconds:
        raise LockedAtSource("it cannot be asked whether the file is open, and it was touched a moment ago")


def _settle(
    hold: Hold,
    id: str,
    folder: int,
    descriptor: int,
    before: os.stat_result,
    way: Sequence[FolderProperties],
    *,
    leased: bool,
) -> HeldFile:
    """What lies in the hold must be the file that was looked at, with nothing done to it meanwhile but our rename."""
    held, now = hold.facts_of(id.encode()), os.fstat(descriptor)
    if held is None or (held.st_dev, held.st_ino) != (now.st_dev, now.st_ino):
        raise ItemChanged("another file came into its place at the last moment")
    if now.st_nlink != 1:
        raise SeveralNames("the file was given a further name (hard link) at the last moment")
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ItemChanged("the file was written to at the last moment")
    hold.sync()
    sync(folder)
    had = properties.write(properties.collect(descriptor, way))
    file = HeldFile(descriptor, _taken(id, now, had, leased=leased), leased=leased)
    if file.state != state_of(now):
        raise ItemChanged("the file was changed at the last moment")
    if not file.still_current():
        raise LockedAtSource("somebody opened the file for writing at the last moment")
    return file


def _taken(id: str, facts: os.stat_result, had: bytes, *, leased: bool) -> Taken:
    return Taken(id, facts.st_size, had, frozenset() if leased else frozenset({Doubt.OPEN_UNKNOWN}))


@contextlib.contextmanager
def _back_on_failure(hold: Hold, id: str, folder: int, name: bytes) -> Iterator[None]:
    try:
        yield
    except (OSError, ConnectorError):
        try:
            with keeping_times(folder):
                hold.move_out(id.encode(), folder, name)
        except OSError:
            raise PlaceTaken(
                "what was taken could not be moved back, since something else has come into its place or the file "
                "system refused; it stays in the hold"
            ) from None
        with contextlib.suppress(OSError):  # the fault that was first is the one to be told
            sync(folder)
            hold.sync()
        raise


def look(hold: Hold, id: str) -> HeldFile | None:
    """What lies in the hold under that id, open for reading. Raises `ItemChanged` if that is no file."""
    with acting():
        if hold.facts_of(id.encode()) is None:
            return None
        descriptor = open_file(hold.descriptor, id.encode())
    try:
        with acting():
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise ItemChanged("what lies in the hold is not a file")
            leased = nobody_writes(descriptor, hold)
            had = properties.write(properties.collect(descriptor, ()))
            return HeldFile(descriptor, _taken(id, facts, had, leased=leased), leased=leased)
    except ConnectorError:
        os.close(descriptor)
        raise


def put_back(root: int, hold: Hold, id: str, ref: ItemRef) -> bool:
    """Moves what lies in the hold to `ref`; tells whether there was any. Raises the errors of `Holding.put_back`."""
    with making_way():
        if hold.facts_of(id.encode()) is None:
            return False
        folder = make_folders(root, ref.folder, (), hold)
    try:
        with acting(folder):
            with keeping_times(folder), naming():
                hold.move_out(id.encode(), folder, ref.name)
            sync(folder)
            hold.sync()
    finally:
        os.close(folder)
    return True

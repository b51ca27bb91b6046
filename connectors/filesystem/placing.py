"""Anew: a file with given content and the properties of one that was taken, whole in its place or not there."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from connectors.base import ItemRef
from connectors.errors import ItemChanged, ItemNotFound, PlaceTaken, SourceFault
from connectors.filesystem import properties
from connectors.filesystem.directories import keeping_times, sync
from connectors.filesystem.extents import punch_again
from connectors.filesystem.facts import version_of
from connectors.filesystem.faults import acting, making_way
from connectors.filesystem.files import open_file, sha256_of
from connectors.filesystem.folders import make_folders, naming
from connectors.filesystem.giving import give
from connectors.filesystem.hold import Hold
from connectors.filesystem.properties import Properties
from connectors.holding import Made

_SOMETHING = (errno.EACCES, errno.ELOOP, errno.ENXIO)  # what cannot be opened is there, and is not what we would make


def make(
    root: int,
    hold: Hold,
    ref: ItemRef,
    had: Properties,
    write: Callable[[int], None],
    sha256: str,
    *,
    keep_times: bool,
) -> Made:
    """Makes the file. Raises the errors of `Holding.make`, and what `write` raises: then nothing has been made."""
    with making_way():
        folder = make_folders(root, ref.folder, had.folders, hold)
    try:
        with acting(folder):
            version = _made_before(folder, ref.name, sha256)
            if version is not None:
                return Made(ref, version, made=False)
            return _make(folder, hold, ref, had, write, sha256, keep_times=keep_times)
    finally:
        os.close(folder)


def _make(
    folder: int,
    hold: Hold,
    ref: ItemRef,
    had: Properties,
    write: Callable[[int], None],
    sha256: str,
    *,
    keep_times: bool,
) -> Made:
    lies_there = _LiesThere(folder, ref.name)
    with lies_there, hold.draft() as draft:
        file = draft.descriptor
        lies_there.made_of(file)
        write(file)
        punch_again(file, had.holes)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)  # so that what is read back comes from the device
        if sha256_of(file) != sha256:
            raise ItemChanged("what was written is not what should have been")
        lacking = give(file, had, keep_times=keep_times, time_step_ns=hold.can.time_step_ns)
        os.fsync(file)
        try:
            with keeping_times(folder), naming():
                hold.place(draft, folder, ref.name)
        except FileExistsError:  # somebody was quicker
            version = _made_before(folder, ref.name, sha256)
            if version is None:
                raise
            return Made(ref, version, made=False)
        sync(folder)
        return Made(ref, version_of(os.fstat(file)), made=True, lacking=lacking)


class _LiesThere:
    """Around the making of a file: what fails once it lies in its place is no refusal. Then `SourceFault` says that it
    may be there for good or not, which only another look can tell."""

    def __init__(self, folder: int, name: bytes) -> None:
        self._folder = folder
        self._name = name
        self._file: os.stat_result | None = None

    def made_of(self, file: int) -> None:
        """What will lie there."""
        self._file = os.fstat(file)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, OSError) and self._file is not None:
            with suppress(OSError):
                there = os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
                if os.path.samestat(there, self._file):
                    raise SourceFault(os.strerror(error.errno or errno.EIO)) from None


def version_at(root: int, ref: ItemRef, sha256: str) -> bytes | None:
    """The version of the file, if it has that content. Raises the errors of `Holding.version_at`."""
    try:
        with acting():
            folder, _ = properties.way_to(root, ref.folder)
        try:
            with acting(folder):
                return _made_before(folder, ref.name, sha256)
        finally:
            os.close(folder)
    except (ItemNotFound, PlaceTaken):
        return None


def _made_before(folder: int, name: bytes, sha256: str) -> bytes | None:
    """The version of what lies there, if it is what should be made; durable then. Raises `PlaceTaken` if it is not."""
    try:
        with naming():
            descriptor = open_file(folder, name)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno not in _SOMETHING:
            raise
        raise PlaceTaken("something else lies there; nothing was replaced") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or sha256_of(descriptor) != sha256:
            raise PlaceTaken("something else lies there; nothing was replaced")
        try:
            os.fsync(descriptor)
            sync(folder)
        except OSError as error:
            raise SourceFault(os.strerror(error.errno or errno.EIO)) from None
        return version_of(facts)
    finally:
        os.close(descriptor)

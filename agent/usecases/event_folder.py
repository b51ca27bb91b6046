"""The drop folder: whoever puts a table of events there has it recorded at the next run, once.

A file is read, recorded, and then moved. One that was recorded but could not be moved, because the machine stopped in
between, is known by its contents at the next run and only moved.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.errors import UsageError
from agent.usecases.event_file import MOST_BYTES
from agent.usecases.events import EventRegister, Proposal
from connectors.base import show_name

SETTLED_AFTER_SECONDS = 5.0
DONE, REFUSED = b"done", b"refused"
_ENDING, _PROBLEMS = b".csv", b".txt"


class Fate(StrEnum):
    """What became of a file in the drop folder."""

    IMPORTED = "imported"
    IMPORTED_BEFORE = "imported_before"
    REFUSED = "refused"
    LEFT = "left"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file of the drop folder, how many events it brought, and why it was refused or left, or could not be moved."""

    name: str
    fate: Fate
    events: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file's contents, and what it was when they were read."""

    data: bytes
    identity: tuple[int, ...]


class DropFolder:
    """A folder whose tables of events (`*.csv`) are imported one by one.

    `accept(name, proposal)` is asked before each: what it answers is the number of events recorded, or none if the
    file is to stay for another time. With `dry_run` nothing is moved, and `accept` must record nothing.
    """

    def __init__(
        self,
        path: bytes,
        register: EventRegister,
        accept: Callable[[str, Proposal], int | None],
        now_seconds: Callable[[], float],
        *,
        planned: bool = False,
        unawaited: bool = False,
        dry_run: bool = False,
        settled_after_seconds: float = SETTLED_AFTER_SECONDS,
    ) -> None:
        self._path = path
        self._register = register
        self._accept = accept
        self._now_seconds = now_seconds
        self._planned = planned
        self._unawaited = unawaited
        self._dry_run = dry_run
        self._settled_after_seconds = settled_after_seconds

    def run(self) -> Iterator[Dropped]:
        """Takes each file by name, and tells what became of it. Safe to run again after any interruption.

        Raises `UsageError` before anything is recorded if the folder cannot be read, or has no place for what is done.
        """
        try:
            names = sorted(name for name in os.listdir(self._path) if name.lower().endswith(_ENDING))
            for target in () if self._dry_run else (DONE, REFUSED):
                os.makedirs(self._at(target), exist_ok=True)
            aside = next((target for target in (DONE, REFUSED) if os.path.islink(self._at(target))), None)
        except OSError as error:
            where = show_name(os.fsencode(error.filename))
            raise UsageError(f"{where}: events cannot be taken from this folder ({error.strerror}).") from error
        if aside is not None:  # whoever may write here could have it point anywhere
            raise UsageError(f"{show_name(self._at(aside))}: this must be a folder of its own, not a link. Remove it.")
        for name in names:
            yield self._take(name)

    def _take(self, name: bytes) -> Dropped:
        shown = show_name(name)
        try:
            read = self._read(name)
        except OSError as error:
            return Dropped(shown, Fate.UNREADABLE, why=f"{shown}: it cannot be read ({error.strerror}).")
        if read is None:
            return Dropped(shown, Fate.LEFT, why=f"{shown}: it is still being written, and is left for the next run.")
        if self._register.imported_before(read.data):
            return self._moved(name, read, DONE, Dropped(shown, Fate.IMPORTED_BEFORE))
        try:
            proposal = self._register.propose_file(shown, read.data, planned=self._planned, unawaited=self._unawaited)
            recorded = self._accept(shown, proposal)
        except UsageError as error:
            if self._register.imported_before(read.data):  # by another run, while this one looked at it
                return self._moved(name, read, DONE, Dropped(shown, Fate.IMPORTED_BEFORE))
            return self._moved(name, read, REFUSED, Dropped(shown, Fate.REFUSED, why=str(error)))
        if recorded is None:
            return Dropped(shown, Fate.LEFT, why=f"{shown}: it was not accepted, and is left where it is.")
        return self._moved(name, read, DONE, Dropped(shown, Fate.IMPORTED, recorded))

    def _read(self, name: bytes) -> _Read | None:
        """The contents, or none if the file has been written to a moment ago. Raises `OSError`."""
        # A link may lead anywhere, and a pipe never ends: only a plain file is read.
        descriptor = os.open(self._at(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise OSError(errno.EINVAL, "it is not a plain file")
            if abs(self._now_seconds() - before.st_mtime) < self._settled_after_seconds:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                return _Read(file.read(MOST_BYTES + 1), _identity(before))
        finally:
            os.close(descriptor)

    def _moved(self, name: bytes, read: _Read, target: bytes, dropped: Dropped) -> Dropped:
        """The file in `done` or `refused`, there with its problems beside it; nothing there is ever replaced."""
        if self._dry_run:
            return dropped
        new = self._free(target, name)
        try:
            if target == REFUSED:
                with open(new + _PROBLEMS, "x", encoding="utf-8", errors="backslashreplace") as problems:
                    problems.write(f"{dropped.why}\n")
            os.rename(self._at(name), new)
            if _identity(os.lstat(new)) != read.identity:  # it has been written to, or replaced, since it was read
                os.rename(new, self._at(name))
        except OSError as error:
            why = f"{dropped.why}\n" if dropped.why else ""
            return replace(dropped, why=f"{why}{dropped.name}: it cannot be moved away ({error.strerror}).")
        return dropped

    def _free(self, target: bytes, name: bytes) -> bytes:
        stem, ending = name[: -len(_ENDING)], name[-len(_ENDING) :]
        new, number = self._at(target, name), 1
        while os.path.lexists(new) or os.path.lexists(new + _PROBLEMS):
            number += 1
            new = self._at(target, b"%b (%d)%b" % (stem, number, ending))
        return new

    def _at(self, *parts: bytes) -> bytes:
        return os.path.join(self._path, *parts)


def _identity(seen: os.stat_result) -> tuple[int, ...]:
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)

"""A standing that processes of one host share: the ones that scan and the ones that act ask the same tenant.

It is one small record in one file, written in place under a lock: so both roles can own a share of it without owning
each other's files, and a record that was only half written is told by its checksum.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TypeVar

from connectors.microsoft365.standing import OwnStanding, Standing

T = TypeVar("T")

_RECORD_BYTES = 512
_FORM = b"g1"
_MODE = 0o660
_LONGEST_LOCKED_SECONDS = 2.0  # whoever holds the lock for longer was stopped while he held it
_LOOK_AGAIN_SECONDS = 0.001


class FileStanding:
    """The standing in the file at `path`, which is made if it is missing, for its owner and its group.

    Its times are those of the monotonic clock, which all processes of one host read alike. A file that is missing or
    damaged counts as a standing with nothing saved up. Where the file cannot be used, this process keeps a standing of
    its own and `shared` is false. The caller sees to it that one thread at a time asks.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._own = OwnStanding()
        self._shared = True

    @property
    def shared(self) -> bool:
        """Whether the file could be used the last time."""
        return self._shared

    def change(self, rule: Callable[[Standing], tuple[Standing, T]]) -> T:
        """Replaces the standing by what `rule` makes of it and gives what else the rule tells."""
        try:
            with self._locked() as file:
                standing = _read(os.pread(file, _RECORD_BYTES, 0))
                changed, told = rule(standing)
                if changed != standing:
                    os.pwrite(file, _written(changed), 0)
        except OSError:
            self._shared = False
            return self._own.change(rule)
        self._shared = True
        self._own.change(lambda _: (changed, None))  # what we go on with if the file is lost
        return told

    def close(self) -> None:
        """Safe to call twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def _locked(self) -> Iterator[int]:
        if self._file is None:
            self._file = _opened(self._path)
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - began > _LONGEST_LOCKED_SECONDS:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)
        try:
            yield self._file
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def _opened(path: str) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    if os.fstat(file).st_uid == os.geteuid():
        os.fchmod(file, _MODE)  # whatever the umask of a service says: the other role is in the group only
    return file


def _written(standing: Standing) -> bytes:
    said = json.dumps(asdict(standing), separators=(",", ":")).encode("ascii")
    record = b"%s %08x %s" % (_FORM, zlib.crc32(said), said)
    return record.ljust(_RECORD_BYTES - 1) + b"\n"


def _read(record: bytes) -> Standing:
    """The standing that was written, or one without any past if it was not written so."""
    form, _, rest = record.partition(b" ")
    checksum, _, said = rest.rstrip().partition(b" ")
    if form != _FORM or checksum != b"%08x" % zlib.crc32(said):
        return Standing()
    try:
        found = json.loads(said)
        standing = Standing(**{field.name: found[field.name] for field in fields(Standing)})
        finite = all(math.isfinite(value) for value in asdict(standing).values() if not isinstance(value, str))
    except (ValueError, KeyError, TypeError):
        return Standing()
    return standing if finite else Standing()

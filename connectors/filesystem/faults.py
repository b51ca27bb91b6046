"""What the faults of a file system mean when we act on it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.errors import ConnectorError, HoldUnavailable, Immutable, NoRoom, PlaceTaken, ReadOnlySource
from connectors.filesystem.facts import on_opening
from connectors.filesystem.linux import beyond_stat

_ON_ACTING: dict[int, type[ConnectorError]] = {
    errno.EROFS: ReadOnlySource,
    errno.ENOSPC: NoRoom,
    errno.EDQUOT: NoRoom,
    errno.EXDEV: HoldUnavailable,
    errno.EEXIST: PlaceTaken,
    errno.ENOTEMPTY: PlaceTaken,
}
_IN_THE_WAY = (errno.ENOTDIR, errno.ELOOP, errno.EXDEV)


@contextmanager
def acting(*touched: int) -> Iterator[None]:
    """Turns faults into the errors of `connectors.errors`. `touched` are the open files and folders acted on."""
    try:
        yield
    except OSError as error:
        raise on_acting(error, *touched) from None


@contextmanager
def making_way() -> Iterator[None]:
    """The same where folders on the way to a place are sought or made: what has come in their way is a taken place."""
    try:
        yield
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise PlaceTaken("something that is no folder of this share lies on the way there") from None
        raise on_acting(error) from None


def on_acting(error: OSError, *touched: int) -> ConnectorError:
    """What a fault of an act means. The message names the fault, never the item."""
    said = os.strerror(error.errno or errno.EIO)
    if error.errno == errno.EPERM and any(beyond_stat(descriptor).unchangeable for descriptor in touched):
        return Immutable("the file or its folder is marked so that nobody may change it (chattr +i or +a)")
    kind = _ON_ACTING.get(error.errno or 0)
    return kind(said) if kind else on_opening(error)

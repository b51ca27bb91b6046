"""Where a backup is written before it stands under its name: beside it, so that half of one is never taken for one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import UsageError

_DRAFT = ".draft"
_BEGIN, _END = "retentiond-backup-", ".tar"
_MOMENT = "%Y%m%dT%H%M%SZ"
_FILES = ("backup.tar", "catalogue.sqlite", "catalogue.sqlite-journal", "keyring", "index")
_FULL = (errno.ENOSPC, errno.EDQUOT)


def backup_name(made_at: datetime) -> str:
    """What a backup of this moment is called in a directory of backups."""
    return f"{_BEGIN}{made_at.astimezone(UTC).strftime(_MOMENT)}{_END}"


def is_backup_name(name: str) -> bool:
    """Whether a file is called as we call backups."""
    moment = name.removeprefix(_BEGIN).removesuffix(_END)
    try:
        return backup_name(datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)) == name
    except ValueError:
        return False


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """A directory of our own beside `target`, gone afterwards. What earlier runs left when they were killed goes too.

    Raises `UsageError` if the target is there already or another one is writing it; `OSError`.
    """
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent}: there is no such directory. Make it, or name another place.")
    if os.path.lexists(target):
        raise UsageError(f"{target}: there is a file already, and a backup never replaces one. Name another place.")
    folder = target.with_name(f".{target.name}{_DRAFT}")
    for left in {folder, *target.parent.glob(f".{_BEGIN}*{_END}{_DRAFT}")}:
        _sweep(left)
    try:
        folder.mkdir(mode=0o700)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileExistsError:
        raise UsageError(f"{target}: another process is writing this backup. Wait for it.") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        _empty(folder)
        os.close(held)


def put_in_place(draft: Path, target: Path) -> None:
    """The finished file under its name, durably. Raises `OSError`."""
    if os.path.lexists(target):
        raise UsageError(f"{target}: there is a file already, and a backup never replaces one. Name another place.")
    draft.rename(target)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """Makes the names in a directory durable, where its file system can (some network shares cannot)."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(folder)


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turns the system's refusals into words. `what` names what could not be written."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise UsageError(
                f"{what}: there is no room for it ({error.strerror}). Make room, or name another place. Nothing is "
                "left of it, and what was there before is as it was."
            ) from error
        raise UsageError(f"{what}: it cannot be written ({error.strerror or error}). Nothing is left of it.") from error


def _sweep(folder: Path) -> None:
    """Removes a draft unless somebody is at work on it."""
    with contextlib.suppress(OSError):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _empty(folder)
        finally:
            os.close(held)


def _empty(folder: Path) -> None:
    """Only files that we make there: whatever else lies there stays, and the directory with it."""
    for name in _FILES:
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()

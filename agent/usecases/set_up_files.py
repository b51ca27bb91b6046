"""Files and folders of the system as they must be: content, owner and mode; whole and durable, or not there.

Service users can write to the state directory, so nothing here follows a link that one of them could have put there.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ConfigurationError, UsageError
from agent.vault.disk import Disk, sync_directory

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Rights:
    """Whose a file or folder is, and who may do what with it."""

    uid: int
    gid: int
    mode: int

    def lacking(self, path: Path) -> str:
        """What is not so, in words; empty if all is. A link counts as missing what it leads to."""
        try:
            facts = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return "it is missing"
        mode = stat.S_IMODE(facts.st_mode)
        if stat.S_ISLNK(facts.st_mode):
            return "it is a link"
        if (facts.st_uid, facts.st_gid) != (self.uid, self.gid):
            return f"it belongs to {facts.st_uid}:{facts.st_gid}, not {self.uid}:{self.gid}"
        return "" if mode == self.mode else f"its mode is {mode:04o}, not {self.mode:04o}"

    def give(self, descriptor: int) -> None:
        """Gives them to what is open. The owner first: a change of owner takes the set-group-ID bit away."""
        os.fchown(descriptor, self.uid, self.gid)
        os.fchmod(descriptor, self.mode)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns what the system refuses into a sentence that names the path."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be set up ({error.strerror}).") from error


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else sets this machine up meanwhile. Raises `UsageError` if somebody does."""
    with told(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{folder}: another `retentiond init --system` is at work here. Wait for it.") from None
        yield
    finally:
        os.close(descriptor)


def grant(path: Path, rights: Rights) -> None:
    """Gives what lies there these rights. Raises `ConfigurationError`, also for a link or a file with a second name."""
    with told(path):
        descriptor = os.open(path, _FLAGS)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISDIR(facts.st_mode) and (not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1):
                raise ConfigurationError(f"{path}: this is no plain file with one name. Look where it comes from.")
            rights.give(descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(path: Path, rights: Rights) -> None:
    """Makes the folder, and plain ones above it, unless it is there; gives it these rights. Raises
    `ConfigurationError`."""
    with told(path):
        missing = [parent for parent in path.parents if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(mode=0o755)
            sync_directory(Disk(), str(parent.parent))
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        sync_directory(Disk(), str(path.parent))
    grant(path, rights)


def content_of(path: Path) -> bytes | None:
    """What is in the file; nothing if there is no plain file. Raises `ConfigurationError`."""
    with told(path):
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError:
            if path.is_symlink() or not path.exists():
                return None
            raise
        with open(descriptor, "rb") as file:
            return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def write_file(path: Path, content: bytes, rights: Rights, *, replace: bool = True) -> None:
    """Puts a file with this content in its place, whole. What lies there already goes, unless not `replace`: then that
    is an error. Raises `ConfigurationError`."""
    draft = _draft(path)
    with told(path):
        draft.unlink(missing_ok=True)  # left by one that was cut off
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                rights.give(descriptor)
                os.fsync(descriptor)
            _place(draft, path, replace=replace)
        finally:
            draft.unlink(missing_ok=True)
        sync_directory(Disk(), str(path.parent))


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.draft")


def _place(draft: Path, path: Path, *, replace: bool) -> None:
    if replace:
        draft.replace(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        Disk().rename_noreplace(folder, draft.name, path.name)
    finally:
        os.close(folder)


def set_aside(path: Path, day: str) -> Path | None:
    """Keeps a copy of what lies there, `….before-DAY`; gives its path, or nothing if nothing lies there.

    May be run again after it was cut off: what is kept already is not kept twice. Raises `ConfigurationError`.
    """
    content = content_of(path)
    if content is None:
        return None
    facts = path.lstat()
    for number in itertools.count(1):
        kept = path.with_name(f"{path.name}.before-{day}" + (f".{number}" if number > 1 else ""))
        there = content_of(kept)
        if there is None and not os.path.lexists(kept):
            rights = Rights(facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode))
            write_file(kept, content, rights, replace=False)
            return kept
        if there == content:
            return kept
    return None


def point(path: Path, target: str) -> None:
    """Makes the link `path` lead to `target`, whatever lies there. Raises `ConfigurationError`."""
    draft = _draft(path)
    with told(path):
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(path)
        sync_directory(Disk(), str(path.parent))

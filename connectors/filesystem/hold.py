"""The hold of a share: a directory that nobody but us can enter, on the share's own file system."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from connectors.errors import HoldUnavailable
from connectors.filesystem import changes
from connectors.filesystem.capabilities import HoldingCapabilities, probe
from connectors.filesystem.connector import HOLD
from connectors.filesystem.directories import keeping_times, sync
from connectors.filesystem.linux import beyond_stat

_DRAFT = b"draft-"  # what we are making; whatever is left of it after a crash is worth nothing
_OTHERS = 0o077
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_HOLD = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.ENOENT)


@dataclass(frozen=True, slots=True)
class Draft:
    """A file in the hold that is being made. `name` is empty if it has none yet."""

    descriptor: int
    name: bytes


class Hold:
    """An open hold. Taken items lie in it under their ids; one that is being destroyed has `.going` behind it.

    One process uses it at a time. All methods raise `OSError`.
    """

    def __init__(self, descriptor: int) -> None:
        """Owns the descriptor. Takes away what a crash has left half made, where it can."""
        self.descriptor = descriptor
        self._can: HoldingCapabilities | None = None
        with contextlib.suppress(OSError):
            for name in self.names():
                if name.startswith(_DRAFT):
                    self._drop(name)

    @property
    def can(self) -> HoldingCapabilities:
        """What can be done here; found out when it is first asked."""
        if self._can is None:
            self._can = probe(self.descriptor, _new_name())
        return self._can

    @classmethod
    def find(cls, root: int, path: bytes | None) -> Self | None:
        """The hold at `path`, or in the folder `root` if there is none given; none if there is no hold yet.

        Raises `HoldUnavailable` if it is not on the share's own mount, not ours, or not ours alone.
        """
        name, within = (HOLD, root) if path is None else (path, None)
        with _unavailable():
            try:
                descriptor = os.open(name, _FLAGS, dir_fd=within)
            except FileNotFoundError:
                return None
        try:
            _check(descriptor, root)
        except HoldUnavailable:
            os.close(descriptor)
            raise
        return cls(descriptor)

    @classmethod
    def make(cls, root: int, path: bytes | None) -> Self:
        """The same, made if it is not there."""
        hold = cls.find(root, path)
        while hold is None:
            with _unavailable():
                _make(root, path)
            hold = cls.find(root, path)
        return hold

    def check_abilities(self) -> None:
        """Raises `HoldUnavailable` if nothing could be moved out again without the danger of replacing something."""
        if not (self.can.renames_new or self.can.links):
            raise HoldUnavailable("this file system can move nothing without the danger of replacing something")

    def close(self) -> None:
        os.close(self.descriptor)

    def names(self) -> list[bytes]:
        """Of all that lies in it."""
        return sorted(os.fsencode(name) for name in os.listdir(self.descriptor))

    def facts_of(self, name: bytes) -> os.stat_result | None:
        """What lies there under that name, if anything does."""
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def may_move_out(self, facts: os.stat_result) -> bool:
        """Whether a file can be moved out again: where a link is needed for that, only owners and root may make one."""
        return self.can.renames_new or os.geteuid() in (0, facts.st_uid)

    def move_in(self, folder: int, name: bytes, to: bytes) -> None:
        """Moves whatever lies at a place into the hold. Raises `FileExistsError` if something lies there."""
        if self.can.renames_new:
            changes.rename_new(folder, name, self.descriptor, to)
            return
        if self.facts_of(to) is not None:  # nobody else puts anything here, so it is enough to look
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(name, to, src_dir_fd=folder, dst_dir_fd=self.descriptor)

    def move_out(self, name: bytes, folder: int, to: bytes) -> None:
        """Moves what lies in the hold to a place, over nothing: raises `FileExistsError`.

        Safe to repeat after a crash. Where there is no rename that never replaces, a folder may replace an empty one.
        """
        if self.can.renames_new:
            changes.rename_new(self.descriptor, name, folder, to)
            return
        facts = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode):  # of which there cannot be a second name
            os.rename(name, to, src_dir_fd=self.descriptor, dst_dir_fd=folder)
            return
        try:
            os.link(name, to, src_dir_fd=self.descriptor, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            if os.stat(to, dir_fd=folder, follow_symlinks=False).st_ino != facts.st_ino:
                raise
        os.unlink(name, dir_fd=self.descriptor)

    def rename(self, name: bytes, to: bytes) -> None:
        """Renames what lies in the hold, durably."""
        os.rename(name, to, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        self.sync()

    def unlink(self, name: bytes) -> None:
        """Takes a file away, durably."""
        os.unlink(name, dir_fd=self.descriptor)
        self.sync()

    def sync(self) -> None:
        """What was moved in or out is durable."""
        sync(self.descriptor)

    # What is being made

    @contextlib.contextmanager
    def draft(self) -> Iterator[Draft]:
        """A new empty file, open for reading and writing; gone afterwards unless it has been placed."""
        name = b"" if self.can.nameless else _new_name()
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if name else os.O_TMPFILE)
        descriptor = os.open(name or b".", flags, 0o600, dir_fd=self.descriptor)
        try:
            yield Draft(descriptor, name)
        finally:
            os.close(descriptor)
            if name:
                self._drop(name)

    def place(self, draft: Draft, folder: int, name: bytes) -> None:
        """Gives a draft its place, over nothing: raises `FileExistsError`."""
        if draft.name:
            self.move_out(draft.name, folder, name)
        else:
            changes.link_open(draft.descriptor, folder, name)

    def new_folder(self) -> tuple[int, bytes]:
        """A descriptor of a new folder in the hold, and its name there."""
        name = _new_name()
        os.mkdir(name, 0o700, dir_fd=self.descriptor)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.descriptor), name

    def drop_folder(self, name: bytes) -> None:
        """Takes such a folder away, if it is still there."""
        self._drop(name)

    def _drop(self, name: bytes) -> None:
        facts = self.facts_of(name)
        if facts is not None and stat.S_ISDIR(facts.st_mode):
            os.rmdir(name, dir_fd=self.descriptor)
        elif facts is not None:
            os.unlink(name, dir_fd=self.descriptor)


def _new_name() -> bytes:
    return _DRAFT + secrets.token_hex(16).encode()


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_HOLD:
            raise
        raise HoldUnavailable(f"the hold can neither be opened nor made ({os.strerror(error.errno)})") from None


def _make(root: int, path: bytes | None) -> None:
    if path is None:
        name, parent = HOLD, os.dup(root)
    else:
        name, parent = path, os.open(os.path.dirname(path) or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with keeping_times(parent), contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        sync(parent)
    finally:
        os.close(parent)


def _check(descriptor: int, root: int) -> None:
    facts, share = os.fstat(descriptor), os.fstat(root)
    if (facts.st_dev, beyond_stat(descriptor).mount) != (share.st_dev, beyond_stat(root).mount):
        raise HoldUnavailable("the hold must lie on the same file system, and the same mount of it, as the share")
    if facts.st_uid != os.geteuid() or facts.st_mode & _OTHERS:
        raise HoldUnavailable("the hold must belong to us, and its mode must be 0700, so that nobody else can enter it")

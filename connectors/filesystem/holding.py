"""The acting half of the connector to a folder: into the hold, back, away, and anew.

A file cannot be unlinked by its descriptor on Linux, and between a check of a name and an act on it anybody may put
another file there. So a file is first renamed into a directory that nobody else can enter, without ever replacing
anything, and only what is found there, behind a descriptor that was open all the time, is acted on.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from connectors.base import ItemRef, Scope
from connectors.errors import (
    ConnectorError,
    HoldUnavailable,
    Immutable,
    ItemChanged,
    ItemNotFound,
    LockedAtSource,
    NoRoom,
    PlaceTaken,
    ReadOnlySource,
    ScopeUnavailable,
    SeveralNames,
    Unsupported,
)
from connectors.filesystem import changes, properties
from connectors.filesystem.attributes import MARK_PREFIX
from connectors.filesystem.capabilities import HoldingCapabilities, probe
from connectors.filesystem.connector import HOLD, identity_of, open_root
from connectors.filesystem.facts import on_opening, version_of
from connectors.filesystem.folders import keeping_times, make_folders, sync
from connectors.filesystem.linux import open_beneath
from connectors.filesystem.walk import open_folder
from connectors.holding import Doubt, LetGo, Made, Taken

_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)
_IN_PLACE = frozenset({0xEF53, 0x58465342})  # f_type of ext2/3/4 and xfs, which overwrite where a block lies
_ON_ACTING: dict[int, type[ConnectorError]] = {
    errno.EROFS: ReadOnlySource,
    errno.ENOSPC: NoRoom,
    errno.EDQUOT: NoRoom,
    errno.EXDEV: HoldUnavailable,
    errno.EEXIST: PlaceTaken,
}


def on_acting(error: OSError) -> ConnectorError:
    """What a fault of an act means. The message names the fault, never the item."""
    kind = _ON_ACTING.get(error.errno or 0)
    return kind(os.strerror(error.errno or errno.EIO)) if kind else on_opening(error)


class HeldFile:
    """A file in the hold, open for reading: a `TakenContent`."""

    def __init__(self, descriptor: int, taken: Taken, *, leased: bool) -> None:
        self._descriptor: int | None = descriptor
        self._facts = _what_stays(os.fstat(descriptor))
        self._leased = leased
        self.taken = taken

    def fileno(self) -> int:
        if self._descriptor is None:
            raise ValueError("this file is closed")
        return self._descriptor

    def still_current(self) -> bool:
        descriptor = self.fileno()
        if self._leased and not changes.lease_holds(descriptor):
            return False
        return _what_stays(os.fstat(descriptor)) == self._facts

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)  # and the lease with it
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _what_stays(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_nlink


class FilesystemHolding:
    """Acts on the folder `root`, as `connectors.holding.Holding` says.

    The hold is the directory `hold`, or `.retentiond-hold` in the root, which scans leave out. Where it cannot be asked
    whether a file is open, one that was touched within `quiet_seconds` counts as open.
    """

    def __init__(self, root: bytes, name: str, *, hold: bytes | None = None, quiet_seconds: float = 300.0) -> None:
        self._path = root
        self._name = name
        self._hold_path = hold
        self._quiet_seconds = quiet_seconds
        self._root: int | None = None
        self._hold: int | None = None
        self._can: HoldingCapabilities | None = None

    # Into the hold

    def take(self, scope: Scope, ref: ItemRef, version: bytes, id: str) -> HeldFile:
        root, hold = self._opened(scope), self._hold_of(scope)
        try:
            folder = open_folder(root, ref.folder)
        except OSError as error:
            raise on_opening(error) from None
        try:
            return self._take(root, folder, hold, ref, version, id)
        except OSError as error:
            raise on_acting(error) from None
        finally:
            os.close(folder)

    def _take(self, root: int, folder: int, hold: int, ref: ItemRef, version: bytes, id: str) -> HeldFile:
        descriptor = _open(folder, ref.name)
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, descriptor)
            before = os.fstat(descriptor)
            _check(before, version, descriptor)
            leased = self._lease(descriptor, before)
            had = properties.collect(descriptor, _folders_of(root, ref.folder))
            doubts = set() if leased else {Doubt.OPEN_UNKNOWN}
            with keeping_times(folder):
                self._rename(folder, ref.name, hold, id.encode(), descriptor)
                try:
                    self._check_held(hold, id, descriptor, before)
                    sync(hold)
                    sync(folder)
                except (OSError, ConnectorError):
                    self._return(hold, id, folder, ref.name)
                    raise
            taken = Taken(id, before.st_size, properties.write(had), frozenset(doubts))
            held = HeldFile(descriptor, taken, leased=leased)
            opened.pop_all()
            return held

    def _lease(self, descriptor: int, facts: os.stat_result) -> bool:
        """Whether it is known that nobody writes to the file; raises `LockedAtSource` if somebody may."""
        got = changes.lease(descriptor) if self._capabilities.leases else None
        if got is False:
            raise LockedAtSource("somebody has the file open for writing")
        if got is None and time.time() - max(facts.st_mtime, facts.st_ctime) < self._quiet_seconds:
            raise LockedAtSource("the file was touched a moment ago, and it cannot be asked whether it is open")
        return got is not None

    @staticmethod
    def _check_held(hold: int, id: str, descriptor: int, before: os.stat_result) -> None:
        """What lies in the hold must be the file that was looked at, with nothing written to it meanwhile."""
        held, now = os.stat(id, dir_fd=hold, follow_symlinks=False), os.fstat(descriptor)
        same = (held.st_dev, held.st_ino) == (now.st_dev, now.st_ino)
        unchanged = (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns) and now.st_nlink == 1
        if not (same and unchanged):
            raise ItemChanged("another file came into its place at the last moment, or it was written to")

    def _return(self, hold: int, id: str, folder: int, name: bytes) -> None:
        """Back at once; if something has come into its place meanwhile, `PlaceTaken`, and it stays in the hold."""
        try:
            self._rename(hold, id.encode(), folder, name, None)
        except FileExistsError:
            raise PlaceTaken("something else came into its place while it was being taken") from None
        sync(folder)
        sync(hold)

    # Back, and away

    def taken(self, scope: Scope, id: str) -> HeldFile | None:
        self._opened(scope)
        hold = self._hold_of(scope)
        try:
            descriptor = _open(hold, id.encode())
        except ItemNotFound:
            return None
        except OSError as error:
            raise on_acting(error) from None
        try:
            had = properties.collect(descriptor, ())
            return HeldFile(descriptor, Taken(id, had.size_bytes, properties.write(had)), leased=False)
        except OSError as error:
            os.close(descriptor)
            raise on_acting(error) from None

    def put_back(self, scope: Scope, id: str, ref: ItemRef) -> bool:
        root, hold = self._opened(scope), self._hold_of(scope)
        try:
            os.stat(id, dir_fd=hold, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise on_acting(error) from None
        try:
            folder = make_folders(root, ref.folder, ())
        except OSError as error:
            raise on_acting(error) from None
        try:
            with keeping_times(folder):
                self._rename(hold, id.encode(), folder, ref.name, None)
                sync(folder)
                sync(hold)
        except OSError as error:
            raise on_acting(error) from None
        finally:
            os.close(folder)
        return True

    def let_go(self, scope: Scope, id: str) -> LetGo:
        self._opened(scope)
        hold = self._hold_of(scope)
        try:
            descriptor = os.open(
                id, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOATIME, dir_fd=hold
            )
        except FileNotFoundError:
            return LetGo("nothing_there")
        except OSError as error:
            raise on_acting(error) from None
        try:
            method, doubts = _overwrite(descriptor)
            os.unlink(id, dir_fd=hold)
            sync(hold)
        except OSError as error:
            raise on_acting(error) from None
        finally:
            os.close(descriptor)
        return LetGo(method, doubts)

    def in_hold(self, scope: Scope) -> Iterator[str]:
        self._opened(scope)
        hold = self._hold_of(scope)
        try:
            names = sorted(os.listdir(hold))
        except OSError as error:
            raise on_acting(error) from None
        yield from names

    # Anew

    def make(
        self,
        scope: Scope,
        ref: ItemRef,
        properties: bytes,
        write: Callable[[int], None],
        sha256: str,
        *,
        keep_times: bool = True,
    ) -> Made:
        root = self._opened(scope)
        self._hold_of(scope)  # what can be done here is known from there
        had = _read_properties(properties)
        try:
            folder = make_folders(root, ref.folder, had.folders)
        except OSError as error:
            raise on_acting(error) from None
        try:
            if (version := _there(folder, ref.name, sha256)) is not None:
                return Made(ref, version, made=False)
            return self._make(folder, ref, had, write, sha256, keep_times=keep_times)
        except OSError as error:
            raise on_acting(error) from None
        finally:
            os.close(folder)

    def _make(
        self,
        folder: int,
        ref: ItemRef,
        had: properties.Properties,
        write: Callable[[int], None],
        sha256: str,
        *,
        keep_times: bool,
    ) -> Made:
        draft = b".retentiond-" + secrets.token_hex(16).encode()
        nameless = self._capabilities.nameless
        with keeping_times(folder):
            if nameless:
                flags = os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC
                descriptor = os.open(b".", flags, 0o600, dir_fd=folder)
            else:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                descriptor = os.open(draft, flags, 0o600, dir_fd=folder)
            try:
                write(descriptor)
                if _hashed(descriptor) != sha256:
                    raise ItemChanged("what was written is not what should have been")
                lacking = properties.apply(descriptor, had, keep_times=keep_times)
                os.fsync(descriptor)
                if nameless:
                    changes.link_open(descriptor, folder, ref.name)
                else:
                    self._rename(folder, draft, folder, ref.name, None)
                sync(folder)
                return Made(ref, version_of(os.fstat(descriptor)), made=True, lacking=lacking)
            finally:
                if not nameless:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(draft, dir_fd=folder)
                os.close(descriptor)

    def mark(self, scope: Scope, ref: ItemRef, version: bytes, marks: Mapping[str, str]) -> bytes:
        root = self._opened(scope)
        try:
            folder = open_folder(root, ref.folder)
        except OSError as error:
            raise on_opening(error) from None
        try:
            descriptor = _open(folder, ref.name)
        finally:
            os.close(folder)
        try:
            if version_of(os.fstat(descriptor)) != version:
                raise ItemChanged("the file is another one than was listed")
            for name, value in marks.items():
                _set_mark(descriptor, MARK_PREFIX + name, value)
            os.fsync(descriptor)
            return version_of(os.fstat(descriptor))
        except OSError as error:
            if error.errno in (errno.ENOTSUP, errno.EOPNOTSUPP):
                raise Unsupported("files here cannot carry marks") from None
            raise on_acting(error) from None
        finally:
            os.close(descriptor)

    def close(self) -> None:
        for descriptor in (self._root, self._hold):
            if descriptor is not None:
                os.close(descriptor)
        self._root = self._hold = None

    # What all of them need

    @property
    def _capabilities(self) -> HoldingCapabilities:
        if self._can is None:
            assert self._hold is not None  # noqa: S101 — opened by every call that asks
            self._can = probe(self._hold)
        return self._can

    def _opened(self, scope: Scope) -> int:
        """The root, if the path still leads to the folder that `scope` was made of."""
        again = open_root(self._path)
        try:
            if identity_of(again) != scope.identity:
                raise ScopeUnavailable("another file system answers here now; is the share still mounted?")
        except ConnectorError:
            os.close(again)
            raise
        if self._root is not None:
            os.close(self._root)
        self._root = again
        return again

    def _hold_of(self, scope: Scope) -> int:
        if self._hold is None:
            assert self._root is not None  # noqa: S101 — opened before
            try:
                self._hold = _open_hold(self._root, self._hold_path)
            except OSError as error:
                raise on_acting(error) from None
            try:
                _ = self._capabilities
            except OSError as error:
                os.close(self._hold)
                self._hold = None
                raise on_acting(error) from None
        return self._hold

    def _rename(self, from_dir: int, from_name: bytes, to_dir: int, to_name: bytes, descriptor: int | None) -> None:
        """Renames without ever replacing anything."""
        if self._capabilities.rename_new:
            changes.rename_new(from_dir, from_name, to_dir, to_name)
            return
        os.link(from_name, to_name, src_dir_fd=from_dir, dst_dir_fd=to_dir, follow_symlinks=False)
        if descriptor is not None:
            linked = os.stat(to_name, dir_fd=to_dir, follow_symlinks=False)
            if linked.st_ino != os.fstat(descriptor).st_ino:  # then the name is another file's by now
                os.unlink(to_name, dir_fd=to_dir)
                raise ItemChanged("another file came into its place at the last moment")
        os.unlink(from_name, dir_fd=from_dir)


def _open(folder: int, name: bytes) -> int:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        try:
            return open_beneath(folder, name, flags | os.O_NOATIME)
        except PermissionError as error:
            if error.errno != errno.EPERM:
                raise
        return open_beneath(folder, name, flags)
    except OSError as error:
        raise on_opening(error) from None


def _check(facts: os.stat_result, version: bytes, descriptor: int) -> None:
    if not stat.S_ISREG(facts.st_mode) or version_of(facts) != version:
        raise ItemChanged("the file is another one than was listed")
    if facts.st_nlink != 1:
        raise SeveralNames("the file has further names")
    if changes.attributes_of(descriptor) & (changes.IMMUTABLE | changes.APPEND_ONLY):
        raise Immutable("the file is marked so that nobody may change it")


def _folders_of(root: int, folder: bytes) -> tuple[properties.FolderProperties, ...]:
    """What the folders on the way have, so that they can be made again."""
    found, steps = [], folder.split(b"/") if folder else []
    for depth, step in enumerate(steps, 1):
        descriptor = open_folder(root, b"/".join(steps[:depth]))
        try:
            found.append(properties.collect_folder(descriptor, step))
        finally:
            os.close(descriptor)
    return tuple(found)


def _read_properties(data: bytes) -> properties.Properties:
    return properties.read(data)


def _hashed(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _there(folder: int, name: bytes, sha256: str) -> bytes | None:
    """The version of what lies there if it is what should be made; raises `PlaceTaken` if it is anything else."""
    try:
        descriptor = _open(folder, name)
    except ItemNotFound:
        return None
    except ConnectorError:
        raise PlaceTaken("something else lies there") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or _hashed(descriptor) != sha256:
            raise PlaceTaken("something else lies there")
        return version_of(facts)
    finally:
        os.close(descriptor)


def _set_mark(descriptor: int, name: str, value: str) -> None:
    if value:
        os.setxattr(descriptor, name, value.encode())
        return
    with contextlib.suppress(OSError):
        os.removexattr(descriptor, name)


def _overwrite(descriptor: int) -> tuple[str, frozenset[Doubt]]:
    """Overwrites the content where it lies, if this file system does that; a fault is not in the way of unlinking."""
    facts = os.fstat(descriptor)
    if facts.st_nlink != 1 or not stat.S_ISREG(facts.st_mode):
        return "unlinked", frozenset({Doubt.SHARED_EXTENTS})
    if changes.file_system_of(descriptor) not in _IN_PLACE:
        return "unlinked", frozenset({Doubt.COPIES_ON_WRITE})
    if changes.shares_extents(descriptor):
        return "unlinked", frozenset({Doubt.SHARED_EXTENTS})
    try:
        for start, end in properties.data_in(descriptor, facts.st_size):
            for position in range(start, end, _BLOCK):
                os.pwrite(descriptor, _ZEROS[: min(_BLOCK, end - position)], position)
        os.fdatasync(descriptor)
    except OSError:
        return "unlinked", frozenset({Doubt.COPIES_ON_WRITE})
    return "overwritten", frozenset()


def _open_hold(root: int, path: bytes | None) -> int:
    """The hold, made if need be: a directory of our own, on the file system of the share, that nobody else can enter."""
    name, within = (HOLD, root) if path is None else (path, None)
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=within)
        sync(root)
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
    facts, share = os.fstat(descriptor), os.fstat(root)
    if facts.st_dev != share.st_dev or changes.mount_of(descriptor) != changes.mount_of(root):
        os.close(descriptor)
        raise HoldUnavailable("the hold lies on another file system than the share")
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
        os.close(descriptor)
        raise HoldUnavailable("the hold is not ours alone; its owner must be us and its mode 0700")
    return descriptor

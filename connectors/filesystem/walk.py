"""The walk over a share: depth first, names in the order of their bytes, every folder through its own descriptor.

First come the items of a folder, then the folders below it. A cursor is `folder NUL name`: all up to that name is
handled; in the place of a name, `/` stands for all items of the folder.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from connectors.base import (
    Change,
    Failed,
    FolderFailed,
    FolderGone,
    FolderSkipped,
    Found,
    Gone,
    Item,
    ItemRef,
    Known,
    Page,
    Skipped,
    SkipReason,
)
from connectors.filesystem import attributes
from connectors.filesystem.facts import fail_reason, moment, special, version_of
from connectors.filesystem.linux import birth_time, open_beneath

_FILE_ID = struct.Struct("=QQ")
_CHANGES_PER_PAGE = 250  # between pages a scan can be stopped, or look at what is more urgent
_SEEN_PER_PAGE = 20_000
_ALL_ITEMS = b"/"
_ENCODING = sys.getfilesystemencoding()

Directories = frozenset[tuple[int, int]]  # by device and inode
HOLD = b".retentiond-hold"  # where items lie that have been taken out of their places; never scanned


@dataclass(frozen=True, slots=True)
class Excluded:
    """What is left out: these directories, and holds, of whichever share.

    A hold is told from a folder that somebody has given its name by its owner, one of `holders` (user numbers), and by
    being closed to everybody else: nobody hides a folder from scans by a name.
    """

    directories: Directories = frozenset()
    holders: frozenset[int] = frozenset()

    def leaves_out(self, folder: bytes, facts: os.stat_result) -> bool:
        """Whether the folder with these facts is left out."""
        if (facts.st_dev, facts.st_ino) in self.directories:
            return True
        closed = stat.S_IMODE(facts.st_mode) == 0o700 and facts.st_uid in self.holders
        return closed and folder.rpartition(b"/")[2] == HOLD


def open_folder(root: int, folder: bytes) -> int:
    """A descriptor of the folder. Its access time is kept where we may ask for that. Raises `OSError`."""
    path = folder or b"."
    try:
        return open_beneath(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOATIME)
    except PermissionError as error:
        if error.errno != errno.EPERM:
            raise
    return open_beneath(root, path, os.O_RDONLY | os.O_DIRECTORY)


def walk(root: int, known: Known, after: bytes | None, excluded: Excluded) -> Iterator[Page]:
    """What differs from `known` below `root`, from the start or behind the cursor `after`."""
    waiting: list[bytes] = [b""]  # the next one last
    if after is not None:
        waiting = yield from _go_on(root, known, after, excluded)
    yield from _walk(root, known, waiting, excluded)


def look(root: int, known: Known, folders: Sequence[bytes], excluded: Excluded) -> Iterator[Page]:
    """What differs from `known` in these folders, and in folders in them that are not known, with all below."""
    walked = set[bytes]()
    for folder in sorted(set(folders)):
        if any(folder[:end] in walked for end in _ends(folder)) or _within(root, folder, excluded):
            continue
        listing = _list(root, folder, excluded)
        if isinstance(listing, _Listing):
            new = [_join(folder, name) for name in sorted(set(listing.folders) - known.folders(folder))]
            with listing:
                yield from _pages(listing, known, b"")
            walked.update(new)
            yield from _walk(root, known, new[::-1], excluded)
        else:
            yield Page((listing,), 0, 0, _cursor(folder, _ALL_ITEMS))


def _ends(folder: bytes) -> Iterator[int]:
    """Where each folder on the way to this one, and itself, ends in its path."""
    end = folder.find(b"/")
    while end >= 0:
        yield end
        end = folder.find(b"/", end + 1)
    yield len(folder)


def _within(root: int, folder: bytes, excluded: Excluded) -> bool:
    """Whether the way to the folder leads through one that is left out."""
    for end in _ends(folder):
        try:
            facts = os.stat(folder[:end], dir_fd=root, follow_symlinks=False)
        except OSError:
            return False  # listing it will say why
        if excluded.leaves_out(folder[:end], facts):
            return True
    return False


def _walk(root: int, known: Known, waiting: list[bytes], excluded: Excluded) -> Iterator[Page]:
    """Goes through these folders and all below, the last one first."""
    while waiting:
        folder = waiting.pop()
        listing = _list(root, folder, excluded)
        if isinstance(listing, _Listing):
            with listing:
                yield from _pages(listing, known, b"")
            waiting.extend(_join(folder, below) for below in reversed(listing.folders))
        else:
            yield Page((listing,), 0, 0, _cursor(folder, _ALL_ITEMS))


def _go_on(root: int, known: Known, after: bytes, excluded: Excluded) -> Generator[Page, None, list[bytes]]:
    """Finishes the folder in which the walk was interrupted; gives the folders still to be visited, the next one last.

    What has vanished meanwhile is told only as far as it lies behind the cursor: the rest has been counted.
    """
    waiting: list[bytes] = []
    folder, _, name = after.partition(b"\0")
    for parent, step in _way_to(folder):
        listing = _list(root, parent, excluded)
        present: list[bytes] = []
        if isinstance(listing, _Listing):
            with listing:
                present = listing.folders
        elif not isinstance(listing, FolderGone):
            yield Page((listing,), 0, 0, after)
            continue
        yield from _told(_folders_gone(known, parent, present, step), after)
        waiting.extend(_join(parent, below) for below in reversed(present) if below > step)
    listing = _list(root, folder, excluded)
    if isinstance(listing, _Listing):
        with listing:
            yield from _pages(listing, known, name)
        waiting.extend(_join(folder, below) for below in reversed(listing.folders))
    elif isinstance(listing, FolderGone):
        gone = [*_folders_gone(known, folder, (), b""), *_items_gone(known.versions(folder), folder, set(), name)]
        yield from _told(gone, after)
    else:
        yield Page((listing,), 0, 0, after)
    return waiting


def _told(changes: list[Change], cursor: bytes) -> Iterator[Page]:
    for start in range(0, len(changes), _CHANGES_PER_PAGE):
        yield Page(tuple(changes[start : start + _CHANGES_PER_PAGE]), 0, 0, cursor)


def _folders_gone(known: Known, parent: bytes, present: Iterable[bytes], behind: bytes) -> list[Change]:
    missing = sorted(known.folders(parent) - set(present))
    return [FolderGone(_join(parent, name)) for name in missing if name > behind]


def _items_gone(versions: Mapping[bytes, bytes], folder: bytes, present: Set[bytes], behind: bytes) -> list[Change]:
    if behind == _ALL_ITEMS:
        return []
    return [Gone(ItemRef(folder, name)) for name in sorted(versions.keys() - present) if name > behind]


def _way_to(folder: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each folder on the way from the root to `folder`, with the name of the step that leads on from it."""
    steps = folder.split(b"/") if folder else []
    for depth, step in enumerate(steps):
        yield b"/".join(steps[:depth]), step


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name


def _cursor(folder: bytes, name: bytes) -> bytes:
    return folder + b"\0" + name


class _Listing:
    """All names in one folder, sorted, and the descriptor by which they are asked about."""

    def __init__(self, folder: bytes, descriptor: int) -> None:
        self.folder = folder
        self.descriptor = descriptor
        facts, mount = os.fstat(descriptor), os.fstatvfs(descriptor)
        self.device, self.inode = facts.st_dev, facts.st_ino
        self.file_system = mount.f_fsid
        self.folders: list[bytes] = []
        self.items: list[tuple[bytes, os.DirEntry[str]]] = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name.encode(_ENCODING, "surrogateescape")  # os.fsencode, without its call for each file
                if entry.is_dir(follow_symlinks=False):
                    self.folders.append(name)
                else:
                    self.items.append((name, entry))
        self.folders.sort()
        self.items.sort(key=lambda named: named[0])

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)
        self.items.clear()


def _list(root: int, folder: bytes, excluded: Excluded) -> _Listing | FolderGone | FolderSkipped | FolderFailed:
    """The folder's listing, or why there is none. A listing that breaks off midway is none."""
    try:
        descriptor = open_folder(root, folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return FolderGone(folder)
        if error.errno == errno.EXDEV:
            return FolderSkipped(folder, SkipReason.OTHER_MOUNT)
        if error.errno == errno.ELOOP:
            return FolderSkipped(folder, SkipReason.SYMBOLIC_LINK)
        return FolderFailed(folder, fail_reason(error))
    try:
        facts = os.fstat(descriptor)
        if excluded.leaves_out(folder, facts):
            os.close(descriptor)
            return FolderSkipped(folder, SkipReason.OWN_STATE)
        return _Listing(folder, descriptor)
    except OSError as error:
        os.close(descriptor)
        return FolderFailed(folder, fail_reason(error))


def _pages(listing: _Listing, known: Known, behind: bytes) -> Iterator[Page]:
    """What differs in one folder, behind a name in it. What is gone comes first: told once, it is no longer known."""
    folder = listing.folder
    versions = known.versions(folder)
    present = {name for name, _ in listing.items}
    gone = [
        *_folders_gone(known, folder, listing.folders, b""),
        *_items_gone(versions, folder, present, behind),
    ]
    if behind == _ALL_ITEMS:
        yield from _told(gone, _cursor(folder, behind))
        return
    whole = len(gone) - len(gone) % _CHANGES_PER_PAGE
    yield from _told(gone[:whole], _cursor(folder, behind))
    changes = gone[whole:]
    seen = 0
    for name, entry in listing.items:
        if name <= behind:
            continue
        try:
            facts = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            if name in versions:
                changes.append(Gone(ItemRef(folder, name)))
            continue
        except OSError as error:
            seen += 1
            changes.append(Failed(ItemRef(folder, name), fail_reason(error)))
        else:
            seen += 1
            version = version_of(facts)
            if versions.get(name) == version:
                if seen < _SEEN_PER_PAGE:
                    continue
            else:
                changes.append(_change(listing, name, facts, version))
        if len(changes) >= _CHANGES_PER_PAGE or seen >= _SEEN_PER_PAGE:
            yield Page(tuple(changes), seen, 0, _cursor(folder, name))
            changes, seen = [], 0
    yield Page(tuple(changes), seen, 1, _cursor(folder, _ALL_ITEMS))


def _change(listing: _Listing, name: bytes, facts: os.stat_result, version: bytes) -> Change:
    marks, offline = attributes.read(listing.descriptor, name)
    item = Item(
        ItemRef(listing.folder, name),
        version,
        facts.st_size,
        moment(facts.st_mtime_ns),
        created_at=birth_time(listing.descriptor, name),
        accessed_at=moment(facts.st_atime_ns),
        owner=f"{facts.st_uid}:{facts.st_gid}",
        file_id=_FILE_ID.pack(listing.file_system, facts.st_ino),
        link_count=facts.st_nlink,
        marks=marks,
    )
    reason = special(facts)
    if reason is None and facts.st_dev != listing.device:
        reason = SkipReason.OTHER_MOUNT
    if reason is None and offline:
        reason = SkipReason.OFFLINE
    return Found(item) if reason is None else Skipped(item, reason)

"""Folders on the way to a file, made again where they are missing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connectors.base import ItemRef
from connectors.errors import NoPlace
from connectors.filesystem.connector import HOLD
from connectors.filesystem.directories import keeping_times, sync
from connectors.filesystem.giving import give_folder
from connectors.filesystem.hold import Hold
from connectors.filesystem.properties import FolderProperties, collect_folder
from connectors.filesystem.walk import open_folder

_THERE = (errno.EEXIST, errno.ENOTEMPTY)
_NO_NAME = (errno.ENAMETOOLONG, errno.EINVAL)
_LISTS = "system."  # of a folder's attributes, those that say who may do what in it


@contextmanager
def naming() -> Iterator[None]:
    """Around calls that seek or give a name: raises `NoPlace` where the file system can have none such."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_NAME:
            raise
        raise NoPlace("a name on the way there is too long for this file system, or is none that it can have") from None


def check_outside(ref: ItemRef) -> None:
    """Raises `NoPlace` for a place in a hold, be it this share's or that of a share within: no scan goes there."""
    if HOLD in ref.path.split(b"/"):
        raise NoPlace("that place is in a hold")


def make_folders(root: int, path: bytes, recorded: Sequence[FolderProperties], hold: Hold) -> int:
    """A descriptor of the folder. Those missing on the way are made as `recorded`, others as the one that they lie in.

    Raises `OSError`; `ENOTDIR`, `ELOOP` or `EXDEV` if something else has come in the way. `NoPlace` if the way leads
    into the hold, or has a name that cannot be.
    """
    with naming():
        return _way(root, path, recorded, hold)


def _way(root: int, path: bytes, recorded: Sequence[FolderProperties], hold: Hold) -> int:
    steps = path.split(b"/") if path else []
    here = open_folder(root, b"")
    for depth, step in enumerate(steps):
        try:
            try:
                deeper = open_folder(here, step)
            except FileNotFoundError:
                was_here = [one.name for one in recorded[: depth + 1]] == steps[: depth + 1]
                deeper = _make(here, step, recorded[depth] if was_here else _as(here, step), hold)
        finally:
            os.close(here)
        here = deeper
        if os.path.sameopenfile(here, hold.descriptor):
            os.close(here)
            raise NoPlace("that place is in the hold")
    return here


def _as(parent: int, name: bytes) -> FolderProperties:
    like = collect_folder(parent, name)
    lists = {key: value for key, value in like.attributes.items() if key.startswith(_LISTS)}
    return FolderProperties(name, like.mode, like.uid, like.gid, lists)


def _make(parent: int, name: bytes, had: FolderProperties, hold: Hold) -> int:
    """Made in the hold, where nobody can exchange it for another before it has its owner; it appears whole."""
    made, draft = hold.new_folder()
    try:
        give_folder(made, had)
        sync(made)
        with keeping_times(parent):
            hold.move_out(draft, parent, name)
        sync(parent)
        return made
    except OSError as error:
        os.close(made)
        hold.drop_folder(draft)
        if error.errno not in _THERE:
            raise
        return open_folder(parent, name)  # somebody was quicker

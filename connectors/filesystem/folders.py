"""Folders on the way to a file, made again where they are missing."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from connectors.filesystem.directories import keeping_times, sync
from connectors.filesystem.giving import give_folder
from connectors.filesystem.hold import Hold
from connectors.filesystem.properties import FolderProperties, collect_folder
from connectors.filesystem.walk import open_folder

_THERE = (errno.EEXIST, errno.ENOTEMPTY)
_LISTS = "system."  # of a folder's attributes, those that say who may do what in it


def make_folders(root: int, path: bytes, recorded: Sequence[FolderProperties], hold: Hold) -> int:
    """A descriptor of the folder. Those missing on the way are made as `recorded`, others as the one that they lie in.

    Raises `OSError`; `ENOTDIR`, `ELOOP` or `EXDEV` if something else has come in the way.
    """
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

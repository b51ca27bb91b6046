"""Folders on the way to a file: made again where they are missing, and left with the times that they had."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from connectors.filesystem.properties import FolderProperties, apply_to_folder
from connectors.filesystem.walk import open_folder


def sync(descriptor: int) -> None:
    """What was changed in the folder is durable. Raises `OSError`."""
    os.fsync(descriptor)


@contextlib.contextmanager
def keeping_times(folder: int) -> Iterator[None]:
    """The folder has the times afterwards that it had before, as far as we may set them: when people last changed
    something in it is evidence, and what we do is not people's doing."""
    facts = os.fstat(folder)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.utime(folder, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def make_folders(root: int, path: bytes, recorded: Sequence[FolderProperties]) -> int:
    """A descriptor of the folder; those missing on the way are made, as `recorded` if that is about the same way.

    Raises `OSError`; `ELOOP` or `EXDEV` if somebody has put something else into the way.
    """
    steps = path.split(b"/") if path else []
    known = recorded if [one.name for one in recorded] == steps else ()
    here = open_folder(root, b"")
    for depth, step in enumerate(steps):
        try:
            try:
                deeper = open_folder(here, step)
            except FileNotFoundError:
                deeper = _made(here, step, known[depth] if known else None)
        finally:
            os.close(here)
        here = deeper
    return here


def _made(parent: int, name: bytes, recorded: FolderProperties | None) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
    made = open_folder(parent, name)
    parents = os.fstat(parent)
    if recorded is not None:
        apply_to_folder(made, recorded)
    else:
        apply_to_folder(made, FolderProperties(name, parents.st_mode & 0o7777, parents.st_uid, parents.st_gid))
    sync(made)
    sync(parent)
    return made

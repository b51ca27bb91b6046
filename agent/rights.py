"""Who may read and write what lies in the state directory: its owner alone, or a group that works in it together.

The two roles of the service are two users. Where both have the directory in common, it belongs to their group, which
may write there, and the set-group-ID bit gives whatever is made there to the group as well.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_SHARED = stat.S_ISGID | stat.S_IWGRP


def is_shared(directory: Path) -> bool:
    """Whether the directory belongs to a group that works in it together. Raises `OSError`."""
    return directory.stat().st_mode & _SHARED == _SHARED


def open_or_make(path: Path, flags: int = os.O_RDWR) -> int:
    """A descriptor of the file, which is made first if it is not there: never readable for others, not even for a
    moment, and for the group only in a directory that it has in common. Raises `OSError`."""
    mode = 0o660 if is_shared(path.parent) else 0o600
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return os.open(path, flags | os.O_CLOEXEC)
    if mode != 0o600:
        os.fchmod(descriptor, mode)  # a umask has no say in it
    return descriptor

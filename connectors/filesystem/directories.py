"""What every change of a directory needs: it keeps the times that it had, and what was changed in it is durable."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator


@contextlib.contextmanager
def keeping_times(folder: int) -> Iterator[None]:
    """Around a change of ours: the folder has the times afterwards that it had before, where we may set them.

    When people last changed something in it is evidence, and what we do is not people's doing.
    """
    before = os.fstat(folder)
    yield
    with contextlib.suppress(OSError):
        os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


def sync(folder: int) -> None:
    """The names in the folder are durable. Raises `OSError`."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:  # CIFS has no such call for folders: what its server says is all there is
            raise

"""Leases: how the kernel tells whether anybody has a file open for writing."""

from __future__ import annotations

import errno
import fcntl
import signal


def lease(descriptor: int) -> bool | None:
    """Asks for a lease on a file open for reading: true if it was got and so nobody has the file open for writing,
    false if somebody has, none if that cannot be asked here.

    From then on whoever opens the file for writing, or cuts it, waits until it is given up or closed.
    """
    try:
        # By default the kernel would send SIGIO to say that somebody waits, and SIGIO ends a process: any user of the
        # share could end us. SIGURG is ignored.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    return True


def lease_holds(descriptor: int) -> bool:
    """Whether nobody has tried to open the file for writing since."""
    return fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_RDLCK

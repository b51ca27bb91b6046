"""Gives a file, or a folder, that was made anew what the one before it had."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping

from connectors.filesystem import changes
from connectors.filesystem.properties import FolderProperties, Properties

_LISTS = frozenset({"system.posix_acl_access", "system.posix_acl_default", "system.cifs_ntsd", "system.nfs4_acl"})
_WITHOUT_OWNER = 0o1777  # never set-user-id or set-group-id for whoever happens to own it now
# By these a place says that it will not take something; any other fault means that nothing is sure here.
_REFUSED = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.ENOTTY, errno.E2BIG})


def give(descriptor: int, had: Properties, *, keep_times: bool, time_step_ns: int) -> tuple[str, ...]:
    """Gives all that to an open file; tells in the words of `Made.lacking` what it would not take. Raises `OSError`.

    The order matters: a change of owner clears the set-user-id bit and capabilities, a list of permissions sets the
    mode, and everything but the last step changes times.
    """
    lacking = _give_access(descriptor, had.uid, had.gid, had.mode, had.attributes)
    if had.flags and not _taken(lambda: changes.set_flags(descriptor, changes.flags_of(descriptor) | had.flags)):
        lacking.add("attributes")
    if keep_times:
        _taken(lambda: os.utime(descriptor, ns=(had.accessed, had.modified)))
        if abs(os.fstat(descriptor).st_mtime_ns - had.modified) >= time_step_ns:
            lacking.add("times")
    return tuple(sorted(lacking))


def give_folder(descriptor: int, had: FolderProperties) -> None:
    """The same for a folder, as far as it takes that. Raises `OSError`."""
    _give_access(descriptor, had.uid, had.gid, had.mode, had.attributes)


def _give_access(descriptor: int, uid: int, gid: int, mode: int, attributes: Mapping[str, bytes]) -> set[str]:
    lacking = set()
    if not _taken(lambda: os.fchown(descriptor, uid, gid)):
        lacking.add("owner")
    # Lists last: one that does not let the owner write would keep him from setting attributes of his own.
    for name, value in sorted(attributes.items(), key=lambda attribute: attribute[0] in _LISTS):
        if not _taken(lambda name=name, value=value: os.setxattr(descriptor, name, value)):  # type: ignore[misc]
            lacking.add("acl" if name in _LISTS else "attributes")
    _taken(lambda: os.fchmod(descriptor, mode & _WITHOUT_OWNER if "owner" in lacking else mode))
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        lacking.add("mode")
    return lacking


def _taken(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        return False
    return True

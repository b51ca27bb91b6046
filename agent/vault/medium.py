"""Whether overwriting a key where it lies destroys it on this file system, as far as the system can tell."""

from __future__ import annotations

import os

_COPIES_ON_WRITE = {"btrfs", "zfs", "bcachefs", "f2fs", "nilfs2", "ubifs", "jffs2", "overlay"}
_ELSEWHERE = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "virtiofs"}


def overwriting_doubts(path: str, mounts: str = "/proc/self/mountinfo") -> tuple[str, ...]:
    """Why a key in `path` may outlast its being overwritten there; nothing if no reason is known.

    Belongs before the first key is written, and on every certificate of destruction. What a drive does beneath the
    file system cannot be seen: flash keeps old blocks for a while, snapshots of the volume keep them for good.
    """
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split(" - ") for line in file]
    found = [after.split() for before, after in lines if before.split()[2] == number]
    if not found:
        return ("the file system that holds the keys is not among those mounted here",)
    kind, _, options = found[-1][:3]
    if kind in _COPIES_ON_WRITE:
        return (f"{kind} writes changed blocks to a new place and leaves the old ones",)
    if kind in _ELSEWHERE:
        return (f"the keys lie on another machine ({kind}), which may keep what was overwritten",)
    if "data=journal" in options.split(","):
        return (f"{kind} is mounted with data=journal, so that old contents stay in the journal for a while",)
    return ()

"""What kind of file system a folder lies on, as far as it matters to what the kernel can tell about it."""

from __future__ import annotations

_REMOTE = frozenset(
    b"9p afs beegfs ceph cifs coda davfs fuse glusterfs gfs2 gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs prl_fs pvfs2 "
    b"smb3 smbfs vboxsf virtiofs vmhgfs".split()
)


def remote_kind(folder: int, mounts: str = "/proc/self/mountinfo") -> str | None:
    """The type of the file system if others than this machine change it, so that the kernel sees only part of it.

    `folder` is a descriptor. Every FUSE file system counts but `fuseblk`, which is a local disk. Raises `OSError` where
    /proc does not answer.
    """
    number = _mount_of(folder)
    with open(mounts, "rb") as file:
        for line in file:
            if line.partition(b" ")[0] == number:
                kind = line.partition(b" - ")[2].partition(b" ")[0]
                return kind.decode("ascii", "replace") if kind in _REMOTE or kind.startswith(b"fuse.") else None
    return None


def _mount_of(folder: int) -> bytes:
    """The mount's number: devices are shared by bind mounts, and paths may be mounted over."""
    with open(f"/proc/self/fdinfo/{folder}", "rb") as file:
        for line in file:
            if line.startswith(b"mnt_id:"):
                return line.split()[1]
    return b""

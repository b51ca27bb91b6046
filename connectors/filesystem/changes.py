"""Calls of the Linux kernel that change something, as Python does not offer them, and what they mean when they fail."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct

_SYS_RENAMEAT2 = {"x86_64": 316, "aarch64": 276, "riscv64": 276, "ppc64le": 357, "s390x": 347}
_NOREPLACE = 1
_AT_FDCWD, _AT_SYMLINK_FOLLOW, _AT_EMPTY_PATH = -100, 0x400, 0x1000
_STATX_BYTES = 256
_STATFS_BYTES = 256
_STATX_ATTRIBUTES_AT = 8
IMMUTABLE, APPEND_ONLY = 0x10, 0x20  # statx attributes
_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS = 0x80086601, 0x40086602
_FS_IOC_FIEMAP = 0xC020660B
_FIEMAP_SYNC, _FIEMAP_SHARED = 0x1, 0x2000
_EXTENTS = 64

_libc = ctypes.CDLL(None, use_errno=True)


def rename_new(from_dir: int, from_name: bytes, to_dir: int, to_name: bytes) -> None:
    """Renames, never over anything: raises `FileExistsError`. `EINVAL` or `ENOSYS` say that this cannot be done here."""
    number = _SYS_RENAMEAT2.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _libc.syscall(number, from_dir, from_name, to_dir, to_name, _NOREPLACE) != 0:
        raise _fault()


def link_open(descriptor: int, to_dir: int, to_name: bytes) -> None:
    """Gives an open file without a name one, never over anything."""
    way = b"/proc/self/fd/%d" % descriptor
    if _libc.linkat(_AT_FDCWD, way, to_dir, to_name, _AT_SYMLINK_FOLLOW) != 0:
        raise _fault()


def _fault() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def attributes_of(descriptor: int) -> int:
    """The statx attributes of an open file; 0 where the system does not tell."""
    answer = ctypes.create_string_buffer(_STATX_BYTES)
    if _libc.statx(descriptor, b"", _AT_EMPTY_PATH, 0, answer) != 0:
        return 0
    (attributes,) = struct.unpack_from("=Q", answer, _STATX_ATTRIBUTES_AT)
    return int(attributes)


def flags_of(descriptor: int) -> int:
    """The inode flags (`chattr`) of an open file; 0 where there are none."""
    try:
        return int(struct.unpack("=I", fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(4)))[0])
    except OSError:
        return 0


def set_flags(descriptor: int, flags: int) -> None:
    """Sets the inode flags. Raises `OSError`."""
    fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, struct.pack("=I", flags))


def shares_extents(descriptor: int) -> bool | None:
    """Whether other files or snapshots hold blocks of this one too, as far as the file system says; none if it does
    not say."""
    start = 0
    while True:
        request = bytearray(struct.pack("=QQIIII", start, 2**64 - 1 - start, _FIEMAP_SYNC, 0, _EXTENTS, 0))
        request += bytes(56 * _EXTENTS)
        try:
            fcntl.ioctl(descriptor, _FS_IOC_FIEMAP, request, True)
        except OSError:
            return None
        (mapped,) = struct.unpack_from("=I", request, 20)
        for number in range(mapped):
            logical, _, length, flags = struct.unpack_from("=QQQ16xI", request, 32 + 56 * number)
            if flags & _FIEMAP_SHARED:
                return True
            if flags & 1:  # the last one
                return False
            start = logical + length
        if not mapped:
            return False


def lease(descriptor: int) -> bool | None:
    """Takes a lease that fails while anybody has the file open for writing: whether it was got; none if leases are not
    known here."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    return True


def unlease(descriptor: int) -> None:
    """Gives the lease up."""
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def lease_holds(descriptor: int) -> bool:
    """Whether nobody has broken the lease."""
    return fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_RDLCK


def mount_of(descriptor: int) -> int:
    """The number of the mount by which an open file was reached; 0 where the system does not tell."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
        return next((int(line.split(":")[1]) for line in lines if line.startswith("mnt_id:")), 0)


def file_system_of(descriptor: int) -> int:
    """The magic number of the file system of an open file; 0 where the system does not tell."""
    answer = ctypes.create_string_buffer(_STATFS_BYTES)
    if _libc.fstatfs(descriptor, answer) != 0:
        return 0
    (magic,) = struct.unpack_from("=q" if ctypes.sizeof(ctypes.c_long) == 8 else "=i", answer)
    return int(magic) & 0xFFFFFFFF

"""A small file system in an image file, which can lose its power: what was not made durable is gone then."""

from __future__ import annotations

import ctypes
import fcntl
import functools
import os
import shutil
import struct
import subprocess
from pathlib import Path

_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_WITHOUT_FLUSHING = struct.pack("I", 2)
_NEW_MOUNT_NAMESPACE = 0x20000  # CLONE_NEWNS
_PRIVATE_ALL_THE_WAY = 0x4000 | 0x40000  # MS_REC, MS_PRIVATE
SIZES = {"ext4": "64M", "xfs": "320M"}


def missing() -> str:
    """What the machine lacks for this, in words; empty if nothing."""
    if os.geteuid() != 0:
        return "mounting an image needs root"
    lacking = [name for name in ("strace", "mkfs.ext4", "mkfs.xfs") if shutil.which(name, path=_PATH) is None]
    if lacking:
        return f"{', '.join(lacking)} must be installed (Debian: strace, e2fsprogs, xfsprogs)"
    probe = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "there are no loop devices here"


_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Image:
    """One image with its mount point. `template` is kept aside, so that every run begins with the same bytes, inode
    numbers and change times."""

    def __init__(self, folder: Path, kind: str) -> None:
        _mount_apart()
        self.kind = kind
        self.mount_point = folder / "mounted"
        self.mount_point.mkdir()
        self._file = folder / "image"
        self._template = folder / "template"
        self._mounted = False
        _run("truncate", "-s", SIZES[kind], str(self._file))
        _run(f"mkfs.{kind}", "-q", str(self._file))
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self._file), str(self.mount_point))
        self._mounted = True

    def unmount(self) -> None:
        if self._mounted:
            _run("umount", str(self.mount_point))
            self._mounted = False

    def keep_as_template(self) -> None:
        self.unmount()
        shutil.copyfile(self._file, self._template)

    def begin_anew(self) -> None:
        self.unmount()
        _run("cp", "--sparse=always", str(self._template), str(self._file))
        self.mount()

    def lose_power(self) -> None:
        """Everything that was not durable is lost, as in a power cut; then the file system is mounted again."""
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _WITHOUT_FLUSHING)
        finally:
            os.close(descriptor)
        self.unmount()
        self.mount()


@functools.cache
def _mount_apart() -> None:
    """From now on nobody else sees what this process mounts.

    Whoever makes a mount namespace of his own, as sandboxes do, would otherwise have a copy of each mount, and a file
    system that is still mounted somewhere is not unmounted.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNT_NAMESPACE) or libc.mount(None, b"/", None, _PRIVATE_ALL_THE_WAY, None):
        raise OSError(ctypes.get_errno(), "there can be no mount namespace here")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": _PATH})
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")

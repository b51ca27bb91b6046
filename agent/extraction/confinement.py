"""How the process that parses documents gives up what parsing does not need, and proves that it has.

Three layers: resource limits; Landlock, which leaves it the libraries to read and nothing else; and a seccomp filter
that refuses the system calls by which a process starts others, reaches the network or changes anything. A call that
is refused gets an error, so that a parser that tries one is merely disappointed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import socket
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable

from agent.extraction.base import Limits

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38
_PR_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3, _CAPABILITY_BYTES = 0x20080522, 24  # linux/capability.h
_OPEN_FILES = 32
_ROOM_BYTES = 48 * 1024 * 1024
_RESERVED_BYTES = 256 * 1024 * 1024  # address space that is mapped and never used

# Landlock, linux/landlock.h: the same call numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _RULE_PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_RIGHTS, _SCOPES = 0b11, 0b11

# linux/seccomp.h, linux/filter.h
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32_BIT = 0x40000000
_THREAD = 0x00010000  # CLONE_THREAD
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "pidfd_open": 434, "openat2": 437,
    "pidfd_getfd": 438, "mount_setattr": 442,
}  # fmt: skip
_REFUSED = {
    "x86_64": {
        "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53, "accept4": 288,
        "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "kill": 62, "tkill": 200, "tgkill": 234, "ptrace": 101,
        "process_vm_readv": 310, "process_vm_writev": 311, "mount": 165, "umount2": 166, "pivot_root": 155,
        "chroot": 161, "unshare": 272, "setns": 308, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323,
        "add_key": 248, "request_key": 249, "keyctl": 250, "init_module": 175, "delete_module": 176,
        "finit_module": 313, "kexec_load": 246, "reboot": 169, "swapon": 167, "swapoff": 168,
        "name_to_handle_at": 303, "open_by_handle_at": 304, "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83,
        "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92,
        "fchown": 93, "lchown": 94, "mknod": 133, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
        "mkdirat": 258, "mknodat": 259, "fchownat": 260, "unlinkat": 263, "renameat": 264, "linkat": 265,
        "symlinkat": 266, "fchmodat": 268, "utimensat": 280, "renameat2": 316,
    },
    "aarch64": {
        "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "accept4": 242,
        "execve": 221, "execveat": 281, "kill": 129, "tkill": 130, "tgkill": 131, "ptrace": 117,
        "process_vm_readv": 270, "process_vm_writev": 271, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
        "unshare": 97, "setns": 268, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "add_key": 217,
        "request_key": 218, "keyctl": 219, "init_module": 105, "delete_module": 106, "finit_module": 273,
        "kexec_load": 104, "reboot": 142, "swapon": 224, "swapoff": 225, "name_to_handle_at": 264,
        "open_by_handle_at": 265, "truncate": 45, "ftruncate": 46, "mknodat": 33, "mkdirat": 34, "unlinkat": 35,
        "symlinkat": 36, "linkat": 37, "renameat": 38, "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55,
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "utimensat": 88, "renameat2": 276,
    },
}  # fmt: skip
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_OPENING = {"x86_64": ((2, 1), (257, 2)), "aarch64": ((56, 2),)}  # call number, and which argument holds the flags

_libc = ctypes.CDLL(None, use_errno=True)


def confine(limits: Limits) -> int:
    """Confines this process for good; gives the version of Landlock that is in force, 0 for none.

    Ends the process if the memory limit leaves no room to work in.
    """
    if Memory().resident + _ROOM_BYTES > limits.memory_bytes:
        sys.exit("the memory limit is too small")
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    # Codecs are loaded when they are first needed; our own code is loaded by now, and beside it anything may lie.
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    _give_up_capabilities()
    landlock = _restrict_files(path for path in sorted(libraries) if os.path.isdir(path))
    _filter_calls()
    # Resident memory is watched from outside, which tells what happened; this is for what grows faster than one looks.
    room = limits.memory_bytes + _RESERVED_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    return landlock


class Memory:
    """What memory a process holds now, in bytes. `ru_maxrss` would not do: it begins with the parent's."""

    def __init__(self, process: int | str = "self") -> None:
        """Raises `ProcessLookupError` if there is no such process."""
        try:
            self._statm = os.open(f"/proc/{process}/statm", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ProcessLookupError from None

    def close(self) -> None:
        os.close(self._statm)

    @property
    def resident(self) -> int:
        """0 for a process that is gone."""
        try:
            statm = os.pread(self._statm, 200, 0)
        except ProcessLookupError:
            return 0
        return int(statm.split()[1]) * resource.getpagesize()


def _give_up_capabilities() -> None:
    """A service may read what its user may not; a process that parses what strangers have written needs none of it."""
    _libc.prctl(_PR_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
    _libc.capset(ctypes.create_string_buffer(header), ctypes.create_string_buffer(_CAPABILITY_BYTES))


def _capabilities() -> bool:
    """Whether this process may do anything that other users may not."""
    header = ctypes.create_string_buffer(struct.pack("<Ii", _CAPABILITY_VERSION_3, 0))
    held = ctypes.create_string_buffer(_CAPABILITY_BYTES)
    _libc.capget(header, held)
    return any(held.raw)


def _restrict_files(readable: Iterable[str]) -> int:
    """Leaves this process only what lies below the `readable` folders, to be read; 0 if the kernel has no Landlock."""
    version: int = _libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return 0
    rights = _FS_RIGHTS[max(known for known in _FS_RIGHTS if known <= version)]
    sizes = struct.pack("<QQQ", rights, _NET_RIGHTS, _SCOPES)
    attributes = sizes[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset: int = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return 0
    for folder in readable:
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("<Qi", _READ_FILE | _READ_DIR, descriptor)
        _libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
        os.close(descriptor)
    restricted: int = _libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return version if restricted == 0 else 0


def _filter_calls() -> None:
    """Installs the seccomp filter; without one for this architecture, or in this kernel, `unrefused` will tell."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return
    program = b"".join(struct.pack("<HBBI", *step) for step in _program(machine))
    held = ctypes.create_string_buffer(program)
    described = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(held))
    _libc.prctl(_PR_SET_SECCOMP, 2, described, 0, 0)


def _program(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter as steps of (what, how many to skip if so, and if not, with which number)."""

    def argument(index: int) -> int:
        return _ARGUMENTS_AT + 8 * index

    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
    ]
    for number in (*_EVERYWHERE.values(), *_REFUSED[machine].values()):
        steps += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
    # libc falls back to clone, whose flags can be looked at; threads are allowed, processes are not.
    steps += [(_JUMP_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    steps += [
        (_JUMP_EQUAL, 0, 4, _CLONE[machine]),
        (_LOAD, 0, 0, argument(0)),
        (_JUMP_ANY_BIT, 1, 0, _THREAD),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    for number, flags in _OPENING[machine]:
        steps += [
            (_JUMP_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, argument(flags)),
            (_JUMP_ANY_BIT, 0, 1, _WRITING),
            (_RETURN, 0, 0, _REFUSE | errno.EPERM),
            (_LOAD, 0, 0, _NUMBER_AT),
        ]
    return [*steps, (_RETURN, 0, 0, _ALLOW)]


def unrefused(limits: Limits) -> list[str]:
    """Tries what must be refused; gives the words for what was not. Harmless where it is allowed after all."""
    return [word for word, attempt in _attempts(limits).items() if not _refused(attempt)]


def _attempts(limits: Limits) -> dict[str, Callable[[], object]]:
    return {
        "network": lambda: socket.socket(socket.AF_INET).close(),
        "exec": lambda: os.execv("/nonexistent", ["nonexistent"]),  # noqa: S606 — there is no such program
        "fork": _fork,
        "kill": lambda: os.kill(os.getppid(), 0),
        "trace": _trace,
        "read": lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)),
        "write": lambda: os.close(os.open("/dev/null", os.O_WRONLY)),
        "rights": _use_rights,
        "memory": lambda: bytearray(limits.memory_bytes + _RESERVED_BYTES),
    }


def _use_rights() -> None:
    if not _capabilities():
        raise PermissionError


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (PermissionError, MemoryError):
        return True
    except OSError:
        return False
    return False


def _fork() -> None:
    process = os.fork()
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)


def _trace() -> None:
    if _libc.ptrace(0, 0, 0, 0) < 0 and ctypes.get_errno() == errno.EPERM:
        raise PermissionError

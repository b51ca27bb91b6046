"""Programs that meddle with a folder while somebody acts on the file `victim` in it.

`python -m tests.connectors.attackers ATTACK FOLDER` goes on until it gets SIGTERM; then it prints how often it tried
and, on one line each, the numbers of the files to which it has written and when it had first done so (in nanoseconds
of the monotonic clock).
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

NOREPLACE, EXCHANGE = 1, 2
NUMBER_BYTES = len(b"round 000000000")
# Attacks come in bursts: whoever is attacked all the time never gets as far as where it could do harm.
BURST_SECONDS, SHORT_REST_SECONDS, LONG_REST_SECONDS = 0.005, 0.02, 0.08
_AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)


def rename(name: bytes, to: bytes, flags: int = NOREPLACE) -> bool:
    """Tells whether it could be done. Nothing is ever replaced, lest it is the attacker who destroys something."""
    return bool(_libc.renameat2(_AT_FDCWD, name, _AT_FDCWD, to, flags) == 0)


class Attacker:
    """Works in the current folder, in which `precious` lies next to `victim`; the folder `other` has both as well."""

    def __init__(self) -> None:
        self.attempts = 0
        self.written: dict[int, int] = {}

    def exchange(self) -> None:
        """Two files change places."""
        rename(b"victim", b"precious", EXCHANGE)

    def replace(self) -> None:
        """The file goes aside, another one comes in its place, and both go home again."""
        rename(b"victim", b"aside")
        rename(b"precious", b"victim")
        rename(b"victim", b"precious")
        rename(b"aside", b"victim")

    def link(self) -> None:
        """A symbolic link to the other file comes in the file's place."""
        rename(b"victim", b"aside")
        with suppress(OSError):
            os.symlink(b"precious", b"victim")
        rename(b"victim", b"was there")  # by now somebody may have put a file there instead
        _home(b"was there")
        _home(b"aside")

    def parent(self) -> None:
        """The folder changes places with another one, in which the other file has the file's name."""
        rename(b"../folder", b"../other", EXCHANGE)

    def name(self) -> None:
        """The file gets a further name for a moment."""
        with suppress(OSError):
            os.link(b"victim", b"further")
        with suppress(OSError):
            os.unlink(b"further")

    def append(self) -> None:
        """Something is added; the attacker waits for as long as the file is not to be had."""
        self._write(b"victim", _append)

    def truncate(self) -> None:
        """The end of the file is cut off, by one who does not wait."""
        self._write(b"victim", lambda descriptor: os.ftruncate(descriptor, NUMBER_BYTES + 1), os.O_NONBLOCK)

    def edit(self) -> None:
        """Something is exchanged in the file, and its times are set back."""

        def edit(descriptor: int) -> None:
            before = os.fstat(descriptor)
            os.pwrite(descriptor, b"PRECIOUS", NUMBER_BYTES)
            os.utime(descriptor, ns=(before.st_atime_ns, before.st_mtime_ns))

        self._write(b"victim", edit, os.O_NONBLOCK)

    def reopen(self) -> None:
        """The attacker has the file open for reading, and once it is taken opens it by that for writing."""
        with suppress(OSError):
            descriptor = os.open(b"victim", os.O_RDONLY)
            try:
                gives_up = time.monotonic() + 1
                while os.path.lexists(b"victim") and time.monotonic() < gives_up:
                    time.sleep(0.0005)
                time.sleep(random.uniform(0, SHORT_REST_SECONDS))
                self._write(b"/proc/self/fd/%d" % descriptor, _append)
            finally:
                os.close(descriptor)

    def _write(self, path: bytes, act: Callable[[int], object], flags: int = 0) -> None:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | flags)
            try:
                start = os.pread(descriptor, NUMBER_BYTES, 0)
                act(descriptor)
                if start.startswith(b"round "):
                    self.written.setdefault(int(start[6:]), time.monotonic_ns())
            finally:
                os.close(descriptor)


def _home(name: bytes) -> None:
    """A file goes back to its place, or away if there is another one by now; a link goes away."""
    if os.path.islink(name) or not rename(name, b"victim"):
        with suppress(OSError):
            os.unlink(name)


def _append(descriptor: int) -> None:
    os.pwrite(descriptor, b"PRECIOUS", os.fstat(descriptor).st_size)


WRITING = ("append", "truncate", "edit", "reopen")
ATTACKS = ("exchange", "replace", "link", "parent", "name", *WRITING)


def main() -> None:
    attack, folder = sys.argv[1:]
    os.chdir(folder)
    attacker = Attacker()
    going_on = [True]
    signal.signal(signal.SIGTERM, lambda *_: going_on.clear())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    rest = LONG_REST_SECONDS if attack in WRITING else SHORT_REST_SECONDS
    while going_on:
        ends = time.monotonic() + random.uniform(0, BURST_SECONDS)
        while time.monotonic() < ends:
            getattr(attacker, attack)()
            attacker.attempts += 1
        time.sleep(random.uniform(0, rest))
    sys.stdout.write(f"{attacker.attempts}\n")
    sys.stdout.writelines(f"{number} {at}\n" for number, at in attacker.written.items())


if __name__ == "__main__":
    main()

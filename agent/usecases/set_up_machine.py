"""The machine that is set up: where its files are, whom it knows, and the programs of systemd."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.errors import ConfigurationError

SCAN, DISPOSE, GROUP = "retentiond-scan", "retentiond-dispose", "retentiond"
_SECONDS = 60.0  # a TPM may take its time


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, what it printed, and the first line of what it complained of."""

    code: int
    output: bytes
    complaint: str


Run = Callable[[Sequence[str], bytes], Ran]
"""Runs a program with these arguments and this standard input."""


def run_program(arguments: Sequence[str], given: bytes = b"") -> Ran:
    """Runs a program of the system; one that is not there or does not end has failed."""
    try:
        done = subprocess.run(  # noqa: S603 — only names and options written in this package
            arguments, input=given, capture_output=True, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        return Ran(127, b"", f"{arguments[0]} is not installed here")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Ran(126, b"", f"{arguments[0]}: {type(error).__name__}")
    complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Ran(done.returncode, done.stdout, complaint[-1] if complaint else "")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Numbers of the users and groups under which the service runs."""

    scan: int
    dispose: int
    dispose_group: int
    group: int


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine whose files begin at `root`: `/`, or the folder of an image of one."""

    root: Path = Path("/")
    run: Run = run_program

    def at(self, path: PurePosixPath | str) -> Path:
        """Where a path of that machine is for us."""
        return self.root / str(path).lstrip("/")

    @property
    def is_image(self) -> bool:
        """Whether it is another machine than the one we run on: its devices and its systemd are not to be had."""
        return os.path.realpath(self.root) != "/"

    @property
    def runs_systemd(self) -> bool:
        """Whether systemd is at work here, so that it can be told of changes."""
        return not self.is_image and os.path.isdir("/run/systemd/system")

    def unknown(self) -> tuple[str, ...]:
        """Which of the users and the group are not there."""
        users = tuple(name for name in (SCAN, DISPOSE) if self._user(name) is None)
        return users if self._group(GROUP) is not None else (*users, GROUP)

    def accounts(self) -> Accounts:
        """Their numbers. Raises `ConfigurationError` if one is not there."""
        scan, dispose, group = self._user(SCAN), self._user(DISPOSE), self._group(GROUP)
        if scan is None or dispose is None or group is None:
            raise ConfigurationError(f"There is no {', no '.join(self.unknown())} on this machine.")
        return Accounts(scan[0], dispose[0], dispose[1], group)

    def sysusers(self, file: Path) -> tuple[str, ...]:
        """The command that makes them."""
        return ("systemd-sysusers", *([f"--root={self.root}"] if self.is_image else []), str(file))

    def _user(self, name: str) -> tuple[int, int] | None:
        if self.is_image:
            fields = _line(self.at("/etc/passwd"), name)
            return (int(fields[2]), int(fields[3])) if fields else None
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            return None
        return found.pw_uid, found.pw_gid

    def _group(self, name: str) -> int | None:
        if self.is_image:
            fields = _line(self.at("/etc/group"), name)
            return int(fields[2]) if fields else None
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            return None


def _line(file: Path, name: str) -> list[str] | None:
    """The fields of a line of a password or group file of an image. Raises `ConfigurationError`."""
    try:
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror}).") from error
    return next((line.split(":") for line in lines if line.startswith(f"{name}:")), None)

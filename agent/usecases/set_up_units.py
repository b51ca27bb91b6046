"""Drop-ins that tell systemd which shares the service needs, and which of them it may change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

HEADER = (
    "# Written by `retentiond init --system`, and written anew when it is run again.\n"
    "# Lines of your own belong in another file beside this one.\n"
)
_HOMES = ("/home", "/run/user")  # themselves read-only for the unit, so that ReadWritePaths= of just these does nothing


def word(path: PurePosixPath) -> str:
    """A path as one word of a unit file: in quotes, with backslashes, quotes and specifiers escaped."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def scan_drop_in(
    shares: Sequence[PurePosixPath],
    own: Sequence[PurePosixPath],
    secret: Sequence[PurePosixPath],
    also: Sequence[PurePosixPath] = (),
) -> str:
    """For the unit that scans: it waits for the shares, may write to `own` and, if it is there, `also`, and never sees
    `secret`."""
    lines = [*_mounts([*shares, *own]), *_service(own), *_written_to(also)]
    if secret:
        lines += ["# It may read whatever lies on this machine, so what opens the vault is kept out of its sight."]
        lines += [f"InaccessiblePaths={_optional(path)}" for path in secret]
    return HEADER + "\n".join(lines) + "\n"


def dispose_drop_in(
    shares: Sequence[PurePosixPath],
    own: Sequence[PurePosixPath],
    also: Sequence[PurePosixPath] = (),
    *,
    may_act: bool,
) -> str:
    """For the unit that disposes: it waits for the shares, may write to `own` and, if it is there, `also`; to the
    shares only if it `may_act`."""
    lines = [*_mounts([*shares, *own]), *_service(own), *_written_to(also)]
    if may_act:
        lines += ["# A class may act, so the shares can be changed."]
        lines += _written_to(shares)
        if any(str(path) in _HOMES for path in shares):
            lines += ["ProtectHome=no"]
    else:
        lines += [
            "# No class may act (disposition in the settings), so the shares stay read-only for the service.",
            "# When one may, run `retentiond init --system` again.",
        ]
    return HEADER + "\n".join(lines) + "\n"


def _mounts(paths: Sequence[PurePosixPath]) -> list[str]:
    return ["[Unit]", *(f"RequiresMountsFor={word(path)}" for path in paths)]


def _service(own: Sequence[PurePosixPath]) -> list[str]:
    return ["", "[Service]", *(f"ReadWritePaths={word(path)}" for path in own)]


def _written_to(paths: Sequence[PurePosixPath]) -> list[str]:
    return [f"ReadWritePaths={_optional(path)}" for path in paths]


def _optional(path: PurePosixPath) -> str:
    """The minus: a folder that is gone must not keep the service from looking after the others."""
    return f"-{word(path)}"

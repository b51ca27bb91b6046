"""How fast files go into the vault, are checked there and come back, beside `cp` and `sync` of the same files."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from agent.vault.keys import new_root_key
from agent.vault.store import Vault

_DAY = date(2026, 1, 1)


def timed(what: Callable[[], object]) -> float:
    """How many seconds it takes."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def copied(files: list[Path], to: Path) -> None:
    """All of them by `cp`, then one `sync`."""
    to.mkdir()
    subprocess.run(["cp", "--reflink=never", "-t", str(to), *map(str, files)], check=True)
    subprocess.run(["sync"], check=True)


def copied_one_by_one(files: list[Path], to: Path) -> None:
    """What a vault must promise: each file is on the device before the next one is begun."""
    to.mkdir()
    for file in files:
        shutil.copyfile(file, to / file.name)
        for path in (to / file.name, to):
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def _measure(scratch: Path, count: int, size_bytes: int) -> None:
    files = []
    (scratch / "files").mkdir()
    for number in range(count):
        files.append(scratch / "files" / f"{number:06d}")
        files[-1].write_bytes(os.urandom(size_bytes))
    subprocess.run(["sync"], check=True)
    Vault.create(str(scratch / "vault"))
    ids = [secrets.token_hex(16) for _ in files]
    with Vault(str(scratch / "vault"), new_root_key()) as vault:

        def put() -> None:
            for file, id in zip(files, ids, strict=True):
                with file.open("rb") as source:
                    vault.put(source.fileno(), id, b'{"name": "x"}', _DAY)

        def verify() -> None:
            for id in ids:
                vault.verify(id)

        def restore() -> None:
            (scratch / "back").mkdir()
            for id in ids:
                with (scratch / "back" / id).open("xb") as target:
                    vault.restore_to(id, target.fileno())
                    os.fsync(target.fileno())

        rows = [
            ("cp, then one sync", timed(lambda: copied(files, scratch / "copies"))),
            ("copy, fsync of file and folder, one by one", timed(lambda: copied_one_by_one(files, scratch / "each"))),
            ("seal: encrypt, fsync, read back, key", timed(put)),
            ("verify", timed(verify)),
            ("restore, fsync", timed(restore)),
            (f"destroy {count // 2} of {count} at once", timed(lambda: vault.remove(*ids[: count // 2]))),
            (f"ceremony, {count - count // 2} survivors", timed(lambda: vault.erase(_DAY))),
        ]
    print(f"Vault, {count:,} files of {size_bytes / 1024:,.0f} KiB")
    for name, seconds in rows:
        total = count * size_bytes / 1e6
        print(f"  {name:<46} {seconds:8.2f} s {total / seconds:10,.0f} MB/s {count / seconds:10,.1f} files/s")
    print()
    for path in scratch.iterdir():
        shutil.rmtree(path)


def measure(scratch: Path) -> None:
    """Prints one table for large files and one for small ones."""
    folder = scratch / "vaulting"
    folder.mkdir()
    _measure(folder, 4, 256 << 20)
    _measure(folder, 1000, 100 << 10)

"""Conditions under which the acting half of the connector to folders is tested."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.base import ItemRef
from connectors.filesystem.capabilities import HoldingCapabilities, probe
from connectors.testing_acting import fills, sha256
from tests.connectors.acting import ID, Acted

PLACE = ItemRef(b"HR", b"contract.txt")
TEXT = b"a case"  # what `Acted.put` writes where it is not told otherwise

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do this")


def poorer(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """From now on every file system is one that cannot do this (fields of `HoldingCapabilities`)."""

    def found(directory: int, name: bytes) -> HoldingCapabilities:
        return replace(probe(directory, name), **dict.fromkeys(missing, False))

    monkeypatch.setattr("connectors.filesystem.hold.probe", found)


def failing(number: int) -> Callable[..., None]:
    """A call that meets the fault of that number."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@contextmanager
def flag(place: bytes, letter: str) -> Iterator[None]:
    """`chattr` around a block; skips the test where that cannot be done."""
    try:
        done = subprocess.run(["chattr", f"+{letter}", place], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no chattr here")
    if done.returncode != 0:
        pytest.skip("this file system, or who we are, does not allow chattr")
    try:
        yield
    finally:
        subprocess.run(["chattr", f"-{letter}", place], check=True)


def taken(acted: Acted, ref: ItemRef = PLACE, id: str = ID) -> bytes:
    """Takes the file; gives its properties."""
    with acted.take(ref.path, id) as content:
        return content.taken.properties


def make(acted: Acted, had: bytes, ref: ItemRef = PLACE, content: bytes = TEXT) -> tuple[str, ...]:
    return acted.holding.make(acted.scope, ref, had, fills(content), sha256(content)).lacking


def opened(path: bytes | Path, flags: int = os.O_RDONLY) -> int:
    return os.open(path, flags | os.O_CLOEXEC)


def times(path: bytes) -> tuple[int, int]:
    facts = os.stat(path)
    return facts.st_atime_ns, facts.st_mtime_ns


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A folder that belongs to a user without rights, and us as that user."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o711)  # noqa: S103 — whoever is nobody must be able to go through
        os.mkdir(f"{folder}/theirs")
        os.chown(f"{folder}/theirs", NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(folder, "theirs")
        finally:
            os.seteuid(0)
            os.setegid(0)


@contextmanager
def as_root() -> Iterator[None]:
    os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(NOBODY)

"""Small vaults and files for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from agent.vault import keyring
from agent.vault.disk import Disk
from agent.vault.keys import RootKey
from agent.vault.store import Vault

ROOT = RootKey(bytes(range(32)))
MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
SLOTS, PLACES = 16, 64
CHUNK = 64


def an_id(number: int) -> str:
    """Ids on different shelves."""
    return f"{number:02x}" * 16


def content_of(id: str) -> bytes:
    """What the test puts under this id: several chunks and a bit."""
    return (id.encode() * 20)[: 300 + int(id[:2], 16)]


@contextmanager
def memory_file(content: bytes = b"") -> Iterator[int]:
    """A descriptor of a file in memory, for reading and writing."""
    descriptor = os.memfd_create("test")
    try:
        os.pwrite(descriptor, content, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def read_all(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def make(path: Path, disk: Disk | None = None) -> None:
    """Its key files have few places, which is no more than there are items in a test: whoever opens it reads all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyring, "GROWTH", min(keyring.GROWTH, PLACES))
        Vault.create(str(path), slots=SLOTS, disk=disk)


def opened(path: Path, disk: Disk | None = None, root: RootKey = ROOT, **options: object) -> Vault:
    return Vault(str(path), root, disk=disk, chunk_bytes=CHUNK, **options)  # type: ignore[arg-type]


def put(vault: Vault, *ids: str, on: date = MONDAY) -> None:
    for id in ids:
        with memory_file(content_of(id)) as source:
            vault.put(source, id, b"about " + id.encode(), on)


def taken_out(vault: Vault, id: str) -> bytes:
    with memory_file() as target:
        assert vault.restore_to(id, target).metadata == b"about " + id.encode()
        return read_all(target)


def assert_readable(vault: Vault, *ids: str) -> None:
    for id in ids:
        assert taken_out(vault, id) == content_of(id)

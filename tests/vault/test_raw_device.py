"""Where a key was is looked for on the device itself, beneath the file system."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from agent.vault.base import Fate
from agent.vault.store import Vault
from tests.vault.factories import (
    MONDAY,
    ROOT,
    TUESDAY,
    an_id,
    assert_readable,
    content_of,
    make,
    opened,
    put,
)

A, B = an_id(1), an_id(2)


def _can_mount() -> bool:
    return os.geteuid() == 0 and all(map(shutil.which, ("mkfs.ext4", "mount"))) and os.path.exists("/dev/loop-control")


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    if subprocess.run(["mount", "-o", "loop", str(image), str(at)], capture_output=True).returncode:
        pytest.skip("this machine mounts no loop devices")
    try:
        yield at / "vault"
    finally:
        subprocess.run(["umount", str(at)], check=True)


def replaced_instead_of_overwritten(vault: Vault) -> None:
    """What everybody does with files, and must not be done with these."""
    path = Path(vault._slots._places.path)
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes()[:4096] + bytes(16 * 4096))
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.rename(path)


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.skipif(not _can_mount(), reason="needs root, mkfs.ext4 and loop devices")
@pytest.mark.parametrize("properly", [True, False])
def test_after_the_ceremony_no_key_of_a_destroyed_item_is_on_the_raw_device(tmp_path: Path, properly: bool) -> None:
    image, at = tmp_path / "image", tmp_path / "mnt"
    at.mkdir()
    subprocess.run(["truncate", "-s", "64M", str(image)], check=True)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    with mounted(image, at) as place:
        make(place)
        with opened(place) as vault:
            put(vault, A, B, on=MONDAY)
            slots, keyring = vault._slots, vault._keyring
            (epoch,) = slots.epochs()
            secrets = [keyring.key(bytes.fromhex(A), slots), slots.key(epoch.id)]
            wrapped = [slot.wrapped for slot in slots._slots]
            (held,) = keyring.held(bytes.fromhex(A))
            wrapped_item = (keyring._places.read(held.place) or b"")[25:85]
    device = image.read_bytes()
    assert all(device.count(one) >= 1 for one in [*wrapped, wrapped_item]), "the search would find it"
    assert not any(one in device for one in [*secrets, ROOT.secret, content_of(A)[:60]])
    with mounted(image, at) as place, opened(place) as vault:
        vault.remove(A)
        if properly:
            assert vault.erase(TUESDAY).erased == (A,)
        else:
            replaced_instead_of_overwritten(vault)
    device = image.read_bytes()
    assert not any(one in device for one in [*secrets, wrapped_item])
    if not properly:
        assert any(one in device for one in wrapped), "a file that is replaced leaves its keys on the device"
        return
    assert not any(one in device for one in wrapped)
    with mounted(image, at) as place, opened(place) as vault:
        assert_readable(vault, B)
        assert vault.fate(A) is Fate.ERASED


def test_after_the_ceremony_no_key_of_a_destroyed_item_is_in_any_file(vault: Vault, place: Path) -> None:
    """Where no device can be mounted, this much is known."""
    put(vault, A, B)
    slots = [slot.wrapped for slot in vault._slots._slots]
    (held,) = vault._keyring.held(bytes.fromhex(A))
    item = (vault._keyring._places.read(held.place) or b"")[25:85]

    def found() -> list[bool]:
        everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
        return [one in everything for one in [*slots, item]]

    assert found() == [True, True, True]
    vault.remove(A)
    assert found() == [True, True, False]
    vault.erase(date(2026, 3, 5))
    assert found() == [False, False, False]
    assert_readable(vault, B)

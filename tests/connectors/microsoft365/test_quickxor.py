"""QuickXorHash agrees with another implementation, however the content is cut."""

from __future__ import annotations

import base64
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.microsoft365.quickxor import QuickXor

SIZES = [0, 1, 7, 19, 20, 21, 159, 160, 161, 255, 320, 1000, 65_536, 65_537, 3_000_001]


def plainly(data: bytes) -> bytes:
    """As Microsoft describes it: every byte is xored in 11 bits after the one before, round a ring of 160 bits."""
    ring = 0
    for index, byte in enumerate(data):
        shifted = byte << (index * 11 % 160)
        ring ^= (shifted & ((1 << 160) - 1)) ^ (shifted >> 160)
    return (ring ^ (len(data) << 96)).to_bytes(20, "little")


def hash_of(*parts: bytes) -> QuickXor:
    hash = QuickXor()
    for part in parts:
        hash.update(part)
    return hash


def test_the_hash_of_nothing_is_known() -> None:
    assert hash_of().base64() == "AAAAAAAAAAAAAAAAAAAAAAAAAAA="


@settings(deadline=None)
@given(parts=st.lists(st.binary(max_size=400), max_size=6))
def test_it_does_not_matter_how_the_content_is_cut(parts: list[bytes]) -> None:
    assert hash_of(*parts).digest() == plainly(b"".join(parts))


def test_it_takes_whatever_holds_bytes() -> None:
    data = random.Random(1).randbytes(1000)
    assert hash_of(bytearray(data)).digest() == hash_of(memoryview(data)).digest() == hash_of(data).digest()  # type: ignore[arg-type]


def test_asking_for_the_digest_does_not_end_it() -> None:
    hash = hash_of(b"first")
    hash.digest()
    hash.update(b" second")
    assert hash.digest() == plainly(b"first second")


@pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed here")
def test_rclone_gives_the_same_hashes(tmp_path: Path) -> None:
    chance = random.Random(2)
    ours = {}
    for size in SIZES:
        data = chance.randbytes(size)
        (tmp_path / f"{size}").write_bytes(data)
        cuts = sorted(chance.randrange(size + 1) for _ in range(5))
        parts = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, size], strict=True)]
        ours[f"{size}"] = hash_of(*parts).digest()
    answer = subprocess.run(
        ["rclone", "hashsum", "quickxor", "--base64", str(tmp_path), "--config", "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    theirs = {
        name: base64.urlsafe_b64decode(hash) for hash, name in (line.split() for line in answer.stdout.splitlines())
    }
    assert theirs == ours

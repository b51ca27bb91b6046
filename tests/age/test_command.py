"""The command `age` opens what we write, and we open what it writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.age.base import Damaged
from agent.age.message import decrypt
from agent.age.stream import Reader, Writer
from tests.age.samples import CHUNK, FIRST, FIRST_RECIPIENT, SECOND_RECIPIENT

pytestmark = pytest.mark.skipif(not shutil.which("age"), reason="the command age is not installed")
LENGTHS = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 17]


@pytest.fixture
def identity(tmp_path: Path) -> str:
    path = tmp_path / "identity"
    path.write_text(FIRST + "\n")
    return str(path)


@pytest.mark.parametrize("length", LENGTHS)
def test_the_command_opens_what_we_write(length: int, identity: str, tmp_path: Path) -> None:
    plain = os.urandom(length)
    with open(tmp_path / "sealed", "wb", buffering=0) as target:
        writer = Writer(target, [SECOND_RECIPIENT, FIRST_RECIPIENT])
        for start in range(0, length, 1000):
            writer.write(plain[start : start + 1000])
        writer.finish()
    done = subprocess.run(["age", "-d", "-i", identity, tmp_path / "sealed"], capture_output=True, check=True)
    assert done.stdout == plain


@pytest.mark.parametrize("length", LENGTHS)
def test_we_open_what_the_command_writes(length: int, tmp_path: Path) -> None:
    plain = os.urandom(length)
    for extra in ([], ["-r", SECOND_RECIPIENT]):
        command = ["age", *extra, "-r", FIRST_RECIPIENT, "-o", str(tmp_path / "sealed")]
        subprocess.run(command, input=plain, capture_output=True, check=True)
        with open(tmp_path / "sealed", "rb", buffering=0) as source:
            assert b"".join(Reader(source, FIRST)) == plain


def test_what_the_command_refuses_we_refuse(identity: str, tmp_path: Path) -> None:
    """A file that ends where a chunk does, one chunk too early."""
    sealed = tmp_path / "sealed"
    with open(sealed, "wb") as target:
        writer = Writer(target, [FIRST_RECIPIENT])
        writer.write(bytes(2 * CHUNK))
        writer.finish()
    cut = sealed.read_bytes()[: -(CHUNK + 16)]
    sealed.write_bytes(cut)
    done = subprocess.run(["age", "-d", "-i", identity, sealed], capture_output=True, check=False)
    assert done.returncode != 0
    with pytest.raises(Damaged):
        decrypt(cut, FIRST)

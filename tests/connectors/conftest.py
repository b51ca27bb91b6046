"""What the tests of the acting halves of connectors share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("connectors.testing_holding", "connectors.testing_taking", "connectors.testing_making")

Mount = Callable[..., Path]


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts something on a new folder (`mount` with these arguments); skips the test where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    mounted: list[Path] = []

    def mount(*arguments: str) -> Path:
        place = tmp_path / f"mounted-{len(mounted)}"
        place.mkdir()
        answer = subprocess.run(["mount", *arguments, place], capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            pytest.skip(f"cannot mount here: {answer.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in reversed(mounted):
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def disk(tmp_path: Path, mount: Mount) -> Callable[..., Path]:
    """Mounts a new file system of that kind from a file; skips the test where it cannot be made."""

    def disk(kind: str, megabytes: int = 64, *options: str) -> Path:
        image = tmp_path / f"{kind}-{len(list(tmp_path.iterdir()))}.img"
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        try:
            made = subprocess.run([f"mkfs.{kind}", *options, image], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip(f"there is no mkfs.{kind} here")
        assert made.returncode == 0, made.stderr
        return mount("-o", "loop", str(image))

    return disk

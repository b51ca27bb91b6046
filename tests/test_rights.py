"""Who may read and write what lies in the state directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent import bootstrap
from agent.errors import ConfigurationError
from agent.keys import master_key
from agent.rights import is_shared, open_or_make


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def made(path: Path) -> int:
    os.close(open_or_make(path))
    return mode(path)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
@pytest.mark.parametrize(("directory", "file"), [(0o700, 0o600), (0o770, 0o600), (0o2750, 0o600), (0o2770, 0o660)])
def test_a_file_is_its_owners_alone_unless_a_group_has_the_directory_in_common(
    tmp_path: Path, directory: int, file: int, umask: int
) -> None:
    tmp_path.chmod(directory)
    before = os.umask(umask)
    try:
        assert made(tmp_path / "file") == file
    finally:
        os.umask(before)


def test_a_file_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    (tmp_path / "file").touch(0o640)
    (tmp_path / "file").chmod(0o640)

    assert made(tmp_path / "file") == 0o640


def test_the_catalogue_and_its_log_belong_to_the_group_that_works_together(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)

    with bootstrap.open_catalogue(tmp_path, create=True) as catalogue:
        catalogue.ensure_share("office", "/srv/office", "id")
        assert is_shared(tmp_path)
        modes = {file.name: mode(file) for file in tmp_path.glob("catalogue.sqlite*")}

    assert modes == {f"catalogue.sqlite{end}": 0o660 for end in ("", "-wal", "-shm")}


def test_the_master_key_may_be_read_by_that_group_and_by_nobody_else(tmp_path: Path) -> None:
    key = master_key(tmp_path / "master.key")
    (tmp_path / "master.key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="others may read"):
        master_key(tmp_path / "master.key")

    tmp_path.chmod(0o2770)
    assert master_key(tmp_path / "master.key") == key

    for too_much in (0o660, 0o644, 0o650):
        (tmp_path / "master.key").chmod(too_much)
        with pytest.raises(ConfigurationError, match="others may read"):
            master_key(tmp_path / "master.key")

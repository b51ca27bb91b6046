"""What systemd makes at installation: users, directories, kernel settings."""

from __future__ import annotations

import grp
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.packaging.unit_files import ROLES, UNITS

pytestmark = [
    pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="needs Debian's systemd"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.root,
]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine with our files installed and our users made."""
    for name in ("etc", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("sysusers.d", "tmpfiles.d"):
        shutil.copy(UNITS / name / "retentiond.conf", tmp_path / "usr/lib" / name)
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="ascii")
    (tmp_path / "etc/group").write_text("root:x:0:\n", encoding="ascii")
    told = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", "retentiond.conf"], capture_output=True, text=True, check=True
    )
    assert "not a valid" not in told.stderr
    return tmp_path


def test_each_service_has_a_user_of_its_own_and_all_share_the_group(machine: Path) -> None:
    users = {line.split(":")[0]: line.split(":") for line in (machine / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: line.split(":")[3] for line in (machine / "etc/group").read_text().splitlines()}

    for role in ROLES:
        assert users[f"retentiond-{role}"][6] == "/usr/sbin/nologin"
        assert users[f"retentiond-{role}"][4].startswith("retentiond ")
    assert len({users[f"retentiond-{role}"][2] for role in ROLES}) == len(ROLES)
    assert set(groups["retentiond"].split(",")) == {f"retentiond-{role}" for role in ROLES}


def test_the_state_is_shared_and_the_vault_is_not(machine: Path) -> None:
    (machine / "run").mkdir()
    told = subprocess.run(
        ["systemd-tmpfiles", f"--root={machine}", "--create", "retentiond.conf"], capture_output=True, text=True
    )
    users = {line.split(":")[0]: int(line.split(":")[2]) for line in (machine / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: int(line.split(":")[2]) for line in (machine / "etc/group").read_text().splitlines()}
    if told.returncode and "retentiond" not in {one.gr_name for one in grp.getgrall()}:
        pytest.skip("this systemd looks users up on the machine itself")

    def of(path: str) -> tuple[int, int, int]:
        facts = (machine / path).stat()
        return stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid

    assert told.stderr == ""
    assert of("var/lib/retentiond") == (0o2770, 0, groups["retentiond"])
    assert of("var/lib/retentiond/vault")[:2] == (0o700, users["retentiond-dispose"])
    assert of("etc/retentiond") == (0o750, 0, groups["retentiond"])
    assert of("etc/retentiond/credstore") == (0o710, 0, groups["retentiond-dispose"])
    assert of("run/retentiond") == (0o3770, 0, groups["retentiond"])
    assert os.readlink(machine / "etc/credstore.encrypted/retentiond-vault").startswith("/etc/retentiond/credstore/")


def test_kernel_settings_are_ones_that_this_kernel_has() -> None:
    for line in (UNITS / "sysctl.d/60-retentiond.conf").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            assert Path("/proc/sys", *name.strip().split(".")).exists()
            assert int(value) > 0

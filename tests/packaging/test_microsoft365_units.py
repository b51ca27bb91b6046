"""What the services may do more where there is a tenant of Microsoft 365, and that it is no more than that."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.unit_files import UNITS, settings_of, words_of

WITH_SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs Debian's systemd")
# Of 100, as for the units themselves, which have 20 and 18: the network costs the one that scans 1, as it had that of
# the machine before, and the one that disposes 8.
_EXPOSURE = {"scan": 21, "dispose": 26}


def _unit_with_drop_in(role: str, folder: Path) -> Path:
    unit = folder / f"retentiond-{role}.service"
    text = (UNITS / unit.name).read_text(encoding="utf-8")
    unit.write_text(text.replace("ExecStart=/opt/retentiond/bin/retentiond", "ExecStart=/bin/true"), encoding="utf-8")
    (folder / f"{unit.name}.d").mkdir()
    shipped = (UNITS / f"microsoft365/{role}.conf").read_text(encoding="utf-8")
    credential = f"LoadCredential=m365-contoso-{role}:/etc/retentiond/credstore/m365-contoso-{role}\n"
    (folder / f"{unit.name}.d" / "microsoft365.conf").write_text(shipped + credential, encoding="utf-8")
    return unit


@WITH_SYSTEMD
@pytest.mark.parametrize("role", ["scan", "dispose"])
def test_a_service_with_a_tenant_is_exposed_little(role: str, tmp_path: Path) -> None:
    unit = _unit_with_drop_in(role, tmp_path)
    told = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=yes", f"--threshold={_EXPOSURE[role]}", unit],
        capture_output=True,
        text=True,
    )

    assert told.returncode == 0, told.stdout[-200:] + told.stderr
    assert "Service has access to the host's network" in told.stdout  # so the drop-in was read


@WITH_SYSTEMD
@pytest.mark.parametrize("role", ["scan", "dispose"])
def test_systemd_finds_nothing_wrong_with_it(role: str, tmp_path: Path) -> None:
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", _unit_with_drop_in(role, tmp_path)], capture_output=True, text=True
    )

    assert (told.returncode, told.stderr) == (0, "")


def test_the_drop_ins_lie_where_no_unit_is_looked_for() -> None:
    """Beside the units, in `….service.d`, systemd would take them for granted."""
    assert not list(UNITS.glob("*.service.d"))


def test_they_open_the_network_and_nothing_else() -> None:
    said = {
        role: set(re.findall(r"^(\w+)=", (UNITS / f"microsoft365/{role}.conf").read_text(encoding="utf-8"), re.M))
        for role in ("scan", "dispose")
    }

    assert said["scan"] == {"Wants", "After", "IPAddressAllow"}
    assert said["dispose"] == said["scan"] | {"PrivateNetwork", "RestrictAddressFamilies"}


def test_the_one_that_scans_would_see_a_credential_that_it_is_given() -> None:
    """What a unit declares inaccessible wins over what systemd itself would show it there."""
    hidden = {path.removeprefix("-") for path in words_of("scan", "InaccessiblePaths")}

    assert not any("/run/credentials".startswith(path) for path in hidden)
    assert settings_of("dispose")["PrivateNetwork"] == ["yes"]

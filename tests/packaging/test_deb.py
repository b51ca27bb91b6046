"""The package is built, installed, used, upgraded, removed and purged on a fresh Debian 12. Takes many minutes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.packaging.unit_files import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif("RETENTIOND_TEST_DEB" not in os.environ, reason="takes long; RETENTIOND_TEST_DEB=1 runs it"),
]


def test_the_package_does_its_work_on_a_fresh_machine(tmp_path: Path) -> None:
    subprocess.run([ROOT / "packaging/build.sh", tmp_path], check=True, capture_output=True)
    (package,) = tmp_path.glob("retentiond_*.deb")
    told = subprocess.run([ROOT / "packaging/check.sh", package], capture_output=True, text=True)

    assert told.returncode == 0, told.stdout + told.stderr

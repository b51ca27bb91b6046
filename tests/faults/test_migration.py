"""A catalogue of an older schema is brought up to date or stays as it was, at whatever system call that is cut off."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agent.catalogue.store import Catalogue
from tests.faults import rig
from tests.faults.harness import points
from tests.faults.older import an_older_catalogue, not_as_it_was

EVERY, AT_LEAST = (9, 10) if "RETENTIOND_TEST_LONG" in os.environ else (31, 3)  # one point in so many

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace must be installed (Debian: strace)"),
]


def test_a_migration_that_is_killed_anywhere_is_done_by_the_next_start(tmp_path: Path) -> None:
    template, path = tmp_path / "template.sqlite", tmp_path / "catalogue.sqlite"
    an_older_catalogue(template)
    assert not_as_it_was(template), "it is up to date already"

    def begin() -> None:
        for file in tmp_path.glob("catalogue.sqlite*"):
            file.unlink()
        shutil.copyfile(template, path)

    def upgrade() -> None:
        Catalogue.open(path, create=False).close()

    begin()
    ran = rig.run(upgrade, tmp_path / "trace")
    assert ran.status == rig.FINISHED, ran.said
    assert not_as_it_was(path) == []
    tried = 0
    for fault in list(points(ran.calls, rig.KILL))[EVERY // 2 :: EVERY]:
        begin()
        assert rig.run(upgrade, tmp_path / "trace", fault).met, str(fault)
        again = rig.run(upgrade, tmp_path / "trace", traced=False)
        assert again.status == rig.FINISHED, f"{fault}: {again.said}"
        assert not_as_it_was(path) == [], str(fault)
        tried += 1
    assert tried >= AT_LEAST

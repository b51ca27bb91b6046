"""A catalogue without anything in it, to be copied: to make one by all migrations takes longer than most tests."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path

from agent.catalogue.store import Catalogue


def empty_at(path: Path) -> Path:
    """Puts an empty catalogue of the newest schema there, unless there is a file already. Gives the path.

    It is what `Catalogue.open` makes of a path where nothing is. Tests of how one is made do without it.
    """
    if not path.exists():
        path.write_bytes(_empty())
        os.chmod(path, 0o600)
    return path


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.sqlite"
        Catalogue.open(path).close()
        return path.read_bytes()

"""What the tests of watches share: asking until something is told, with no wait that is longer than need be."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

from connectors.filesystem.watching import FolderWatch
from connectors.watching import Dirty, Watch

PATIENCE_SECONDS = 20.0
END = b"the end "

_numbers = itertools.count()


def until(true: Callable[[], bool], missing: Callable[[], str] = lambda: "it did not come about") -> None:
    """Returns as soon as it is true; fails the test if that takes too long, with what was `missing` then."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, missing()
        time.sleep(0.01)


def drained(watch: Watch, *folders: bytes) -> Dirty:
    """All that is told until these folders have been, or that everything may have changed."""
    told: set[bytes] = set()
    everything = False

    def enough() -> bool:
        nonlocal everything
        dirty = watch.drain()
        told.update(dirty.folders)
        everything = everything or dirty.everything
        return everything or told.issuperset(folders)

    until(enough, lambda: f"never told: {sorted(set(folders) - told)[:5]}; others that were: {sorted(told)[:5]}")
    return Dirty(frozenset(told), everything)


def settled(watch: FolderWatch, share: Path) -> Dirty:
    """All that was told of what has happened so far, once nothing is being mended any more.

    The kernel keeps the order: when the folder made here is told, so is all from before. It is left, and not told.
    """
    told: set[bytes] = set()
    everything = False
    while True:
        until(lambda: watch._mending is None)
        end = END + b"%d" % next(_numbers)
        (share / end.decode()).mkdir()
        dirty = drained(watch, end)
        told |= dirty.folders
        everything = everything or dirty.everything
        if end in dirty.folders and not dirty.everything and watch._mending is None:
            return Dirty(frozenset(each for each in told if not each.startswith(END)), everything)

"""Waits until the service is at rest, and compares what it knows with what is there."""

from __future__ import annotations

import os
import time

from connectors.filesystem.facts import version_of
from tests.soak.book import Book
from tests.soak.findings import Findings
from tests.soak.keeper import Keeper
from tests.soak.place import Place

_QUIET = 3  # looks in a row
_BETWEEN_SECONDS = 2.5
_PATIENCE_SECONDS = 420.0
_WAITING = (
    "SELECT (SELECT COUNT(*) FROM dirty_folder), (SELECT COUNT(*) FROM job_run WHERE result = ''), "
    "(SELECT COUNT(*) FROM job WHERE asked_at IS NOT NULL OR due_at <= ?)"
)
_UNSETTLED = "SELECT COUNT(*) FROM disposal WHERE state IN ('planned', 'sealed', 'restoring', 'destroying')"


class Census:
    """Counts one place."""

    def __init__(self, place: Place, book: Book, keeper: Keeper, findings: Findings) -> None:
        self._place = place
        self._book = book
        self._keeper = keeper
        self._findings = findings

    def at_rest(self) -> bool:
        """Whether the service comes to rest by itself, while nobody does anything."""
        quiet, end, waits = 0, time.monotonic() + _PATIENCE_SECONDS, (0, 0, 0)
        while quiet < _QUIET:
            if time.monotonic() > end:
                said = "{} folders dirty, {} jobs running, {} jobs due".format(*waits)
                self._findings.add("no rest", f"after {_PATIENCE_SECONDS:.0f} s in which nobody did anything: {said}")
                return False
            self._keeper.ensure()
            time.sleep(_BETWEEN_SECONDS)
            with self._place.catalogue() as connection:
                waits = connection.execute(_WAITING, (int(time.time() * 1e6),)).fetchone()
            quiet = 0 if any(waits) else quiet + 1
        return True

    def take(self, when: str, *, gone_through: bool = False) -> None:
        """Every file is in the catalogue as it is, and nothing else is. At rest only.

        Unless the share has just been `gone_through` from end to end, a file with several names may be known as it was:
        what happens by one of them, no watch tells of the others.
        """
        there = {path: version_of(os.lstat(self._place.at(path))) for path in self._place.files()}
        rows = self._place.rows()
        for path in sorted(there.keys() - rows.keys()):
            self._findings.add("not in the catalogue", f"{when}: {path!r}{self._age(path)}")
        for path in sorted(rows.keys() - there.keys()):
            self._findings.add("in the catalogue only", f"{when}: {path!r}")
        for path in sorted(rows.keys() & there.keys()):
            known_late = not gone_through and os.lstat(self._place.at(path)).st_ino in self._book.linked
            if rows[path].version != there[path] and not known_late:
                self._findings.add("another version", f"{when}: {path!r} ({rows[path].outcome}){self._age(path)}")
        self._findings.did("census")
        self._findings.did("files counted", len(there))

    def unsettled(self) -> int:
        """Disposals that are under way."""
        with self._place.catalogue() as connection:
            return int(connection.execute(_UNSETTLED).fetchone()[0])

    def _age(self, path: bytes) -> str:
        return f", changed {time.time() - os.lstat(self._place.at(path)).st_ctime:.0f} s ago"

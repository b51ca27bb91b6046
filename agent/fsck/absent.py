"""Items that are not in their place: were they only moved within their share?"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from agent.fsck.base import Kind, Standing
from agent.fsck.findings import Findings, shown
from agent.fsck.rows import Item
from agent.fsck.share import Share, is_version, mark_of


@dataclass(frozen=True, slots=True)
class Missing:
    """That an item is not where it should be, and at which version it was last known.

    `lost` is what is to be said if it is found nowhere and others cannot have taken it; empty if they can.
    """

    version: bytes
    lost: str = ""


class Absent:
    """Collects them in a temporary table, so that memory stays flat, and looks for all of a share in one walk."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("CREATE TEMP TABLE absent (item INTEGER, share TEXT, mark BLOB, lost TEXT, wrong INTEGER)")
        connection.execute("CREATE INDEX temp.absent_mark ON absent (share, mark)")

    def add(self, item: Item, missing: Missing, *, wrong: bool) -> None:
        """`wrong` says that there are other problems with the item."""
        mark = mark_of(missing.version) if is_version(missing.version) else None
        row = (item.number, item.share, mark, missing.lost, wrong)
        self._connection.execute("INSERT INTO absent VALUES (?, ?, ?, ?, ?)", row)

    def settle(self, shares: Mapping[str, Share], findings: Findings) -> None:
        """Looks for all of them, and says how each stands."""
        execute = self._connection.execute
        for (name,) in execute("SELECT DISTINCT share FROM absent").fetchall():
            for mark in shares[name].marks():
                found = execute("DELETE FROM absent WHERE share = ? AND mark = ? RETURNING wrong", (name, mark))
                for (wrong,) in found.fetchall():
                    findings.stand(Standing.WRONG if wrong else Standing.MOVED)
        for wrong, count in execute("SELECT wrong OR lost <> '' AS wrong, COUNT(*) FROM absent GROUP BY 1"):
            findings.stand(Standing.WRONG if wrong else Standing.ABSENT, count)
        lost = execute(
            "SELECT a.item, a.lost, CAST(f.path AS BLOB), CAST(i.name AS BLOB) "
            "FROM absent a JOIN item i ON i.id = a.item JOIN folder f ON f.id = i.folder_id "
            "WHERE a.lost <> '' ORDER BY a.item"
        )
        for number, said, folder, name in lost:
            findings.problem(Kind.LOST, said, number, shown(folder, name))

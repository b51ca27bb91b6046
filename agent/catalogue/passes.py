"""The passes over a share as they stand in the catalogue: how the newest one came out, counted from its items' rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from agent.catalogue.base import FolderNotListed, PassResult
from agent.catalogue.reading import moment
from agent.catalogue.recording import below
from agent.catalogue.tables import LIVE, MISSING, TOMBSTONE, finding, folder, folder_not_listed, item, scan_pass
from agent.model.outcome import OutcomeKind
from connectors.base import show_name

RUNNING, ABANDONED, COMPLETE = "running", "abandoned", "complete"


def newest(share_id: int) -> Any:
    """The statement that finds the newest pass of a share."""
    last = select(func.max(scan_pass.c.number)).where(scan_pass.c.share_id == share_id).scalar_subquery()
    return select(scan_pass).where(scan_pass.c.share_id == share_id, scan_pass.c.number == last)


def read_newest(connection: Connection, share_id: int) -> PassResult | None:
    """The newest pass of a share, none if there is none; its counts are of the moment it ended."""
    row = connection.execute(newest(share_id)).first()
    if row is None:
        return None
    counted = json.loads(row.coverage) if row.coverage else coverage(connection, share_id, row.id)
    not_listed = connection.execute(
        select(folder_not_listed).where(folder_not_listed.c.pass_id == row.id).order_by(folder_not_listed.c.path)
    ).all()
    differ = abs(row.seen + counted["unreached"] - accounted(counted))
    return PassResult(
        number=row.number,
        complete=row.state == COMPLETE,
        seen=row.seen,
        folders=row.folders,
        folders_not_listed=tuple(
            FolderNotListed(show_name(entry.path) or "/", entry.reason, entry.failed) for entry in not_listed
        ),
        tombstoned=row.tombstoned,
        size_bytes=row.size_bytes,
        started_at=moment(row.started_at),
        ended_at=None if row.ended_at is None else moment(row.ended_at),
        reconciles=row.state == COMPLETE and differ <= row.meanwhile,
        meanwhile=row.meanwhile,
        **counted,
    )


def coverage(connection: Connection, share_id: int, pass_id: int) -> dict[str, Any]:
    """How the live items of the share stand, counted from their rows, by the names that `PassResult` has for it."""
    counts = connection.execute(
        select(item.c.state, item.c.outcome, item.c.reason, item.c.extraction, func.count())
        .join(folder, folder.c.id == item.c.folder_id)
        .where(folder.c.share_id == share_id, item.c.state.in_((LIVE, MISSING)))
        .group_by(item.c.state, item.c.outcome, item.c.reason, item.c.extraction)
        .order_by(item.c.state, item.c.outcome, item.c.reason, item.c.extraction)
    ).all()
    told: dict[str, Any] = {"scanned": 0, "skipped": {}, "failed": {}, "extraction": {}, "missing": 0}
    for state, outcome, reason, extraction, count in counts:
        if state == MISSING:
            told["missing"] += count
            continue
        if outcome == OutcomeKind.SCANNED:
            told["scanned"] += count
        else:
            told[outcome][reason] = told[outcome].get(reason, 0) + count
        if extraction:
            told["extraction"][extraction] = told["extraction"].get(extraction, 0) + count
    return {**told, "unreached": _unreached(connection, share_id, pass_id)}


def accounted(counted: Mapping[str, Any]) -> int:
    """How many items have an outcome."""
    return int(counted["scanned"] + sum(counted["skipped"].values()) + sum(counted["failed"].values()))


def bury(connection: Connection, share_id: int) -> int:
    """Takes what is missing from the share for deleted; gives how many items that are."""
    lost = (item.c.state == MISSING) & item.c.folder_id.in_(select(folder.c.id).where(folder.c.share_id == share_id))
    connection.execute(finding.delete().where(finding.c.item_id.in_(select(item.c.id).where(lost))))
    buried = connection.execute(
        item.update().where(lost).values(state=TOMBSTONE, findings="", finding_total=0, content_hash=None, verdict="")
    )
    return buried.rowcount


def disposed_during(connection: Connection, pass_id: int) -> int:
    """How many items of its share were taken or given back while the pass went on."""
    statement = (
        "SELECT COUNT(DISTINCT d.id) FROM scan_pass p JOIN disposal_step t ON t.at >= p.started_at "
        "JOIN disposal d ON d.id = t.disposal_id JOIN item i ON i.id = d.item_id "
        "JOIN folder f ON f.id = i.folder_id WHERE p.id = ? AND f.share_id = p.share_id"
    )
    return int(connection.exec_driver_sql(statement, (pass_id,)).scalar_one())


def _unreached(connection: Connection, share_id: int, pass_id: int) -> int:
    """Live items below folders that this pass did not list; each once, however the folders are nested."""
    paths = connection.scalars(
        select(folder_not_listed.c.path)
        .where(folder_not_listed.c.pass_id == pass_id)
        .order_by(folder_not_listed.c.path)
    ).all()
    count, outer = 0, None
    for path in paths:
        if outer is not None and path.startswith(outer + b"/"):
            continue
        outer = path
        start, end = below(path)
        inside = (folder.c.path == path) | ((folder.c.path >= start) & (folder.c.path < end))
        if not path:
            inside = folder.c.path >= b""
        live = (
            select(func.count())
            .select_from(item.join(folder, folder.c.id == item.c.folder_id))
            .where(folder.c.share_id == share_id, item.c.state == LIVE, inside)
        )
        count += connection.scalar(live) or 0
    return count

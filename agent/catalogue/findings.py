"""What was found in items, read back from the catalogue."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from agent.catalogue.tables import LIVE, finding, folder, item
from agent.model.finding import Finding
from connectors.base import ItemRef


def findings_of(connection: Connection, share_id: int, ref: ItemRef) -> tuple[Finding, ...]:
    """The findings of one item, by type, surest first."""
    rows = connection.execute(
        select(finding)
        .join(item, item.c.id == finding.c.item_id)
        .join(folder, folder.c.id == item.c.folder_id)
        .where(folder.c.share_id == share_id, folder.c.path == ref.folder, item.c.name == ref.name)
        .order_by(finding.c.entity_type, finding.c.score.desc(), finding.c.identity)
    ).all()
    return tuple(
        Finding(
            row.entity_type,
            row.identity,
            row.score,
            row._mapping["count"],
            row.location,
            frozenset(row.attributes.split()),
            row.why,
        )
        for row in rows
    )


def findings_by_type(connection: Connection, share_id: int) -> dict[str, tuple[int, int]]:
    """For each entity type in live items of a share: in how many items, and how many distinct values."""
    distinct = func.count(finding.c.identity.distinct())
    rows = connection.execute(
        select(finding.c.entity_type, func.count(finding.c.item_id.distinct()), distinct)
        .join(item, item.c.id == finding.c.item_id)
        .join(folder, folder.c.id == item.c.folder_id)
        .where(folder.c.share_id == share_id, item.c.state == LIVE)
        .group_by(finding.c.entity_type)
        .order_by(finding.c.entity_type)
    ).all()
    return {kind: (items, values) for kind, items, values in rows}

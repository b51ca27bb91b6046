"""What people did in reviews, and the samples that they drew: facts that stay as they are.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPROVALS = "kind = 'approve'"
_WEIGHTY = "kind = 'approve' AND outcome NOT IN ('quarantine', 'retain_permanently')"

_IN_ORDER = """
CREATE TRIGGER review_act_comes_in_order BEFORE INSERT ON review_act
WHEN NEW.round <> (
    SELECT COALESCE(MAX(id), 0) FROM review_act
    WHERE item_id = NEW.item_id AND kind IN ('extend', 'reclassify', 'reject', 'ask')
) OR NEW.acted_at < (SELECT COALESCE(MAX(acted_at), NEW.acted_at) FROM review_act WHERE item_id = NEW.item_id)
BEGIN SELECT RAISE(ABORT, 'acts of a review come in their order'); END
"""

# Who has approved an item that is there, on what is true of it now. An item that must be decided on anew is not here.
_APPROVED = """
CREATE VIEW review_approved AS
SELECT a.item_id AS item_id, COUNT(DISTINCT a.acted_by) AS people, COUNT(DISTINCT a.stage) AS stages,
    MAX(a.acted_at) AS approved_at, a.class_id AS class_id, a.outcome AS outcome, a.due_on AS due_on, a.mark AS mark
FROM review_act a
JOIN item i ON i.id = a.item_id
JOIN standing g ON g.item_id = a.item_id
JOIN standing_basis b
WHERE a.kind = 'approve'
    AND a.round = (
        SELECT COALESCE(MAX(e.id), 0) FROM review_act e
        WHERE e.item_id = a.item_id AND e.kind IN ('extend', 'reclassify', 'reject', 'ask')
    )
    AND i.state = 0 AND i.version = a.version AND i.content_hash IS a.content_hash
    AND g.state IN ('due', 'keep') AND g.class_id IS a.class_id AND g.outcome IS a.outcome AND g.due_on = a.due_on
    AND json_extract(b.basis, '$.of') = a.basis
GROUP BY a.item_id
"""


def upgrade() -> None:
    op.create_table(
        "review_act",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("acted_by", sa.Text(), nullable=False),
        sa.Column("acted_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until_day", sa.Integer()),
        sa.Column("to_class", sa.Text()),
        sa.Column("delegated_to", sa.Text(), nullable=False, server_default=""),
        sa.Column("round", _ID, nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("version", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary()),
        sa.Column("class_id", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("due_on", sa.Integer()),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_act")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_review_act_item_id")),
    )
    op.create_index("ix_review_act_item_id", "review_act", ["item_id"])
    op.create_index(
        "ix_review_act_moving",
        "review_act",
        ["item_id", "kind"],
        sqlite_where=sa.text("kind IN ('extend', 'reclassify')"),
    )
    for name, columns, where in (
        ("uq_review_act_stage_once", ["item_id", "round", "mark", "acted_by", "stage"], _APPROVALS),
        ("uq_review_act_two_people", ["item_id", "round", "mark", "acted_by"], _WEIGHTY),
    ):
        op.create_index(
            name, "review_act", columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    op.create_table(
        "review_sample",
        sa.Column("id", _ID, nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("population", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at_most", sa.BigInteger(), nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_sample")),
    )
    op.create_index("ix_review_sample_group_key", "review_sample", ["group_key"])
    op.create_table(
        "review_sample_item",
        sa.Column("sample_id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sample_id", "item_id", name=op.f("pk_review_sample_item")),
        sa.ForeignKeyConstraint(["sample_id"], ["review_sample.id"], name=op.f("fk_review_sample_item_sample_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_review_sample_item_item_id")),
    )
    op.create_table(
        "review_sample_verdict",
        sa.Column("sample_id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("judged_by", sa.Text(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sample_id", "item_id", name=op.f("pk_review_sample_verdict")),
        sa.ForeignKeyConstraint(["sample_id"], ["review_sample.id"], name=op.f("fk_review_sample_verdict_sample_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_review_sample_verdict_item_id")),
    )
    for table in ("review_act", "review_sample", "review_sample_item", "review_sample_verdict"):
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
            )
    op.execute(_IN_ORDER)
    op.execute(_APPROVED)

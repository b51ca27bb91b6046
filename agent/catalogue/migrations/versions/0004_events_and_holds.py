"""Events and holds are facts; how items stand is kept until facts change.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", _ID, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("corrects", _ID),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("ended_why", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.ForeignKeyConstraint(["corrects"], ["event.id"], name=op.f("fk_event_corrects")),
    )
    op.create_index("ix_event_key_value", "event", ["key", "value"])
    op.create_table(
        "hold",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("citation", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("review_on", sa.Integer()),
        sa.Column("from_day", sa.Integer()),
        sa.Column("until_day", sa.Integer()),
        sa.Column("lifted_at", sa.BigInteger()),
        sa.Column("lifted_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("lifted_why", sa.Text(), nullable=False, server_default=""),
        sa.Column("told_on", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sa.UniqueConstraint("name", name=op.f("uq_hold_name")),
    )
    op.create_table(
        "standing",
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("due_on", sa.Integer()),
        sa.Column("again_on", sa.Integer()),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_standing")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_standing_item_id")),
    )
    op.create_index("ix_standing_state", "standing", ["state"])
    op.create_index(
        "ix_standing_due_on", "standing", ["due_on", "item_id"], sqlite_where=sa.text("state IN ('due', 'keep')")
    )
    op.create_index("ix_standing_again_on", "standing", ["again_on"], sqlite_where=sa.text("again_on IS NOT NULL"))
    op.create_table(
        "held",
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("hold_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "hold_id", name=op.f("pk_held")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_held_item_id")),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_held_hold_id")),
    )
    op.create_index("ix_held_hold_id", "held", ["hold_id"])
    op.create_table(
        "item_key",
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "key", "value", name=op.f("pk_item_key")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_key_item_id")),
    )
    op.create_index("ix_item_key_key_value", "item_key", ["key", "value"])
    op.create_table(
        "standing_basis",
        sa.Column("basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("basis", name=op.f("pk_standing_basis")),
    )
    op.create_index(
        "ix_item_content_hash",
        "item",
        ["content_hash"],
        sqlite_where=sa.text("content_hash IS NOT NULL"),
        postgresql_where=sa.text("content_hash IS NOT NULL"),
    )

"""The service: jobs and their runs, dirty folders, how shares and processes stand, and who was told what.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("scan_pass", sa.Column("meanwhile", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_table(
        "job",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("share", sa.Text(), nullable=False, server_default=""),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger()),
        sa.Column("asked_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("paused_at", sa.BigInteger()),
        sa.Column("paused_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("name", "share", name=op.f("uq_job_name_share")),
    )
    op.create_table(
        "job_run",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job_id", _ID, nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("result", sa.Text(), nullable=False, server_default=""),
        sa.Column("said", sa.Text(), nullable=False, server_default=""),
        sa.Column("asked_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_run_job_id")),
    )
    op.create_index(op.f("ix_job_run_job_id"), "job_run", ["job_id", "id"])
    op.create_table(
        "dirty_folder",
        sa.Column("share_id", _ID, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("share_id", "path", name=op.f("pk_dirty_folder")),
        sa.ForeignKeyConstraint(["share_id"], ["share.id"], name=op.f("fk_dirty_folder_share_id")),
    )
    op.create_index(op.f("ix_dirty_folder_since"), "dirty_folder", ["share_id", "since"])
    op.create_table(
        "share_condition",
        sa.Column("share", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("share", name=op.f("pk_share_condition")),
    )
    op.create_table(
        "service",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("doing", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_service")),
    )
    op.create_table(
        "notice",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "recipient", "subject", name=op.f("pk_notice")),
    )

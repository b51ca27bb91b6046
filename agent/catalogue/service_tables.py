"""The tables of the service: what is to be done when, what was done, which folders are dirty, and who lives."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from agent.catalogue.tables import IdNumber, metadata

job = Table(
    "job",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("name", Text, nullable=False),
    Column("share", Text, nullable=False, server_default=""),
    Column("cron", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("asked_at", BigInteger),
    Column("asked_by", Text, nullable=False, server_default=""),
    Column("paused_at", BigInteger),
    Column("paused_by", Text, nullable=False, server_default=""),
    UniqueConstraint("name", "share"),
)

# `result` is empty while the run goes on.
job_run = Table(
    "job_run",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("job_id", IdNumber, ForeignKey("job.id"), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("result", Text, nullable=False, server_default=""),
    Column("said", Text, nullable=False, server_default=""),
    Column("asked_by", Text, nullable=False, server_default=""),
    Index("ix_job_run_job_id", "job_id", "id"),
)

# Folders in which something has happened since they were listed last: since when, and when it did last.
dirty_folder = Table(
    "dirty_folder",
    metadata,
    Column("share_id", IdNumber, ForeignKey("share.id"), primary_key=True),
    Column("path", LargeBinary, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("ix_dirty_folder_since", "share_id", "since"),
)

share_condition = Table(
    "share_condition",
    metadata,
    Column("share", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("since", BigInteger, nullable=False),
)

service = Table(
    "service",
    metadata,
    Column("role", Text, primary_key=True),
    Column("pid", BigInteger, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
    Column("doing", Text, nullable=False),
)

# What was told to whom when, so that nobody is told the same thing every hour.
notice = Table(
    "notice",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("sent_at", BigInteger, nullable=False),
)

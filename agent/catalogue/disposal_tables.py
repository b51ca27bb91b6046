"""The tables of disposals. Triggers refuse every step out of order, and every act without approval or under a hold."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from agent.catalogue.tables import IdNumber, metadata

_OPEN = text("state IN ('planned', 'sealed', 'quarantined', 'restoring', 'destroying', 'destroyed', 'conflict')")

# One go of acting: who began it, when, and what was said for going beyond the caps. It only grows.
disposal_run = Table(
    "disposal_run",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("begun_by", Text, nullable=False),
    Column("override", Text, nullable=False),
)

# Exports that are handed back to whom they belong. The items in one may be destroyed once it is confirmed.
bundle = Table(
    "bundle",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("confirmed_by", Text, nullable=False, server_default=""),
    Column("confirmed_why", Text, nullable=False, server_default=""),
)

certificate = Table(
    "certificate",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issued_at", BigInteger, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

# One item's way out. `on_day` is the day of the last check, which the trigger reads; the steps are in `disposal_step`.
disposal = Table(
    "disposal",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("vault_id", Text, nullable=False, unique=True),
    Column("item_id", IdNumber, ForeignKey("item.id"), nullable=False),
    Column("run_id", IdNumber, ForeignKey("disposal_run.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("on_day", Integer, nullable=False),
    Column("version", LargeBinary, nullable=False),
    Column("content_hash", LargeBinary),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mark", Text, nullable=False),
    Column("stages", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("digest", LargeBinary),
    Column("derived_id", Text),
    Column("target_folder", LargeBinary),
    Column("target_name", LargeBinary),
    Column("bundle_id", IdNumber, ForeignKey("bundle.id")),
    Column("certificate_id", Text, ForeignKey("certificate.id")),
    # Who keeps it while it is in quarantine: the vault, or its source, and then at which version there.
    Column("custody", Text, nullable=False, server_default="vault"),
    Column("kept_version", LargeBinary, nullable=False, server_default=text("x''")),
    Index("uq_disposal_one_open", "item_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_disposal_state", "state"),
    Index("ix_disposal_item_id", "item_id"),
    Index("ix_disposal_derived_id", "derived_id"),
)

disposal_step = Table(
    "disposal_step",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("disposal_id", IdNumber, ForeignKey("disposal.id"), nullable=False),
    Column("item_id", IdNumber, ForeignKey("item.id"), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("method", Text, nullable=False, server_default=""),
    Column("doubts", Text, nullable=False, server_default=""),
    Column("epoch", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("digest", LargeBinary),
    Index("ix_disposal_step_disposal_id", "disposal_id"),
)

# Everything is suspended while one of these has no end.
pause = Table(
    "pause",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("paused_at", BigInteger, nullable=False),
    Column("paused_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text, nullable=False, server_default=""),
    Column("ended_why", Text, nullable=False, server_default=""),
)

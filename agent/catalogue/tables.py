"""The tables. `migrations/` builds the same ones step by step; a test holds the two together.

Names and paths are bytes, as the source spells them; moments are whole microseconds since 1970 in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

# SQLite numbers its rows only for a column declared as plain INTEGER.
IdNumber = BigInteger().with_variant(Integer(), "sqlite")

# What has become of an item: there, not met by the last pass, gone from its share, in the vault by our own hand,
# destroyed by it, or gone while another item has taken its name. Below `NAMED` a name in a folder is one item's alone.
LIVE, MISSING, TOMBSTONE, QUARANTINED, DESTROYED, SUPERSEDED = range(6)
NAMED = text("state < 3")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

share = Table(
    "share",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("location", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="filesystem"),
    Column("tenant", Text, nullable=False, server_default=""),
    Column("stored_in", Text, nullable=False, server_default=""),
)

# Under which versions documents were analysed in which these formats (words between spaces) were met.
fingerprint = Table(
    "fingerprint",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("text", Text, nullable=False, unique=True),
    Column("formats", Text, nullable=False, server_default=""),
    Column("with_text", Boolean, nullable=False, server_default=text("0")),
)

scan_pass = Table(
    "scan_pass",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("share_id", IdNumber, ForeignKey("share.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("fingerprint_id", IdNumber, ForeignKey("fingerprint.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("cursor", LargeBinary),
    Column("seen", BigInteger, nullable=False),
    Column("folders", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("tombstoned", BigInteger, nullable=False),
    Column("meanwhile", BigInteger, nullable=False, server_default=text("0")),
    Column("coverage", Text),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("continues", Boolean, nullable=False, server_default=text("0")),
    UniqueConstraint("share_id", "number"),
)

folder_not_listed = Table(
    "folder_not_listed",
    metadata,
    Column("pass_id", IdNumber, ForeignKey("scan_pass.id"), primary_key=True),
    Column("path", LargeBinary, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("failed", Boolean, nullable=False),
)

folder = Table(
    "folder",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("share_id", IdNumber, ForeignKey("share.id"), nullable=False),
    Column("parent_id", IdNumber, ForeignKey("folder.id"), index=True),
    Column("path", LargeBinary, nullable=False),
    Column("gone", Boolean, nullable=False),
    # Where folders have lasting ids: theirs, and the newest enumeration in which it was told.
    Column("source_id", LargeBinary, nullable=False, server_default=text("x''")),
    Column("generation", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("share_id", "path"),
)
Index(
    "ix_folder_source_id",
    folder.c.share_id,
    folder.c.source_id,
    sqlite_where=text("source_id <> x''"),
    postgresql_where=text("source_id <> ''"),
)

item = Table(
    "item",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("folder_id", IdNumber, ForeignKey("folder.id"), nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("state", Integer, nullable=False),
    Column("version", LargeBinary, nullable=False),
    Column("retry", Boolean, nullable=False),
    Column("fingerprint_id", IdNumber, ForeignKey("fingerprint.id"), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("extraction", Text),
    Column("extraction_reasons", Text, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("format", Text, nullable=False),
    Column("content_hash", LargeBinary),
    Column("finding_total", BigInteger, nullable=False),
    Column("findings", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("created_at", BigInteger),
    Column("accessed_at", BigInteger),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("gone_at", BigInteger),
    Column("owner", Text, nullable=False),
    Column("file_id", LargeBinary, nullable=False),
    Column("link_count", Integer, nullable=False),
    Column("marks", Text, nullable=False),
    Column("verdict", Text, nullable=False, server_default=""),
    Column("generation", BigInteger, nullable=False, server_default=text("0")),
    Index("uq_item_folder_id_name", "folder_id", "name", unique=True, sqlite_where=NAMED, postgresql_where=NAMED),
)
Index(
    "ix_item_file_id",
    item.c.file_id,
    sqlite_where=text("link_count > 1"),
    postgresql_where=text("link_count > 1"),
)
Index(
    "ix_item_lasting_id",
    item.c.file_id,
    sqlite_where=text("generation > 0"),
    postgresql_where=text("generation > 0"),
)
Index(
    "ix_item_content_hash",
    item.c.content_hash,
    sqlite_where=text("content_hash IS NOT NULL"),
    postgresql_where=text("content_hash IS NOT NULL"),
)
Index("ix_item_missing", item.c.state, sqlite_where=text("state = 1"), postgresql_where=text("state = 1"))

finding = Table(
    "finding",
    metadata,
    Column("item_id", IdNumber, ForeignKey("item.id"), primary_key=True),
    Column("entity_type", Text, primary_key=True),
    Column("identity", LargeBinary, primary_key=True),
    Column("score", Float, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("location", Text, nullable=False),
    Column("attributes", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Index("ix_finding_identity", "identity"),
)

# What happened, to what a key names. Rows are never deleted: one that was wrong is corrected or withdrawn.
event = Table(
    "event",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("on_day", Integer, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("corrects", IdNumber, ForeignKey("event.id")),
    Column("ended_at", BigInteger),
    Column("ended_by", Text, nullable=False, server_default=""),
    Column("ended_why", Text, nullable=False, server_default=""),
    Index("ix_event_key_value", "key", "value"),
)

# What suspends every disposition. Rows are never deleted: a hold that is over is lifted.
hold = Table(
    "hold",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("citation", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("review_on", Integer),
    Column("from_day", Integer),
    Column("until_day", Integer),
    Column("lifted_at", BigInteger),
    Column("lifted_by", Text, nullable=False, server_default=""),
    Column("lifted_why", Text, nullable=False, server_default=""),
    Column("told_on", Integer),
)

# How each live item stood when it was last decided on: computed from facts, thrown away when they change. Days are
# numbered from 1 January of the year 1, as Python does; `again_on` is the day from which it must be decided anew.
standing = Table(
    "standing",
    metadata,
    Column("item_id", IdNumber, ForeignKey("item.id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("class_id", Text),
    Column("outcome", Text),
    Column("due_on", Integer),
    Column("again_on", Integer),
    Index("ix_standing_state", "state"),
    Index("ix_standing_due_on", "due_on", "item_id", sqlite_where=text("state IN ('due', 'keep')")),
    Index("ix_standing_again_on", "again_on", sqlite_where=text("again_on IS NOT NULL")),
)

# Which holds cover which items, worked out when a hold is placed and when an item changes.
held = Table(
    "held",
    metadata,
    Column("item_id", IdNumber, ForeignKey("item.id"), primary_key=True),
    Column("hold_id", IdNumber, ForeignKey("hold.id"), primary_key=True),
    Index("ix_held_hold_id", "hold_id"),
)

# The keys that items have under the schedule of `standing`, as they are kept (`agent.model.key`).
item_key = Table(
    "item_key",
    metadata,
    Column("item_id", IdNumber, ForeignKey("item.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Index("ix_item_key_key_value", "key", "value"),
)

# One row: what `standing` was computed under.
standing_basis = Table("standing_basis", metadata, Column("basis", Text, primary_key=True))

# One row: how often any fact of any item has changed. Summaries computed from the facts stay valid while it stands.
change_count = Table("change_count", metadata, Column("changes", BigInteger, primary_key=True))

evaluation = Table(
    "evaluation",
    metadata,
    Column("key", Text, primary_key=True),
    Column("summary", Text, nullable=False),
)

# The audit log (`agent.audit`), here because an entry is written in the transaction of what it tells. Triggers refuse
# to change or delete entries and checkpoints. `subtrees` are the hashes of the subtrees that the leaf completes.
audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("position", IdNumber, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("subtrees", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Index("ix_audit_checkpoint_size", "size"),
)

# Words that people wrote, encrypted, with their wrapped keys. A row is deleted when its words are erased.
audit_text = Table(
    "audit_text",
    metadata,
    Column("position", IdNumber, ForeignKey("audit_leaf.position"), primary_key=True, autoincrement=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

# What people did in reviews. Triggers refuse to change or delete rows, and whatever comes out of order. `mark` stands
# for the six columns after it (`agent.model.review.Grounds`); `round` is the newest act that began the item's review
# anew. Two different people: nobody approves one stage twice on the same grounds, nor two of them where two are needed.
# The view `review_approved` counts who has approved an item as it stands now.
review_act = Table(
    "review_act",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("item_id", IdNumber, ForeignKey("item.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("acted_by", Text, nullable=False),
    Column("acted_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until_day", Integer),
    Column("to_class", Text),
    Column("delegated_to", Text, nullable=False, server_default=""),
    Column("round", IdNumber, nullable=False),
    Column("mark", Text, nullable=False),
    Column("version", LargeBinary, nullable=False),
    Column("content_hash", LargeBinary),
    Column("class_id", Text),
    Column("outcome", Text),
    Column("due_on", Integer),
    Column("basis", Text, nullable=False),
    Index("ix_review_act_item_id", "item_id"),
    Index("ix_review_act_moving", "item_id", "kind", sqlite_where=text("kind IN ('extend', 'reclassify')")),
    Index(
        "uq_review_act_stage_once",
        "item_id",
        "round",
        "mark",
        "acted_by",
        "stage",
        unique=True,
        sqlite_where=text("kind = 'approve'"),
        postgresql_where=text("kind = 'approve'"),
    ),
    Index(
        "uq_review_act_two_people",
        "item_id",
        "round",
        "mark",
        "acted_by",
        unique=True,
        sqlite_where=text("kind = 'approve' AND outcome NOT IN ('quarantine', 'retain_permanently')"),
        postgresql_where=text("kind = 'approve' AND outcome NOT IN ('quarantine', 'retain_permanently')"),
    ),
)

# Samples drawn from groups of like items, with all the items they speak for and what was found. Nothing is changed.
review_sample = Table(
    "review_sample",
    metadata,
    Column("id", IdNumber, primary_key=True),
    Column("group_key", Text, nullable=False),
    Column("class_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("seed", Text, nullable=False),
    Column("population", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at_most", BigInteger, nullable=False),
    Column("drawn_by", Text, nullable=False),
    Column("drawn_at", BigInteger, nullable=False),
    Index("ix_review_sample_group_key", "group_key"),
)

review_sample_item = Table(
    "review_sample_item",
    metadata,
    Column("sample_id", IdNumber, ForeignKey("review_sample.id"), primary_key=True),
    Column("item_id", IdNumber, ForeignKey("item.id"), primary_key=True),
    Column("mark", Text, nullable=False),
    Column("drawn", Boolean, nullable=False),
)

review_sample_verdict = Table(
    "review_sample_verdict",
    metadata,
    Column("sample_id", IdNumber, ForeignKey("review_sample.id"), primary_key=True),
    Column("item_id", IdNumber, ForeignKey("item.id"), primary_key=True),
    Column("good", Boolean, nullable=False),
    Column("judged_by", Text, nullable=False),
    Column("judged_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

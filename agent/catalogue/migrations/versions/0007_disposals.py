"""Disposals: what was taken out of shares, step by step. Triggers hold back whatever must not be done.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAMED = sa.text("state < 3")
_OPEN = sa.text("state IN ('planned', 'sealed', 'quarantined', 'restoring', 'destroying', 'destroyed', 'conflict')")

# As in 0006, and an item in the vault counts as there: it stands under holds and reviews as before.
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
    AND i.state IN (0, 3) AND i.version = a.version AND i.content_hash IS a.content_hash
    AND g.state IN ('due', 'keep') AND g.class_id IS a.class_id AND g.outcome IS a.outcome AND g.due_on = a.due_on
    AND json_extract(b.basis, '$.of') = a.basis
GROUP BY a.item_id
"""

_ORDER = {
    "planned": ("sealed", "abandoned", "conflict", "relocated"),
    "sealed": ("quarantined", "abandoned", "conflict"),
    "quarantined": ("restoring", "destroying"),
    "restoring": ("restored", "quarantined"),
    "destroying": ("destroyed",),
    "destroyed": ("erased",),
    "conflict": ("abandoned",),
}
_STEP_ALLOWED = " OR ".join(
    f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(state) for state in after)}))"
    for before, after in _ORDER.items()
)
_STEPS_IN_ORDER = f"""
CREATE TRIGGER disposal_goes_step_by_step BEFORE UPDATE OF state ON disposal
WHEN OLD.state <> NEW.state AND NOT ({_STEP_ALLOWED})
BEGIN SELECT RAISE(ABORT, 'a disposal goes step by step'); END
"""
_BEGINS = """
CREATE TRIGGER disposal_begins_as_a_plan BEFORE INSERT ON disposal WHEN NEW.state <> 'planned'
BEGIN SELECT RAISE(ABORT, 'a disposal begins as a plan'); END
"""
_DECIDED = """
CREATE TRIGGER disposal_stays_as_decided BEFORE UPDATE ON disposal
WHEN OLD.vault_id <> NEW.vault_id OR OLD.item_id <> NEW.item_id OR OLD.action <> NEW.action
    OR OLD.mark <> NEW.mark OR OLD.stages <> NEW.stages OR OLD.version <> NEW.version OR OLD.account <> NEW.account
BEGIN SELECT RAISE(ABORT, 'what a disposal was decided on stays'); END
"""
_FIRST_ACT, _LAST_ACT = "'sealed', 'relocated'", "'destroying'"
_HELD = f"""
CREATE TRIGGER disposal_waits_for_holds BEFORE UPDATE OF state ON disposal
WHEN OLD.state <> NEW.state AND NEW.state IN ({_FIRST_ACT}, {_LAST_ACT})
    AND (EXISTS (SELECT 1 FROM held h JOIN hold o ON o.id = h.hold_id
            WHERE h.item_id = NEW.item_id AND o.lifted_at IS NULL
            AND (o.from_day IS NULL OR o.from_day <= NEW.on_day) AND (o.until_day IS NULL OR o.until_day >= NEW.on_day))
        OR EXISTS (SELECT 1 FROM pause WHERE ended_at IS NULL))
BEGIN SELECT RAISE(ABORT, 'a hold or a pause is in force'); END
"""  # noqa: S608 — no value is in it
# What a placement rule moves out of reach by itself needs no stage (`stages` = 0), and is never destroyed on that word.
_APPROVALS = f"""
CREATE TRIGGER disposal_needs_approval BEFORE UPDATE OF state ON disposal
WHEN OLD.state <> NEW.state
    AND (NEW.state = {_LAST_ACT}
        OR (NEW.state IN ({_FIRST_ACT}) AND NOT (NEW.stages = 0 AND NEW.action = 'quarantine')))
    AND NOT EXISTS (
        SELECT 1 FROM review_approved r WHERE r.item_id = NEW.item_id AND r.due_on <= NEW.on_day
        AND r.stages >= MAX(NEW.stages, 1)
        AND r.people >= CASE WHEN NEW.state = {_LAST_ACT} OR r.outcome NOT IN ('quarantine', 'retain_permanently')
            THEN 2 ELSE 1 END
        AND (NEW.state = {_LAST_ACT} OR (r.mark = NEW.mark AND r.outcome IN (NEW.action, 'review')))
        AND (NEW.state <> {_LAST_ACT}
            OR (r.outcome <> 'quarantine' AND r.outcome IN (NEW.action, 'destroy', 'thin', 'review'))))
BEGIN SELECT RAISE(ABORT, 'approval is missing'); END
"""  # noqa: S608 — no value is in it
_HANDED = f"""
CREATE TRIGGER disposal_waits_for_receipt BEFORE UPDATE OF state ON disposal
WHEN NEW.state = {_LAST_ACT} AND NEW.action = 'hand_back'
    AND NOT EXISTS (SELECT 1 FROM bundle b WHERE b.id = NEW.bundle_id AND b.confirmed_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'the export is not confirmed'); END
"""  # noqa: S608 — no value is in it


def upgrade() -> None:
    op.execute("DROP VIEW review_approved")
    with op.batch_alter_table("item") as item:
        item.drop_constraint("uq_item_folder_id_name", type_="unique")
    op.create_index(
        "uq_item_folder_id_name",
        "item",
        ["folder_id", "name"],
        unique=True,
        sqlite_where=_NAMED,
        postgresql_where=_NAMED,
    )
    op.execute(_APPROVED)
    _tables()
    for table in ("disposal_run", "disposal_step", "certificate"):
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
            )
    for table in ("disposal", "bundle", "pause"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        )
    for trigger in (_BEGINS, _STEPS_IN_ORDER, _DECIDED, _HELD, _APPROVALS, _HANDED):
        op.execute(trigger)


def _tables() -> None:
    op.create_table(
        "disposal_run",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("override", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposal_run")),
    )
    op.create_table(
        "bundle",
        sa.Column("id", _ID, nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger()),
        sa.Column("confirmed_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("confirmed_why", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle")),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
    )
    op.create_table(
        "disposal",
        sa.Column("id", _ID, nullable=False),
        sa.Column("vault_id", sa.Text(), nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("on_day", sa.Integer(), nullable=False),
        sa.Column("version", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary()),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("stages", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary()),
        sa.Column("derived_id", sa.Text()),
        sa.Column("target_folder", sa.LargeBinary()),
        sa.Column("target_name", sa.LargeBinary()),
        sa.Column("bundle_id", _ID),
        sa.Column("certificate_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposal")),
        sa.UniqueConstraint("vault_id", name=op.f("uq_disposal_vault_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_disposal_item_id")),
        sa.ForeignKeyConstraint(["run_id"], ["disposal_run.id"], name=op.f("fk_disposal_run_id")),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundle.id"], name=op.f("fk_disposal_bundle_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_disposal_certificate_id")),
    )
    op.create_index(
        "uq_disposal_one_open", "disposal", ["item_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("ix_disposal_state", "disposal", ["state"])
    op.create_index("ix_disposal_item_id", "disposal", ["item_id"])
    op.create_index("ix_disposal_derived_id", "disposal", ["derived_id"])
    op.create_table(
        "disposal_step",
        sa.Column("id", _ID, nullable=False),
        sa.Column("disposal_id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.Column("method", sa.Text(), nullable=False, server_default=""),
        sa.Column("doubts", sa.Text(), nullable=False, server_default=""),
        sa.Column("epoch", sa.Text(), nullable=False, server_default=""),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("digest", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposal_step")),
        sa.ForeignKeyConstraint(["disposal_id"], ["disposal.id"], name=op.f("fk_disposal_step_disposal_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_disposal_step_item_id")),
    )
    op.create_index("ix_disposal_step_disposal_id", "disposal_step", ["disposal_id"])
    op.create_table(
        "pause",
        sa.Column("id", _ID, nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("ended_why", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )

"""Sources whose items and folders have lasting ids, and sources that keep by themselves what is taken.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_CUSTODY_KNOWN = """
CREATE TRIGGER disposal_is_in_known_custody BEFORE INSERT ON disposal WHEN NEW.custody NOT IN ('vault', 'source')
BEGIN SELECT RAISE(ABORT, 'custody is with the vault or with the source'); END
"""
_CUSTODY_STAYS = """
CREATE TRIGGER disposal_stays_in_custody BEFORE UPDATE OF custody ON disposal WHEN OLD.custody <> NEW.custody
BEGIN SELECT RAISE(ABORT, 'what a disposal was decided on stays'); END
"""


def upgrade() -> None:
    op.add_column("share", sa.Column("kind", sa.Text(), nullable=False, server_default="filesystem"))
    op.add_column("share", sa.Column("tenant", sa.Text(), nullable=False, server_default=""))
    op.add_column("share", sa.Column("stored_in", sa.Text(), nullable=False, server_default=""))
    op.add_column("scan_pass", sa.Column("continues", sa.Boolean(), nullable=False, server_default=sa.text("0")))
    op.add_column("folder", sa.Column("source_id", sa.LargeBinary(), nullable=False, server_default=sa.text("x''")))
    op.add_column("folder", sa.Column("generation", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("item", sa.Column("generation", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("disposal", sa.Column("custody", sa.Text(), nullable=False, server_default="vault"))
    no_bytes = sa.text("x''")
    op.add_column("disposal", sa.Column("kept_version", sa.LargeBinary(), nullable=False, server_default=no_bytes))
    in_use = sa.text("source_id <> x''")
    op.create_index("ix_folder_source_id", "folder", ["share_id", "source_id"], sqlite_where=in_use)
    op.create_index("ix_item_lasting_id", "item", ["file_id"], sqlite_where=sa.text("generation > 0"))
    op.execute(_CUSTODY_KNOWN)
    op.execute(_CUSTODY_STAYS)

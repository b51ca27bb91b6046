"""A fingerprint says which formats it speaks of, so that a new reader of one has only those documents read again.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("fingerprint", sa.Column("formats", sa.Text(), nullable=False, server_default=""))
    op.add_column("fingerprint", sa.Column("with_text", sa.Boolean(), nullable=False, server_default=sa.text("0")))

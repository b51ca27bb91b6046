"""An item keeps what it was found to be as a whole, a finding why it was made.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("item", sa.Column("verdict", sa.Text(), nullable=False, server_default=""))
    op.add_column("finding", sa.Column("attributes", sa.Text(), nullable=False, server_default=""))
    op.add_column("finding", sa.Column("why", sa.Text(), nullable=False, server_default=""))

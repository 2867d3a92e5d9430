"""What was quoted, whether the cost is the bill's, silence at the end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring an older ledger here."""
    no, none = sa.false(), "0"
    with op.batch_alter_table("renders") as renders:
        renders.add_column(
            sa.Column("pad_s", sa.Double(), nullable=False, server_default=none)
        )
        renders.add_column(sa.Column("quoted", sa.Double(), nullable=True))
        renders.add_column(
            sa.Column("billed", sa.Boolean(), nullable=False, server_default=no)
        )

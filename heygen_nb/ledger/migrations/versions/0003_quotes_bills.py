"""What was quoted, whether the cost is the bill's, silence at the end."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring an older ledger here."""
    _add(sa.Column("pad_s", sa.Double(), nullable=False, server_default="0"))
    _add(sa.Column("quoted", sa.Double(), nullable=True))
    _add(sa.Column("billed", sa.Boolean(), nullable=False, server_default="0"))


def _add(column: sa.Column[Any]) -> None:
    op.add_column("renders", column)

"""Which keys belong to one person, and where a paid sound can be fetched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring an older ledger here."""
    op.add_column("speech", sa.Column("sound_url", sa.Text()))
    op.create_table(
        "payers",
        sa.Column("backend", sa.String(16), primary_key=True),
        sa.Column("base_url", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
    )

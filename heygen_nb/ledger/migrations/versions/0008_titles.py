"""A narrow index for lists that are sorted by title."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
_BY_TITLE = ["words", "id", "state", "posted", "findings", "created_at"]


def upgrade() -> None:
    """Bring an older ledger here."""
    op.create_index("renders_by_title", "renders", _BY_TITLE)

"""A narrow index that every filter of the history is answered from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from heygen_nb.ledger.tables import words_of

revision = "0007"
down_revision = "0006"
_LISTED = ["created_at", "id", "state", "posted", "findings", "words"]


def upgrade() -> None:
    """Bring an older ledger here."""
    words = sa.Column("words", sa.Text(), nullable=False, server_default="")
    posted: sa.Column[bool] = sa.Column(
        "posted", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("renders", words)
    op.add_column("renders", posted)
    op.add_column("renders", sa.Column("findings", sa.String()))
    text, connection = sa.text, op.get_bind()
    asked = text("SELECT id, title, script, draft_id FROM renders")
    known = [
        {"render": row.id, "words": words_of(row.title, row.script, row.draft_id)}
        for row in connection.execute(asked)
    ]
    if known:
        fill = text("UPDATE renders SET words = :words WHERE id = :render")
        connection.execute(fill, known)
    op.execute(
        "UPDATE renders SET posted = true WHERE id IN"
        " (SELECT render_id FROM posts WHERE state = 'sent')"
    )
    op.drop_index("renders_created", "renders")
    op.create_index("renders_listed", "renders", _LISTED)

"""The look's type, further draft fields, a quick filter; columns nobody read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring an older ledger here."""
    kind = sa.Column("look_type", sa.String(), nullable=False, server_default="")
    op.add_column("renders", kind)
    more = sa.Column("more", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("drafts", more)
    op.drop_index("renders_state", "renders")
    op.create_index("renders_state_created", "renders", ["state", "created_at", "id"])
    with op.batch_alter_table("posts") as posts:
        posts.drop_column("sending_at")
    with op.batch_alter_table("speech") as speech:
        speech.drop_column("words")
        speech.drop_column("done_at")

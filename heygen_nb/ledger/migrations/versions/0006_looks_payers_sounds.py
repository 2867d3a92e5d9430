"""Looks, further draft fields, a quick filter, keys of one person, paid sounds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Bring a ledger of version 0.1 here; columns that nobody read are dropped.

    ``billed`` stays: SQLite would have to make all renders, and their posts, anew.
    """
    kind = sa.Column("look_type", sa.String(), nullable=False, server_default="")
    more = sa.Column("more", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("renders", kind)
    op.add_column("drafts", more)
    op.add_column("speech", sa.Column("sound_url", sa.Text()))
    op.drop_index("renders_state", "renders")
    op.create_index("renders_state_created", "renders", ["state", "created_at", "id"])
    with op.batch_alter_table("posts") as posts:
        posts.drop_column("sending_at")
    with op.batch_alter_table("speech") as speech:
        speech.drop_column("words")
        speech.drop_column("done_at")
    op.create_table(
        "payers",
        sa.Column("backend", sa.String(16), primary_key=True),
        sa.Column("base_url", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
    )

"""Leases, batches, wished posts; drafts and speech."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations  # noqa: TC002 - Alembic runs this file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring an older ledger here."""
    with op.batch_alter_table("renders") as renders:
        _add_lease(renders)
        renders.add_column(sa.Column("batch_key", sa.String(), nullable=True))
        renders.add_column(sa.Column("batch_id", sa.String(), nullable=True))
        renders.add_column(sa.Column("item_index", sa.Integer(), nullable=True))
        renders.add_column(sa.Column("send_to", sa.String(), nullable=True))
        renders.create_index("renders_owner", ["owner"])
    with op.batch_alter_table("posts") as posts:
        _add_lease(posts)
        posts.add_column(sa.Column("first_id", sa.Integer(), nullable=True))
        posts.create_index("posts_video", ["video_id"])
    op.execute(
        "UPDATE posts SET first_id = (SELECT max(f.id) FROM posts AS f"
        " WHERE f.part = 0 AND f.id < posts.id AND f.video_id = posts.video_id"
        " AND f.chat_id = posts.chat_id) WHERE part > 0"
    )
    _create_drafts()
    _create_speech()


def _add_lease(table: BatchOperations) -> None:
    table.add_column(sa.Column("owner", sa.String(), nullable=True))
    table.add_column(sa.Column("lease_until", sa.Double(), nullable=True))
    fence = sa.Column("fence", sa.Integer(), nullable=False, server_default="0")
    table.add_column(fence)


def _create_drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("voice", sa.String(), nullable=True),
        sa.Column("avatar", sa.String(), nullable=True),
        sa.Column("duration", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("drafts_updated", "drafts", ["updated_at", "id"])


def _create_speech() -> None:
    op.create_table(
        "speech",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("backend", sa.String(length=16), nullable=False),
        sa.Column("base_url", sa.String(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("draft_id", sa.String(length=64), nullable=False),
        sa.Column("text_key", sa.String(length=64), nullable=False),
        sa.Column("voice_id", sa.String(), nullable=False),
        sa.Column("speed", sa.Double(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reserved_cost", sa.Double(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("words", sa.JSON(), nullable=True),
        sa.Column("asset_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("speech_text", "speech", ["account", "text_key"])
    op.create_index("speech_draft", "speech", ["draft_id"])

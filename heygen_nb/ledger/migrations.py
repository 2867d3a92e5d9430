"""What brings an older ledger up to date: a step for each layout since version 0.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from heygen_nb.ledger.tables import LayoutRow, words_of

if TYPE_CHECKING:
    from alembic.operations import Operations

OLDEST, HEAD = "0004", "0008"


def migrate(connection: sa.Connection) -> None:
    """Bring the tables of a ledger to ``HEAD``, in the transaction of the caller."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - 0.2 s, only when needed
    from alembic.operations import Operations  # noqa: PLC0415

    found = connection.scalar(sa.select(LayoutRow.version_num)) or OLDEST
    op = Operations(MigrationContext.configure(connection))
    for layout, step in _STEPS.items():
        if found < layout:
            step(op)
    connection.execute(sa.update(LayoutRow).values(version_num=HEAD))


def _looks_payers_sounds(op: Operations) -> None:
    """Add looks, further draft fields, keys of one person and paid sounds.

    Columns that nobody read are dropped. ``billed`` stays: SQLite would have to make
    all renders, and their posts, anew.
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


def _search(op: Operations) -> None:
    """Add a narrow index that every filter of the history is answered from."""
    words = sa.Column("words", sa.Text(), nullable=False, server_default="")
    posted: sa.Column[bool] = sa.Column(
        "posted", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("renders", words)
    op.add_column("renders", posted)
    op.add_column("renders", sa.Column("findings", sa.String()))
    connection = op.get_bind()
    asked = sa.text("SELECT id, title, script, draft_id FROM renders")
    known = [
        {"render": row.id, "words": words_of(row.title, row.script, row.draft_id)}
        for row in connection.execute(asked)
    ]
    if known:
        fill = sa.text("UPDATE renders SET words = :words WHERE id = :render")
        connection.execute(fill, known)
    op.execute(
        "UPDATE renders SET posted = true WHERE id IN"
        " (SELECT render_id FROM posts WHERE state = 'sent')"
    )
    op.drop_index("renders_created", "renders")
    listed = ["created_at", "id", "state", "posted", "findings", "words"]
    op.create_index("renders_listed", "renders", listed)


def _titles(op: Operations) -> None:
    """Add a narrow index for lists that are sorted by title."""
    by_title = ["words", "id", "state", "posted", "findings", "created_at"]
    op.create_index("renders_by_title", "renders", by_title)


_STEPS = {"0006": _looks_payers_sounds, "0007": _search, "0008": _titles}

"""Posts: every message is stored before it is sent, and settled once."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from heygen_nb.ledger.database import LedgerPart, known
from heygen_nb.ledger.leases import Hold
from heygen_nb.ledger.tables import PostRow, RenderRow

_FIRST = sa.func.coalesce(PostRow.first_id, PostRow.id)
UNSENT = ("planned", "failed")  # surely in no chat


class Posts(LedgerPart):
    """The messages of the ledger; a post is the video's one and what follows it.

    The lease of a post's first message counts for all of it.
    """

    def plan(
        self,
        render_id: str | None,
        *,
        video_id: str,
        backend: str,
        chat_id: str,
        texts: Sequence[str],
        again: bool = False,
    ) -> list[PostRow]:
        """Store the messages of a post, or give those that are there already.

        An earlier post of the video that is in no chat is this one, wherever it was
        to go; :meth:`renew` brings it up to date before it is sent.

        Args:
            render_id: Of which render; None for a video the ledger does not know.
            video_id: At HeyGen.
            backend: Whose chat it is.
            chat_id: Where to.
            texts: The video's caption, then the messages after it.
            again: Make a new post although there is one.
        """
        with self.database.writing() as session:
            self.database.lock(session, "posts")  # two processes may want it
            mine = PostRow.video_id == video_id, PostRow.backend == backend
            posts = _posts(session, *mine)[::-1]  # the newest first
            there = [p for p in posts if p[0].chat_id == chat_id and not _unsent(p)]
            if there and not again:
                return there[0]
            for parts in filter(_unsent, posts):  # refused before, maybe elsewhere
                for row in parts:
                    row.created_at = self._now()  # somebody asks for it anew
                return parts
            row = PostRow(render_id=render_id, video_id=video_id, backend=backend)
            row.chat_id, row.created_at = chat_id, self._now()
            session.add(row)
            session.flush()  # the others name its number
            return _with_texts(session, [row], texts)

    def renew(
        self, hold: Hold, chat_id: str, texts: Sequence[str] | None
    ) -> list[PostRow]:
        """Give what is surely not in a chat the chat and the texts that hold now.

        A post that is partly in a chat stays there, and its texts stay when what is
        there has another one by now.

        Args:
            hold: Of the post's first message.
            chat_id: Where posts go now.
            texts: What they say now; None leaves them as they are.
        """
        with self.database.writing() as session:
            self.leases.locked(session, hold)
            [rows] = _posts(session, hold.id == _FIRST)
            if _unsent(rows):
                for row in rows:
                    row.chat_id = chat_id
            if texts is None or rows[0].chat_id != chat_id:
                return rows
            sent = [row for row in rows if row.state not in UNSENT]
            if all(r.state == "sent" and r.text in texts[r.part :][:1] for r in sent):
                return _with_texts(session, rows, texts)
            return rows

    def replaced_by(self, post: PostRow, chat_id: str) -> int | None:
        """Return the post that came in the place of an unsent one, if there is one.

        Args:
            post: The first message of a post that is in no chat.
            chat_id: Where posts go now: one that is there already counts, too.
        """
        moved = (PostRow.chat_id == chat_id) & (post.chat_id != chat_id)
        query = (
            sa.select(sa.func.max(PostRow.id))
            .where(PostRow.video_id == post.video_id, PostRow.backend == post.backend)
            .where(PostRow.part == 0, PostRow.id != post.id)
            .where((PostRow.id > post.id) | moved)
        )
        return self._one(query)

    def name_of(self, chat_names: Sequence[str]) -> str | None:
        """Return the name under which posts to a chat were stored last."""
        same = sa.func.lower(PostRow.chat_id).in_([name.lower() for name in chat_names])
        query = sa.select(PostRow.chat_id).where(same)
        return self._one(query.order_by(PostRow.id.desc()))

    def parts(self, post_id: int) -> list[PostRow]:
        """Return all messages of a post, given any one of them, in order."""
        with self.database.reading() as session:
            row = known(session.get(PostRow, post_id), post_id)
            return _posts(session, (row.first_id or row.id) == _FIRST)[0]

    def of_renders(self, render_ids: Sequence[str]) -> dict[str, list[PostRow]]:
        """Return the newest post of each render that has one."""
        with self.database.reading() as session:
            posts = _posts(session, PostRow.render_id.in_(render_ids))
        return {str(parts[0].render_id): parts for parts in posts}

    def unfinished(self, backend: str) -> list[list[PostRow]]:
        """Return the posts not wholly in the chat, oldest first."""
        unsent = PostRow.backend == backend, PostRow.state != "sent"
        with self.database.reading() as session:
            return _posts(session, _FIRST.in_(sa.select(_FIRST).where(*unsent)))

    def record(self, hold: Hold, post_id: int, state: str, **fields: Any) -> PostRow:
        """Store what happened to a message; ``sending`` comes before the request.

        Args:
            hold: Of the post's first message.
            post_id: Which message of it.
            state: The new state.
            **fields: Columns to set.

        Raises:
            TakenOverError: Another process has the post now.
            LedgerError: The state cannot follow the present one.
        """
        with self.database.writing() as session:
            self.leases.locked(session, hold)
            row = session.get_one(PostRow, post_id)
            row.change(state, self._now(), **fields)
            if state == "sent":
                done = sa.update(RenderRow).where(RenderRow.id == row.render_id)
                session.execute(done.values(posted=True))
            about = {"render_id": row.render_id, "post_id": row.id}
            self._note(session, f"post {state}", **fields, **about)
            return row


def _posts(session: Session, *where: Any) -> list[list[PostRow]]:
    """Return all messages of posts, post by post, the oldest first."""
    query = sa.select(PostRow).where(*where).order_by(_FIRST, PostRow.part)
    posts = groupby(session.scalars(query), lambda row: row.first_id or row.id)
    return [list(parts) for _first, parts in posts]


def _unsent(parts: Sequence[PostRow]) -> bool:
    return all(row.state in UNSENT for row in parts)


def _with_texts(
    session: Session, rows: list[PostRow], texts: Sequence[str]
) -> list[PostRow]:
    """Make the messages of a post say these texts: as many as there are texts."""
    for row in rows[len(texts) :]:
        session.delete(row)
    same = ("render_id", "video_id", "backend", "chat_id", "created_at")
    told = {name: getattr(rows[0], name) for name in same}
    missing = range(len(rows), len(texts))
    rows += [PostRow(**told, first_id=rows[0].id, part=part) for part in missing]
    rows = rows[: len(texts)]
    for row, words in zip(rows, texts, strict=True):
        row.text = words
    session.add_all(rows)
    session.flush()
    return rows

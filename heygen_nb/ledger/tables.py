"""The ledger's tables. A change here needs a migration beside it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from heygen_nb.errors import LedgerError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Draft, Payer


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time; SQLite itself would forget the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Any) -> datetime | None:
        """Store in UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, _dialect: Any) -> datetime | None:
        """Give back what SQLite kept without its zone."""
        aware = value and (value if value.tzinfo else value.replace(tzinfo=UTC))
        return aware.astimezone(UTC) if aware else None


class Base(DeclarativeBase):
    """What all tables share."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it once
        datetime: UtcDateTime,
        dict[str, Any]: sa.JSON,
    }


class Stepping(Base):
    """A row that goes from state to state; ``after`` are those that may follow one."""

    __abstract__ = True
    after: ClassVar[dict[str, set[str]]]

    id: Mapped[Any]
    state: Mapped[str] = mapped_column(sa.String(16), default="planned")

    def change(self, state: str | None, at: datetime, **fields: Any) -> None:
        """Go on to a state, if one is given, and set columns; note when that was.

        Raises:
            LedgerError: The state cannot follow the present one.
        """
        if state:
            self.check_step(state)
            if state != self.state and hasattr(self, f"{state}_at"):
                setattr(self, f"{state}_at", at)
            self.state = state
        for key, value in fields.items():
            setattr(self, key, value)

    def check_step(self, state: str) -> None:
        """Make sure that this may come next."""
        if state not in self.after.get(self.state, ()):
            text = _("Entry {id} is {state}: {step} cannot follow.")
            raise LedgerError(text, id=self.id, state=self.state, step=state)


class Leased(Stepping):
    """A row that one process at a time works on; see ``leases``."""

    __abstract__ = True

    owner: Mapped[str | None]
    lease_until: Mapped[float | None]  # epoch seconds of the database's clock
    fence: Mapped[int] = mapped_column(default=0)


class Paid(Stepping):
    """A row that one payer has ordered; no other touches it."""

    __abstract__ = True

    backend: Mapped[str] = mapped_column(sa.String(16))
    base_url: Mapped[str]
    account: Mapped[str] = mapped_column(sa.String(64))
    draft_id: Mapped[str] = mapped_column(sa.String(64))
    voice_id: Mapped[str]
    reserved_cost: Mapped[float] = mapped_column(default=0.0)
    cost: Mapped[float | None]
    currency: Mapped[str] = mapped_column(default="usd")
    duration_s: Mapped[float | None]
    created_at: Mapped[datetime]

    @classmethod
    def of(cls, payer: Payer) -> sa.ColumnElement[bool]:
        """Return the condition that a row is this payer's."""
        own = cls.backend == payer.backend, cls.base_url == payer.base_url
        return sa.and_(*own, cls.account == payer.fingerprint)


class DraftRow(Base):
    """A draft as the user left it; ``version`` grows with every save.

    A field of the draft that has no column of its own stands in ``more``. What was
    rendered of a draft stands in the renders: each has its own copy.
    """

    __tablename__ = "drafts"
    __table_args__ = (sa.Index("drafts_updated", "updated_at", "id"),)

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    version: Mapped[int]
    script: Mapped[str] = mapped_column(sa.Text)
    caption: Mapped[str] = mapped_column(sa.Text, default="")
    title: Mapped[str] = mapped_column(sa.Text, default="")
    voice: Mapped[str | None]
    avatar: Mapped[str | None]
    background: Mapped[str | None]
    duration: Mapped[int | None]
    more: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    def __getattr__(self, name: str) -> Any:
        """Return a field that has no column; rows that lack it have its default."""
        more = self.__dict__.get("more") or {}
        if name in more:
            return more[name]
        if name in Draft.model_fields:
            return Draft.model_fields[name].default
        raise AttributeError(name)

    def write(self, draft: Draft, at: datetime) -> None:
        """Let the next version of the row say what a draft says."""
        texts = dict(draft)
        own = texts.keys() & set(type(self).__table__.columns.keys())
        for name in own:
            setattr(self, name, texts[name])
        self.more = {name: texts[name] for name in texts.keys() - own}
        self.version += 1
        self.updated_at, self.deleted_at = at, None

    def says(self, draft: Draft) -> bool:
        """Tell whether the row says what a draft says."""
        return all(getattr(self, name) == text for name, text in draft)


def searchable(text: str) -> str:
    """Return the words of a text in small letters, each between spaces."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(words)} "


def words_of(title: str, script: str, draft_id: str) -> str:
    """Return what a render is found by: what it is called in lists, and its draft."""
    # PostgreSQL's indexes hold 2,700 bytes a row
    return searchable(f"{title or script:.300} {draft_id}")


def _words(context: Any) -> str:
    given = context.get_current_parameters()
    return words_of(given.get("title") or "", given["script"], given["draft_id"])


# what another attempt takes over from a render
_ORDERED = (
    *("draft_id", "revision", "body", "script", "caption", "title", "send_to"),
    *("inputs", "voice_id", "voice_name", "language", "avatar_id", "look_type"),
    *("engine", "speed", "target_s", "estimate_s", "pad_s", "currency"),
)


class RenderRow(Leased, Paid):
    """One attempt to have one revision of a draft rendered by one account.

    ``state``: planned, submitted, completed, downloaded; or rejected (refused,
    nothing charged), failed (HeyGen's failure code kept), unknown (a person
    decides). ``unanswered`` is true from before a create is sent until its answer
    is stored: as long as it is, nothing may claim that nothing was charged.
    ``send_to`` is the chat it is to be posted to when it is done. ``quoted`` is what
    was reserved at first; ``pad_s`` of the video are silence at its end.

    Lists are answered from the indices ``renders_listed`` and ``renders_by_title``
    alone: their ``words`` are what is searched, ``posted`` tells that a post of it is
    in a chat, and ``findings`` what the check found, empty if nothing; None as long as
    nobody has looked.
    """

    after: ClassVar[dict[str, set[str]]] = {
        "planned": {"planned", "submitted", "rejected", "unknown"},
        "submitted": {"submitted", "completed", "failed"},
        "completed": {"completed", "downloaded", "failed"},  # deleted too early
        "unknown": {"unknown", "submitted", "planned"},  # found, or sent again
        "downloaded": {"downloaded", "completed"},  # the file is fetched again
        "rejected": {"rejected"},
        "failed": {"failed"},
    }
    __tablename__ = "renders"
    __table_args__ = (
        sa.UniqueConstraint(
            "backend", "base_url", "account", "draft_id", "revision", "attempt"
        ),
        sa.Index("renders_state_created", "state", "created_at", "id"),
        sa.Index("renders_video", "video_id"),
        sa.Index(
            "renders_listed", "created_at", "id", "state", "posted", "findings", "words"
        ),
        sa.Index(
            "renders_by_title",
            *("words", "id", "state", "posted", "findings", "created_at"),
        ),
        sa.Index("renders_owner", "owner"),
    )

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    revision: Mapped[str] = mapped_column(sa.String(64))
    attempt: Mapped[int]

    body: Mapped[str] = mapped_column(sa.Text)
    idempotency_key: Mapped[str]
    token: Mapped[str]
    sends: Mapped[int] = mapped_column(default=0)
    unanswered: Mapped[bool] = mapped_column(default=False)
    first_sent_at: Mapped[datetime | None]
    batch_key: Mapped[str | None]  # set as long as it goes, or went, with others
    batch_id: Mapped[str | None]
    item_index: Mapped[int | None]

    script: Mapped[str] = mapped_column(sa.Text)
    caption: Mapped[str] = mapped_column(sa.Text, default="")
    title: Mapped[str] = mapped_column(sa.Text, default="")
    send_to: Mapped[str | None]
    inputs: Mapped[dict[str, Any]]
    voice_name: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    avatar_id: Mapped[str] = mapped_column(default="")
    look_type: Mapped[str] = mapped_column(default="", server_default="")
    engine: Mapped[str] = mapped_column(default="")
    speed: Mapped[float] = mapped_column(default=1.0)
    target_s: Mapped[float | None]
    estimate_s: Mapped[float | None]
    pad_s: Mapped[float] = mapped_column(default=0.0)

    quoted: Mapped[float | None]

    video_id: Mapped[str | None]
    path: Mapped[str | None]
    subtitles: Mapped[str | None]
    thumbnail: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None] = mapped_column(sa.Text)

    words: Mapped[str] = mapped_column(sa.Text, default=_words, server_default="")
    posted: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    findings: Mapped[str | None]

    submitted_at: Mapped[datetime | None]
    processing_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    downloaded_at: Mapped[datetime | None]

    def another(self, **cost: float) -> RenderRow:
        """Return another attempt at the very request of this one, to be planned."""
        return RenderRow(**{name: getattr(self, name) for name in _ORDERED}, **cost)

    def wish(
        self, caption: str, send_to: str | None, finish: dict[str, Any] | None
    ) -> None:
        """Take the caption and the chat it is posted with now, and its finish."""
        self.caption = caption
        self.send_to = send_to or self.send_to
        if finish and finish != self.inputs.get("finish"):
            self.findings = None
            count = self.inputs.get("finishes", 0) + (self.state == "downloaded")
            self.inputs = {**self.inputs, "finish": finish, "finishes": count}


class PostRow(Leased):
    """One Telegram message; a caption that had to be split is two.

    ``first_id`` leads from the second message to the first, whose lease counts for
    both.

    ``state``: planned, sending (stored before the request), sent, failed (surely
    not in the chat), unsure (no answer came).
    """

    after: ClassVar[dict[str, set[str]]] = {
        "planned": {"planned", "sending", "sent"},
        "sending": {"sending", "sent", "failed", "unsure"},
        "failed": {"failed", "planned", "sending", "sent"},
        "unsure": {"unsure", "planned", "sent"},  # only by a person's word
        "sent": {"sent"},
    }
    __tablename__ = "posts"
    __table_args__ = (
        sa.Index("posts_render", "render_id"),
        sa.Index("posts_video", "video_id"),
        sa.Index("posts_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    render_id: Mapped[str | None] = mapped_column(sa.ForeignKey("renders.id"))
    video_id: Mapped[str]
    backend: Mapped[str] = mapped_column(sa.String(16))
    chat_id: Mapped[str]
    first_id: Mapped[int | None]
    part: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(sa.Text, default="")
    message_id: Mapped[int | None]
    error_message: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class SpeechRow(Paid):
    """One paid call of the voice service; its sound lives on as an asset.

    ``state``: planned, sending (stored before the request), done, rejected (nothing
    charged), unknown (no answer came; never repeated by itself).
    """

    after: ClassVar[dict[str, set[str]]] = {"sending": {"done", "rejected", "unknown"}}
    __tablename__ = "speech"
    __table_args__ = (
        sa.Index("speech_text", "account", "text_key"),
        sa.Index("speech_draft", "draft_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    text_key: Mapped[str] = mapped_column(sa.String(64))  # of text, voice and speed
    speed: Mapped[float]
    asset_id: Mapped[str | None]
    sound_url: Mapped[str | None] = mapped_column(sa.Text)  # until it is fetched


class PayerRow(Base):
    """A key that was used, and the ``account`` in all rows of the person behind it.

    So whoever changes a key goes on with what was ordered with the old one.
    """

    __tablename__ = "payers"

    backend: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    base_url: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(64))
    account: Mapped[str] = mapped_column(sa.String(64))


class AssetRow(Base):
    """A file that lies at HeyGen already, found again by its content."""

    __tablename__ = "assets"

    account: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    asset_id: Mapped[str]
    name: Mapped[str]
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]


class LayoutRow(Base):
    """The step that the tables are at; Alembic took the steps once."""

    __tablename__ = "alembic_version"

    version_num: Mapped[str] = mapped_column(sa.String(32), primary_key=True)


class EventRow(Base):
    """What happened to a render or a post, in order."""

    __tablename__ = "events"
    __table_args__ = (sa.Index("events_render", "render_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    render_id: Mapped[str | None] = mapped_column(sa.String(16))
    post_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(sa.String(32))
    data: Mapped[dict[str, Any]]

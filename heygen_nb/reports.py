"""What became of renders: one line each, as tables, as files and as figures."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, InstanceOf

from heygen_nb.config import Settings, load_settings
from heygen_nb.errors import (
    ApiError,
    ConfigError,
    DownloadError,
    HeygenNbError,
    LedgerError,
    OutcomeUnknownError,
    RenderFailedError,
    WaitTimeoutError,
)
from heygen_nb.figures import Analytics, analyse, as_table
from heygen_nb.files import whole_file, write_rows
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Ledger, PostRow, RenderRow
from heygen_nb.renderer.account import ledger_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

    from heygen_nb.models import Post, Video

_FILES = ("path", "subtitles", "thumbnail")
_NOT_IN_TABLES = ("error", "exit_code", "name")


Status = Literal[
    "planned", "submitted", "completed", "failed", "rejected", "unknown", "timed_out"
]
"""The first two stand in the history only: a command waits until they are over."""


class Failure(BaseModel):
    """An error as data; ``charged`` is null when it is not known.

    The texts are kept as they are given: a panel says them again in another language.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: InstanceOf[str]
    hint: InstanceOf[str]
    charged: bool | None

    @classmethod
    def of(cls, error: HeygenNbError) -> Failure:
        """Make it of an error."""
        return cls(
            code=error.code or type(error).__name__,
            message=error.message,
            hint=error.hint,
            charged=error.charged,
        )


class Outcome(BaseModel):
    """One line of ``render --json``; paths are absolute or null."""

    model_config = ConfigDict(frozen=True)

    draft_id: str
    render_id: str | None = None
    revision: str | None = None
    video_id: str | None = None
    backend: str
    status: Status
    path: Path | None = None
    subtitles: Path | None = None
    thumbnail: Path | None = None
    duration_s: float | None = None
    target_s: float | None = None
    cost: float | None = None
    sent: bool | Literal["unsure"] = False
    post_id: int | None = None
    error: Failure | None = None
    exit_code: int = Field(default=0, exclude=True)

    @classmethod
    def of_video(cls, video: Video) -> Outcome:
        """Make it of a finished video."""
        same = cls.model_fields.keys() & type(video).model_fields.keys() - {"status"}
        return cls(**video.model_dump(include=set(same)), status="completed")

    @classmethod
    def of_error(
        cls,
        draft_id: str,
        backend: str,
        error: HeygenNbError,
        row: RenderRow | None = None,
    ) -> Outcome:
        """Make it of what stopped the render; ``row`` is what the ledger has."""
        return cls(
            draft_id=draft_id,
            backend=backend,
            video_id=getattr(error, "video_id", None)
            or (row.video_id if row else None),
            render_id=row.id if row else getattr(error, "render_id", None),
            revision=row.revision if row else None,
            status=_status_of(error),
            error=Failure.of(error),
            exit_code=error.exit_code,
        )

    def posted(self, post: Post) -> Outcome:
        """Return it with the post that was made; what went wrong before is over."""
        sent = {"sent": True, "post_id": post.id, "error": None, "exit_code": 0}
        return self.model_copy(update=sent)

    def not_posted(self, error: HeygenNbError) -> Outcome:
        """Return it with why there is no post, or perhaps one."""
        return self.model_copy(
            update={
                "sent": "unsure" if error.code == "unsure" else False,
                "post_id": getattr(error, "post_id", None),
                "error": Failure.of(error),
                "exit_code": error.exit_code,
            }
        )


_STATUS: dict[type[HeygenNbError], Status] = {
    OutcomeUnknownError: "unknown",
    RenderFailedError: "failed",
    WaitTimeoutError: "timed_out",
    DownloadError: "completed",
}


def _status_of(error: HeygenNbError) -> Status:
    open_question = isinstance(error, ApiError | LedgerError)
    if open_question and error.charged is not False:
        return "unknown"
    found = (status for kind, status in _STATUS.items() if isinstance(error, kind))
    return next(found, "rejected")


class HistoryLine(Outcome):
    """A render as the ledger knows it: an outcome and the time of every step.

    ``name`` is its title, or its script if it has none. ``findings`` are the faults
    the check has found, each as kind and second (``cut@12``); null as long as nobody
    has looked. ``link`` leads to the message in the chat, where it has an address.
    """

    title: str = ""
    name: str = Field(default="", exclude=True)
    findings: str | None = None
    created_at: datetime
    first_sent_at: datetime | None = None
    submitted_at: datetime | None = None
    processing_at: datetime | None = None
    completed_at: datetime | None = None
    downloaded_at: datetime | None = None
    sent_at: datetime | None = None
    link: str | None = None


def history(
    *,
    days: int | None = None,
    status: str | None = None,
    limit: int = 1000,
    settings: Settings | None = None,
    ledger: Ledger | None = None,
) -> Any:
    """Return what was rendered and posted, newest first.

    Args:
        days: Only the renders of so many days back from now.
        status: Only those, such as ``failed``.
        limit: How many at most.
        settings: By default read from home.
        ledger: An open one; by default that of the settings.

    Returns:
        A DataFrame when pandas is there, else a list of rows; the columns are the
        keys of ``heygen-nb history --json``.
    """
    settings = settings or load_settings()
    with _opened(ledger, settings) as found:
        lines = history_lines(
            found, settings.videos_path, status=status, since=_since(days), limit=limit
        )
    return as_table([_flat(line.model_dump()) for line in lines])


def analytics(
    *,
    days: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    settings: Settings | None = None,
    ledger: Ledger | None = None,
) -> Analytics:
    """Return how rendering went: times, lengths, money, failures.

    Args:
        days: Only the renders of so many days back from now.
        since: Only those planned at that time (aware) or later.
        until: Only those planned before that time.
        settings: By default read from home. Its backend's renders count.
        ledger: An open one; by default that of the settings.

    Returns:
        ``["months"]`` and so on are tables: DataFrames when pandas is there, else
        lists of rows; ``.figure("months")`` draws one.
    """
    settings = settings or load_settings()
    period = {"since": _since(days) or since, "until": until}
    backend = settings.active_backend
    with _opened(ledger, settings) as found:
        renders = found.facts.renders(backend, **period)
        return analyse(renders, found.facts.speeches(backend, **period))


def history_lines(
    ledger: Ledger, videos: Path, *, before: str | None = None, **wishes: Any
) -> list[HistoryLine]:
    """Return renders of all accounts, newest first.

    Args:
        ledger: Where they stand.
        videos: Folder of the archive.
        before: Render id that ended the page before.
        **wishes: Which ones, and how many; see :meth:`History.page`.
    """
    last = ledger.render(before) if before else None
    return _lines(ledger, videos, ledger.history.page(before=last, **wishes))


def line_by_id(ledger: Ledger, videos: Path, render_id: str) -> HistoryLine:
    """Return one render.

    Raises:
        LedgerError: There is none.
    """
    return _lines(ledger, videos, [ledger.render(render_id)])[0]


def export_history(
    ledger: Ledger, videos: Path, target: Path, kind: Literal["csv", "json"]
) -> int:
    """Write all renders to a file, a page at a time; all of it or nothing.

    Returns:
        How many renders were written.

    Raises:
        ConfigError: The file cannot be written.
    """
    lines = (
        line for rows in ledger.history.pages() for line in _lines(ledger, videos, rows)
    )
    try:
        with whole_file(target, text=True) as file:
            return (_write_csv if kind == "csv" else _write_json)(file, lines)
    except OSError as exc:
        raise ConfigError(
            _("{file} could not be written: {reason}.").format(
                file=target, reason=exc.strerror or exc
            ),
            hint=_("Name a file in a folder that exists and can be written."),
        ) from None


def _line_of(row: RenderRow, posts: Sequence[PostRow], videos: Path) -> HistoryLine:
    """Return a render and its newest post as one line."""
    same = HistoryLine.model_fields.keys() & type(row).__table__.columns.keys()
    values = {name: getattr(row, name) for name in same}
    values |= {name: videos / values[name] for name in _FILES if values[name]}
    status = "completed" if row.state == "downloaded" else row.state
    unsent = next((post for post in posts if post.state != "sent"), None)
    post = unsent or (posts[0] if posts else None)
    return HistoryLine(
        **values,
        name=row.title or row.script,
        render_id=row.id,
        status=cast("Status", status),
        sent=_sent(posts),
        post_id=post.id if post else None,
        error=_error(row, posts),
        sent_at=posts[-1].sent_at if posts else None,
        link=_link(posts[0]) if posts else None,
    )


def _link(post: PostRow) -> str | None:
    """Return the address of a message; only channels and supergroups have one."""
    chat, _slash, topic = post.chat_id.partition("/")
    named = re.fullmatch(r"@(\w+)|-100(\d+)", chat)
    if post.backend == "sandbox" or not (named and post.message_id):
        return None
    place = named[1] or f"c/{named[2]}"  # the latter opens for members of the chat
    parts = filter(None, ("https://t.me", place, topic, str(post.message_id)))
    return "/".join(parts)


@contextmanager
def _opened(ledger: Ledger | None, settings: Settings) -> Iterator[Ledger]:
    if ledger:
        yield ledger
    else:
        with Ledger(ledger_url(settings)) as opened:
            yield opened


def _since(days: int | None) -> datetime | None:
    return None if days is None else datetime.now(UTC) - timedelta(days=days)


def _lines(
    ledger: Ledger, videos: Path, rows: Sequence[RenderRow]
) -> list[HistoryLine]:
    posts = ledger.posts.of_renders([row.id for row in rows])
    return [_line_of(row, posts.get(row.id, ()), videos) for row in rows]


def _sent(posts: Sequence[PostRow]) -> bool | Literal["unsure"]:
    if any(post.state in ("unsure", "sending") for post in posts):
        return "unsure"
    return bool(posts) and all(post.state == "sent" for post in posts)


def _error(row: RenderRow, posts: Sequence[PostRow]) -> Failure | None:
    if row.error_code and row.state in ("failed", "rejected", "unknown"):
        return Failure(
            code="unknown" if row.state == "unknown" else row.error_code,
            message=row.error_message or "",
            hint="",
            charged=None if row.state == "unknown" or row.cost else False,
        )
    for post in posts:
        if post.state in ("failed", "unsure"):
            code = "unsure" if post.state == "unsure" else "telegram"
            words = post.error_message or ""
            return Failure(code=code, message=words, hint="", charged=None)
    return None


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    """Return a line as cells, its error in columns of their own."""
    error = told["error"] or dict.fromkeys(Failure.model_fields)
    cells = {name: cell for name, cell in told.items() if name not in _NOT_IN_TABLES}
    return cells | {f"error_{name}": cell for name, cell in error.items()}


def _write_json(file: IO[str], lines: Iterable[HistoryLine]) -> int:
    count = 0
    file.write("[")
    for count, line in enumerate(lines, 1):
        file.write((",\n" if count > 1 else "\n") + line.model_dump_json())
    file.write("\n]\n")
    return count


def _write_csv(file: IO[str], lines: Iterable[HistoryLine]) -> int:
    names = [name for name in HistoryLine.model_fields if name not in _NOT_IN_TABLES]
    columns = [*names, *(f"error_{name}" for name in Failure.model_fields)]
    return write_rows(file, columns, (_flat(x.model_dump(mode="json")) for x in lines))

"""Looking back: the ledger's renders as lines, tables and files, and their figures."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from heygen_nb.config import load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.figures import analyse, as_table
from heygen_nb.files import plain_cell, whole_file
from heygen_nb.i18n import gettext as _
from heygen_nb.ledger import Ledger
from heygen_nb.outcome import Failure, Outcome, Status
from heygen_nb.renderer.account import ledger_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from heygen_nb.config import Settings
    from heygen_nb.figures import Analytics
    from heygen_nb.ledger import PostRow, RenderRow

_FILES = ("path", "subtitles", "thumbnail")
_NOT_IN_TABLES = ("error", "exit_code", "billed")


class HistoryLine(Outcome):
    """A render as the ledger knows it: an outcome and the time of every step."""

    title: str = ""
    created_at: datetime
    first_sent_at: datetime | None = None
    submitted_at: datetime | None = None
    processing_at: datetime | None = None
    completed_at: datetime | None = None
    downloaded_at: datetime | None = None
    sent_at: datetime | None = None


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


def line_of(row: RenderRow, posts: Sequence[PostRow], videos: Path) -> HistoryLine:
    """Return a render and its newest post as one line."""
    same = HistoryLine.model_fields.keys() & type(row).__table__.columns.keys()
    values = {name: getattr(row, name) for name in same}
    values |= {name: videos / values[name] for name in _FILES if values[name]}
    status = "completed" if row.state == "downloaded" else row.state
    unsent = next((post for post in posts if post.state != "sent"), None)
    post = unsent or (posts[0] if posts else None)
    return HistoryLine(
        **values,
        render_id=row.id,
        status=cast("Status", status),
        sent=_sent(posts),
        post_id=post.id if post else None,
        error=_error(row, posts),
        sent_at=posts[-1].sent_at if posts else None,
    )


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
    return [line_of(row, posts.get(row.id, ()), videos) for row in rows]


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
    table = csv.DictWriter(file, columns)
    table.writeheader()
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007 - it is returned
        cells = _flat(line.model_dump(mode="json"))
        table.writerow({name: plain_cell(cell) for name, cell in cells.items()})
    return count

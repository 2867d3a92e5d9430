"""History and export: the ledger's renders with the keys of ``render --json``."""

from __future__ import annotations

import csv
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING, Literal

from heygen_nb.errors import ConfigError
from heygen_nb.files import plain_cell, whole_file
from heygen_nb.i18n import gettext as _
from heygen_nb.outcome import Failure, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import IO

    from heygen_nb.ledger import Ledger, PostRow, RenderRow

_STATUS: dict[str, Status] = {
    "planned": "planned",
    "submitted": "submitted",
    "completed": "completed",
    "downloaded": "completed",
    "failed": "failed",
    "rejected": "rejected",
    "unknown": "unknown",
}


class HistoryLine(Outcome):
    """A render as the ledger knows it: an outcome and the time of every step."""

    created_at: datetime
    first_sent_at: datetime | None = None
    submitted_at: datetime | None = None
    processing_at: datetime | None = None
    completed_at: datetime | None = None
    downloaded_at: datetime | None = None
    sent_at: datetime | None = None


def history_lines(
    ledger: Ledger,
    videos: Path,
    *,
    status: str | None = None,
    since: datetime | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[HistoryLine]:
    """Return renders of all accounts, newest first.

    Args:
        ledger: Where they stand.
        videos: Folder of the archive.
        status: Only those.
        since: Only those planned at that time or later.
        before: Render id that ended the page before.
        limit: How many at most.
    """
    last = ledger.render(before) if before else None
    rows = ledger.history.page(status=status, since=since, before=last, limit=limit)
    return _lines(ledger, videos, rows)


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

    def absolute(name: str | None) -> Path | None:
        return videos / name if name else None

    return HistoryLine(
        draft_id=row.draft_id,
        render_id=row.id,
        revision=row.revision,
        video_id=row.video_id,
        backend=row.backend,
        status=_STATUS[row.state],
        path=absolute(row.path),
        subtitles=absolute(row.subtitles),
        thumbnail=absolute(row.thumbnail),
        duration_s=row.duration_s,
        target_s=row.target_s,
        cost=row.cost,
        billed=row.billed,
        sent=_sent(posts),
        post_id=next((p.id for p in posts if p.state != "sent"), None)
        or (posts[0].id if posts else None),
        error=_error(row, posts),
        created_at=row.created_at,
        first_sent_at=row.first_sent_at,
        submitted_at=row.submitted_at,
        processing_at=row.processing_at,
        completed_at=row.completed_at,
        downloaded_at=row.downloaded_at,
        sent_at=posts[-1].sent_at if posts else None,
    )


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


def _write_json(file: IO[str], lines: Iterable[HistoryLine]) -> int:
    count = 0
    file.write("[")
    for count, line in enumerate(lines, 1):
        file.write((",\n" if count > 1 else "\n") + line.model_dump_json())
    file.write("\n]\n")
    return count


def _write_csv(file: IO[str], lines: Iterable[HistoryLine]) -> int:
    names = [name for name in HistoryLine.model_fields if name not in _NOT_IN_CSV]
    columns = [*names, *(f"error_{name}" for name in Failure.model_fields)]
    table = csv.DictWriter(file, columns)
    table.writeheader()
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007 - it is returned
        told = line.model_dump(mode="json")
        error = told.pop("error") or {}
        told |= {f"error_{name}": value for name, value in error.items()}
        table.writerow({k: plain_cell(v) for k, v in told.items() if k in columns})
    return count


_NOT_IN_CSV = ("error", "exit_code", "billed")

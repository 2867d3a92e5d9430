"""What became of renders: one line each, as tables, as files and as figures."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

from heygen_nb.config import Settings, load_settings
from heygen_nb.errors import ConfigError
from heygen_nb.files import os_errors_as, whole_file, write_rows
from heygen_nb.i18n import again, gettext as _
from heygen_nb.ledger import Ledger, PostRow, RenderRow
from heygen_nb.models import Failure, Outcome, Status
from heygen_nb.renderer.account import ledger_url

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FILES = ("path", "subtitles", "thumbnail")


class HistoryLine(Outcome):
    """A render as the ledger knows it: an outcome and the time of every step.

    ``name`` is its title, or its script if it has none. ``findings`` are the faults
    the check has found, each as kind and second (``cut@12``); null as long as nobody
    has looked. ``link`` leads to the message in the chat, where it has an address.
    """

    render_id: str
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

    @property
    def file(self) -> Path | None:
        """The file of the video, if it is here."""
        return self.path if self.path and self.path.exists() else None


def history(
    *,
    days: int | None = None,
    status: str | None = None,
    limit: int = 1000,
    settings: Settings | None = None,
) -> Any:
    """Return what was rendered and posted, newest first.

    Args:
        days: Only the renders of so many days back from now.
        status: Only those, such as ``failed``.
        limit: How many at most.
        settings: By default read from home.

    Returns:
        A DataFrame when pandas is there, else a list of rows; the columns are the
        keys of ``heygen-nb history --json``.
    """
    settings = settings or load_settings()
    wishes: dict[str, Any] = {"status": status, "since": _since(days), "limit": limit}
    with Ledger(ledger_url(settings)) as ledger:
        lines = history_lines(ledger, settings.videos_path, **wishes)
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
    with nullcontext(ledger) if ledger else Ledger(ledger_url(settings)) as found:
        period = {"since": _since(days) or since, "until": until}
        return analyse(*found.facts.figures(settings.active_backend, **period))


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


def films_of(
    ledger: Ledger, videos: Path, draft_ids: Sequence[str]
) -> list[HistoryLine]:
    """Return the newest video of each draft that has one."""
    return _lines(ledger, videos, ledger.drafts.films(draft_ids))


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
    pages = (_lines(ledger, videos, rows) for rows in ledger.history.pages())
    lines, count = chain.from_iterable(pages), 0
    text = _("{file} could not be written: {reason}.")
    hint = _("Name a file in a folder that exists and can be written.")
    with (
        os_errors_as(ConfigError, text, hint, file=target),
        whole_file(target, text=True) as file,
    ):
        if kind == "csv":
            shown = {
                k: None for k, v in HistoryLine.model_fields.items() if not v.exclude
            }
            cells = (_flat(line.model_dump(mode="json")) for line in lines)
            return write_rows(file, list(_flat(shown)), cells)
        file.write("[")
        for count, line in enumerate(lines, 1):
            file.write((",\n" if count > 1 else "\n") + line.model_dump_json())
        file.write("\n]\n")
        return count


def _since(days: int | None) -> datetime | None:
    return None if days is None else datetime.now(UTC) - timedelta(days=days)


def _lines(
    ledger: Ledger, videos: Path, rows: Sequence[RenderRow]
) -> list[HistoryLine]:
    posts = ledger.posts.of_renders([row.id for row in rows])
    return [_line_of(row, posts.get(row.id, ()), videos) for row in rows]


def _line_of(row: RenderRow, posts: Sequence[PostRow], videos: Path) -> HistoryLine:
    """Return a render and its newest post as one line."""
    same = HistoryLine.model_fields.keys() & type(row).__table__.columns.keys()
    values = {name: getattr(row, name) for name in same}
    values |= {name: videos / values[name] for name in _FILES if values[name]}
    if posts:
        unsent = [post for post in posts if post.state != "sent"]
        unsure = any(post.state in ("unsure", "sending") for post in unsent)
        values |= {
            "sent": "unsure" if unsure else not unsent,
            "post_id": [*unsent, *posts][0].id,
            "sent_at": posts[-1].sent_at,
            "link": _link(posts[0]),
        }
    return HistoryLine(
        **values,
        name=row.title or row.script,
        render_id=row.id,
        status="completed" if row.state == "downloaded" else cast("Status", row.state),
        error=_error(row, posts),
    )


def _link(post: PostRow) -> str | None:
    """Return the address of a message; only channels and supergroups have one."""
    chat, _slash, topic = post.chat_id.partition("/")
    named = re.fullmatch(r"@(\w+)|-100(\d+)", chat)
    if post.backend == "sandbox" or not (named and post.message_id):
        return None
    place = named[1] or f"c/{named[2]}"  # the latter opens for members of the chat
    return "/".join(filter(None, ("https://t.me", place, topic, str(post.message_id))))


def _error(row: RenderRow, posts: Sequence[PostRow]) -> Failure | None:
    code, words, charged = row.error_code, row.error_message, None
    if code and row.state in _ENDED:
        if row.state == "unknown":
            code = "unknown"
        elif not row.cost:
            charged = False
    else:
        codes = {"failed": "telegram", "unsure": "unsure"}
        post = next((post for post in posts if post.state in codes), None)
        if post is None:
            return None
        code, words = codes[post.state], post.error_message
    return Failure(code=code, message=words or "", hint="", charged=charged)


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    """Return a line as cells, its error in columns of their own."""
    error = told.pop("error") or dict.fromkeys(Failure.model_fields)
    return told | {f"error_{name}": cell for name, cell in error.items()}


Table = list[dict[str, Any]]
_Key = Callable[[Any], Any]
_DONE, _ENDED = ("completed", "downloaded"), ("failed", "rejected", "unknown")
_BUCKET_S = 15
_TICKS, _LONG_DAYS, _GRAINS = 5, 300, 80
_STEPS = {
    "queue_s": ("submitted_at", "processing_at"),
    "processing_s": ("processing_at", "completed_at"),
    "total_s": ("submitted_at", "completed_at"),
}


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a chart: anything matplotlib takes."""

    back: str
    text: str
    line: str
    first: str = "#4c7df0"  # these two are readable on light and dark
    second: str = "#f0883e"


LIGHT = Theme("#ffffff", "#1f2328", "#d8dee4")


@dataclass(frozen=True)
class Analytics:
    """Figures of a time.

    Attributes:
        summary: Counts, success rate, and by currency what was spent, and saved by
            finishing films here instead of paying for others.
        tables: ``months``, ``lengths``, ``accuracy``, ``money``, ``failures``,
            ``days``, ``engines``, ``chats``: lists of rows.
    """

    summary: dict[str, Any]
    tables: dict[str, Table] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        """Return a table as a DataFrame, or as a list when pandas is not there."""
        return as_table(self.tables[name])

    def figure(self, name: str, theme: Theme = LIGHT) -> Figure:
        """Draw a table; one without rows says so."""
        return _draw(name, self.tables[name], theme)

    def save(self, folder: Path) -> list[Path]:
        """Write every table that has rows to a CSV file; return the files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for name, rows in self.tables.items():
            if rows:
                files.append(folder / f"{name}.csv")
                with whole_file(files[-1], text=True) as file:
                    write_rows(file, list(rows[0]), rows)
        return files


def as_table(rows: Table) -> Any:
    """Return rows as a DataFrame, or as they are when pandas is not there."""
    try:
        from pandas import DataFrame  # noqa: PLC0415 - not one of our needs
    except ImportError:
        return rows
    return DataFrame(rows)


def analyse(renders: Sequence[Any], speeches: Sequence[Any]) -> Analytics:
    """Return the figures of renders and paid speeches, oldest first.

    Days and months are local ones; seconds and money are medians and sums.

    Args:
        renders: See :meth:`heygen_nb.ledger.reading.Facts.figures`.
        speeches: Their cost, currency and time.
    """
    done = [row for row in renders if row.state in _DONE and row.duration_s]
    states = Counter(row.state for row in renders)
    ended = len(done) + sum(states[state] for state in _ENDED)
    reasons = Counter(r.error_code or r.state for r in renders if r.state in _ENDED)
    paid = [*renders, *speeches]
    summary = {
        "renders": len(renders),
        "completed": len(done),
        **{state: states[state] for state in _ENDED},
        "success_rate": len(done) / ended if ended else None,
        "median_s": _middle(done, *_STEPS["total_s"]),
        # another way to be finished would have been another render
        "saved": _sums(done, lambda row: (row.cost or 0.0) * (row.finishes or 0)),
        "spent": _sums(paid, lambda row: row.cost or 0.0),
    }
    tables = {
        "months": _times("month", lambda row: _day(row)[:7], done),
        "lengths": _times("video_s", _length, done),
        "accuracy": [
            _cells(row, "draft_id", "target_s", "estimate_s", "duration_s")
            | {"off": round(row.duration_s / row.target_s - 1, 4)}
            for row in done
            if row.target_s
        ],
        "money": [
            _cells(row, "draft_id", "quoted", "cost", "currency")
            for row in done
            if row.cost and row.quoted
        ],
        "failures": [{"reason": k, "renders": n} for k, n in reasons.most_common()],
        "days": [
            {name: row[name] for name in ("day", "currency", "spent")}
            for row in _spent_by("day", _day, paid)
            if row["spent"]
        ],
        "engines": _spent_by("engine", attrgetter("engine"), done),
        "chats": _spent_by("chat", attrgetter("chat_id"), done),
    }
    return Analytics(summary, tables)


def _day(row: Any) -> str:
    return f"{row.created_at.astimezone():%Y-%m-%d}"


def _length(row: Any) -> str:
    start = int(row.duration_s // _BUCKET_S) * _BUCKET_S
    return f"{start}–{start + _BUCKET_S}"


def _cells(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _middle(rows: Iterable[Any], start: str, end: str) -> float | None:
    """Return the median of the seconds between two times that are known."""
    times = [(getattr(row, start), getattr(row, end)) for row in rows]
    known = [(done - begun).total_seconds() for begun, done in times if begun and done]
    return round(median(known), 1) if known else None


def _grouped(key: _Key, rows: Iterable[Any]) -> list[tuple[Any, list[Any]]]:
    """Return rows by what they have in common, short labels first: 45 before 105."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return sorted(groups.items(), key=lambda group: (len(group[0]), group[0]))


def _times(name: str, key: _Key, rows: Iterable[Any]) -> Table:
    return [
        {name: label, "renders": len(group)}
        | {step: _middle(group, *times) for step, times in _STEPS.items()}
        for label, group in _grouped(key, rows)
    ]


def _sums(rows: Iterable[Any], cost: _Key) -> dict[str, float]:
    by_unit = _grouped(attrgetter("currency"), rows)
    sums = {unit: round(sum(map(cost, group)), 4) for unit, group in by_unit}
    return {unit: amount for unit, amount in sums.items() if amount}


def _spent_by(name: str, key: _Key, rows: Iterable[Any]) -> Table:
    """Return how many renders there are of each kind, and what they have cost."""
    known = _grouped(lambda r: (key(r), r.currency), filter(key, rows))
    return [
        {name: kind, "currency": unit, "renders": len(group)}
        | {"spent": round(sum(row.cost or 0.0 for row in group), 4)}
        for (kind, unit), group in known
    ]


def title_of(name: str) -> str:
    """Return what a table shows."""
    return str(again(_CHARTS[name][0]))


def _draw(name: str, rows: Table, theme: Theme) -> Figure:
    # matplotlib takes 0.3 s to load; no pyplot: it keeps figures for ever
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(4.2, 2.4), layout="constrained", facecolor=theme.back)
    axes = figure.add_subplot()
    axes.set_facecolor("none")
    axes.tick_params(colors=theme.text, length=0, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.line)
    if rows:
        _CHARTS[name][1](axes, rows, theme)
    else:
        axes.set_axis_off()
        axes.text(0.5, 0.5, _("nothing yet"), color=theme.text, ha="center")
    if axes.get_legend_handles_labels()[0]:
        looks: dict[str, Any] = {"fontsize": 8, "frameon": False, "ncols": 2}
        figure.legend(loc="outside upper right", labelcolor=theme.text, **looks)
    return figure


def _draw_times(axes: Axes, rows: Table, theme: Theme) -> None:
    labels = [str(next(iter(row.values()))) for row in rows]
    # the median of those few whose queue was seen may be longer than the whole of all
    queue = [min(row["queue_s"] or 0, row["total_s"] or 0) for row in rows]
    rest = [(row["total_s"] or 0) - q for row, q in zip(rows, queue, strict=True)]
    if any(queue):  # it is known only where somebody saw the end of it
        axes.bar(labels, queue, color=theme.second, label=_("queue"))
    axes.bar(labels, rest, bottom=queue, color=theme.first, label=_("processing"))


def _draw_pairs(asked: str, real: str, axes: Axes, rows: Table, theme: Theme) -> None:
    x, y = [row[asked] for row in rows], [row[real] for row in rows]
    ends = 0.95 * min(*x, *y), 1.05 * max(*x, *y)
    axes.plot(ends, ends, color=theme.line, linewidth=1)
    # of thousands of renders most dots would lie on each other
    grain = (ends[1] - ends[0]) / _GRAINS or 1.0
    dots = {
        (round(across / grain), round(up / grain)): (across, up)
        for across, up in zip(x, y, strict=True)
    }
    across, up = zip(*dots.values(), strict=True)
    axes.scatter(across, up, color=theme.first, s=18)
    axes.set(xlim=ends, ylim=ends)


def _draw_days(axes: Axes, rows: Table, theme: Theme) -> None:
    days = [date.fromisoformat(row["day"]).toordinal() for row in rows]
    axes.bar(days, [row["spent"] for row in rows], color=theme.first)
    span = days[-1] - days[0]
    ticks = range(days[0], days[-1] + 1, span // _TICKS + 1)
    form = "%d.%m" if span < _LONG_DAYS else "%m.%Y"
    axes.set_xticks(ticks, [f"{date.fromordinal(tick):{form}}" for tick in ticks])


def _draw_bars(axes: Axes, rows: Table, theme: Theme) -> None:
    labels = [str(next(iter(row.values()))) for row in rows]
    values = [float(row["spent"] if "spent" in row else row["renders"]) for row in rows]
    axes.barh(labels, values, color=theme.first, height=0.5)
    axes.locator_params(axis="x", integer="spent" not in rows[0])
    axes.invert_yaxis()


_CHARTS: dict[str, tuple[str, Callable[[Axes, Table, Theme], None]]] = {
    "months": (_("Render time by month, seconds"), _draw_times),
    "lengths": (_("Render time by length of the video, seconds"), _draw_times),
    "accuracy": (
        _("Asked and real length, seconds"),
        partial(_draw_pairs, "target_s", "duration_s"),
    ),
    "money": (_("Quote and bill"), partial(_draw_pairs, "quoted", "cost")),
    "failures": (_("Failures by reason"), _draw_bars),
    "days": (_("Spent per day"), _draw_days),
    "engines": (_("Spent per engine"), _draw_bars),
    "chats": (_("Spent per chat"), _draw_bars),
}

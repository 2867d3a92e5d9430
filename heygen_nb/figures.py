"""From the ledger's rows to tables and charts of how rendering went."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from heygen_nb.files import whole_file, write_rows
from heygen_nb.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Table = list[dict[str, Any]]
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
DARK = Theme("#111418", "#e6edf3", "#30363d")


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
        renders: See :meth:`heygen_nb.ledger.reading.Facts.renders`.
        speeches: Their cost, currency and time.
    """
    done = [row for row in renders if row.state in _DONE and row.duration_s]
    paid = [(_day(row), row.currency, row.cost) for row in (*renders, *speeches)]
    days = _spent_by("day", paid)
    tables = {
        "months": _times("month", [(_day(row)[:7], row) for row in done]),
        "lengths": _times("video_s", [(_length(row), row) for row in done]),
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
        "failures": [
            {"reason": reason, "renders": count}
            for reason, count in Counter(
                row.error_code or row.state for row in renders if row.state in _ENDED
            ).most_common()
        ],
        "days": [
            {name: row[name] for name in ("day", "currency", "spent")}
            for row in days
            if row["spent"]
        ],
        "engines": _spent_by("engine", ((r.engine, r.currency, r.cost) for r in done)),
        "chats": _spent_by("chat", ((r.chat_id, r.currency, r.cost) for r in done)),
    }
    spent = _sums((currency, cost or 0.0) for _on, currency, cost in paid)
    return Analytics({**_summary(renders, done), "spent": spent}, tables)


def _summary(renders: Sequence[Any], done: Sequence[Any]) -> dict[str, Any]:
    states = Counter(row.state for row in renders)
    ended = len(done) + sum(states[state] for state in _ENDED)
    # another way to be finished would have been another render
    saved = ((row.currency, (row.cost or 0.0) * (row.finishes or 0)) for row in done)
    return {
        "renders": len(renders),
        "completed": len(done),
        **{state: states[state] for state in _ENDED},
        "success_rate": len(done) / ended if ended else None,
        "median_s": _middle(done, *_STEPS["total_s"]),
        "saved": _sums(saved),
    }


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


def _times(name: str, rows: Iterable[tuple[str, Any]]) -> Table:
    groups: dict[str, list[Any]] = defaultdict(list)
    for label, row in rows:
        groups[label].append(row)
    return [
        {
            name: label,
            "renders": len(group),
            **{step: _middle(group, *times) for step, times in _STEPS.items()},
        }
        for label, group in sorted(groups.items(), key=lambda g: (len(g[0]), g[0]))
    ]


def _sums(amounts: Iterable[tuple[str, float]]) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for unit, amount in amounts:
        total[unit] += amount
    return {unit: round(amount, 4) for unit, amount in total.items() if amount}


def _spent_by(name: str, paid: Iterable[tuple[str | None, str, float | None]]) -> Table:
    """Return how many renders there are of each kind, and what they have cost."""
    costs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for kind, currency, cost in paid:
        if kind:
            costs[kind, currency].append(cost or 0.0)
    return [
        {name: kind, "currency": unit, "renders": len(x), "spent": round(sum(x), 4)}
        for (kind, unit), x in sorted(costs.items())
    ]


def title_of(name: str) -> str:
    """Return what a table shows."""
    return {
        "months": _("Render time by month, seconds"),
        "lengths": _("Render time by length of the video, seconds"),
        "accuracy": _("Asked and real length, seconds"),
        "money": _("Quote and bill"),
        "failures": _("Failures by reason"),
        "days": _("Spent per day"),
        "engines": _("Spent per engine"),
        "chats": _("Spent per chat"),
    }[name]


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
        _DRAWERS.get(name, _draw_bars)(axes, rows, theme)
    else:
        axes.set_axis_off()
        axes.text(0.5, 0.5, _("nothing yet"), color=theme.text, ha="center")
    if axes.get_legend_handles_labels()[0]:
        looks: dict[str, Any] = {"fontsize": 8, "frameon": False, "ncols": 2}
        figure.legend(loc="outside upper right", labelcolor=theme.text, **looks)
    return figure


def _draw_times(axes: Axes, rows: Table, theme: Theme) -> None:
    labels = [str(next(iter(row.values()))) for row in rows]
    whole = [row["total_s"] or 0 for row in rows]
    # the median of those few whose queue was seen may be longer than the whole of all
    queue = [min(row["queue_s"] or 0, row["total_s"] or 0) for row in rows]
    rest = [t - q for t, q in zip(whole, queue, strict=True)]
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
    x, y = ([*side] for side in zip(*dots.values(), strict=True))
    axes.scatter(x, y, color=theme.first, s=18)
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)


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


_DRAWERS: dict[str, Callable[[Axes, Table, Theme], None]] = {
    "months": _draw_times,
    "lengths": _draw_times,
    "accuracy": partial(_draw_pairs, "target_s", "duration_s"),
    "money": partial(_draw_pairs, "quoted", "cost"),
    "days": _draw_days,
}

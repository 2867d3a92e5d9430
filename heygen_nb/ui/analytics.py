"""How rendering went so far: a few figures and three charts."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.ui._base import Panel, make
from heygen_nb.ui.markup import clock, markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from heygen_nb.workflow.history import HistoryLine

# Drawn in these, shown in the theme's: a chart follows a switch of themes at once.
_THEME = {
    "#010101": "var(--jp-ui-font-color1,#1f2328)",
    "#020202": "var(--jp-border-color2,#d5d5d9)",
    "#030303": "var(--brand,#5b5bd6)",
    "#040404": "var(--ok,#1a7f37)",
    "#050505": "var(--bad,#cf222e)",
}
_TEXT, _LINE, _BRAND, _OK, _BAD = _THEME


class AnalyticsPanel(Panel):
    """Figures and charts of the renders of this home folder."""

    def _build(self) -> tuple[widgets.Widget, ...]:
        self._figures = make(widgets.HTML)
        self._charts = make(widgets.HTML)
        return (
            self._figures,
            self._charts,
            self.button(lambda: _("↻ Refresh"), self._draw),
        )

    async def _begin(self) -> None:
        await self._draw()

    def _heard(self, topic: str) -> None:
        if topic == "language" or (topic == "jobs" and not self.desk.jobs.running):
            self.spawn(self._draw)

    async def _draw(self) -> None:
        lines = await self.desk.past.all(self.desk.settings.videos_path)
        self._figures.value = _figures(lines)
        charts = await asyncio.to_thread(charts_html, lines) if lines else ""
        self._charts.value = charts


def _figures(lines: Sequence[HistoryLine]) -> str:
    if not lines:
        return markup(_("Nothing was rendered yet."), "hg-hint")
    ended = [line for line in lines if line.status in ("completed", "failed")]
    done = [line for line in ended if line.status == "completed"]
    month = datetime.now(UTC).astimezone().strftime("%Y-%m")
    spent = sum(
        line.cost or 0
        for line in lines
        if line.created_at.astimezone().strftime("%Y-%m") == month
    )
    times = sorted(_took_s(line) for line in done if _took_s(line))
    facts = [(_("videos"), str(len(done)))]
    if ended:
        facts.append((_("successful"), f"{100 * len(done) / len(ended):.1f} %"))
    if times:
        facts.append((_("median render time"), clock(times[len(times) // 2])))
    facts.append((_("spent this month"), f"{spent:.2f}"))
    shown = "".join(
        f"<div>{markup(value, tag='b')}{markup(name, 'hg-hint')}</div>"
        for name, value in facts
    )
    return f'<div class="hg-figures">{shown}</div>'


def _took_s(line: HistoryLine) -> float:
    if line.submitted_at is None or line.completed_at is None:
        return 0.0
    return (line.completed_at - line.submitted_at).total_seconds()


def charts_html(lines: Sequence[HistoryLine]) -> str:
    """Return the charts as SVG in the colours of the theme."""
    charts = (
        (_("Renders by status"), _by_status),
        (_("Render time over length of the video, seconds"), _times),
        (_("Asked and real length, seconds"), _lengths),
    )
    cards = (
        f'<div class="hg-card">{markup(title, tag="h3")}{_svg(draw, lines)}</div>'
        for title, draw in charts
    )
    return f'<div class="hg-charts">{"".join(cards)}</div>'


def _svg(
    draw: Callable[[Axes, Sequence[HistoryLine]], None], lines: Sequence[HistoryLine]
) -> str:
    # matplotlib takes 0.3 s to load; no pyplot: it keeps figures for ever
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context({"svg.fonttype": "none", "font.size": 9, "text.color": _TEXT}):
        figure = Figure(figsize=(4.2, 2.4), layout="constrained")
        axes = figure.add_subplot()
        axes.set_facecolor("none")
        axes.tick_params(colors=_TEXT, length=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_LINE)
        draw(axes, lines)
        stream = StringIO()
        figure.savefig(stream, format="svg", transparent=True)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    return re.sub("|".join(_THEME), lambda match: _THEME[match[0]], svg)


def _by_status(axes: Axes, lines: Sequence[HistoryLine]) -> None:
    counts = Counter(line.status for line in lines)
    names = sorted(counts, key=counts.__getitem__)
    colours = {"completed": _OK, "failed": _BAD, "rejected": _BAD}
    bars = axes.barh(
        [_NAMES[name]() for name in names],
        [counts[name] for name in names],
        color=[colours.get(name, _BRAND) for name in names],
        height=0.5,
    )
    axes.set_ylim(-0.6, max(2.5, len(names) - 0.4))
    axes.bar_label(bars, padding=3)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _times(axes: Axes, lines: Sequence[HistoryLine]) -> None:
    done = [line for line in lines if line.duration_s and _took_s(line)]
    lengths = [line.duration_s or 0 for line in done]
    axes.scatter(lengths, [_took_s(line) for line in done], s=18, color=_BRAND)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def _lengths(axes: Axes, lines: Sequence[HistoryLine]) -> None:
    done = [line for line in lines if line.duration_s and line.target_s]
    asked = [line.target_s or 0 for line in done]
    axes.scatter(asked, [line.duration_s or 0 for line in done], s=18, color=_BRAND)
    top = max([60, *asked])
    axes.plot([0, top], [0, top], color=_LINE, linewidth=1)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


_NAMES = {
    "planned": lambda: _("planned"),
    "submitted": lambda: _("rendering"),
    "completed": lambda: _("completed"),
    "failed": lambda: _("failed"),
    "rejected": lambda: _("refused"),
    "unknown": lambda: _("to be settled"),
}

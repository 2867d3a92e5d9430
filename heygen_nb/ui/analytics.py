"""How rendering went so far: a few figures and the charts of a time."""

import asyncio
import re
from io import StringIO

import ipywidgets as widgets

from heygen_nb.i18n import gettext as _
from heygen_nb.money import amount_text
from heygen_nb.reports import Analytics, Theme, analytics, title_of
from heygen_nb.ui.base import Panel, make, row
from heygen_nb.ui.html import PERIODS, bar_html, clock, markup

# Drawn in these, shown in the theme's: a chart follows a switch of themes at once.
_DRAWN = Theme("none", "#010101", "#020202", "#030303", "#040404")
_SHOWN = {
    _DRAWN.text: "var(--jp-ui-font-color1,#1f2328)",
    _DRAWN.line: "var(--jp-border-color2,#d5d5d9)",
    _DRAWN.first: "var(--brand,#5b5bd6)",
    _DRAWN.second: "var(--ok,#1a7f37)",
}


class AnalyticsPanel(Panel):
    """Figures and charts of the renders of this home folder."""

    hears = "language", "renders"

    def _build(self) -> tuple[widgets.Widget, ...]:
        on = self._begin
        self.d_period = self.field(
            widgets.Dropdown, _("Period"), "hg-short", options=PERIODS, value=30, on=on
        )
        self.figures, self.charts = make(widgets.HTML), make(widgets.HTML)
        place = self.place()
        buttons = row(
            self.button(_("↻ Refresh"), self._begin),
            self.button(_("Save as CSV"), self.save, at=place),
        )
        return (self.d_period, self.figures, self.charts, buttons, place)

    async def _begin(self) -> None:
        self.figures.value = self.charts.value = bar_html(None)
        await self._draw()

    def _heard(self, topic: str) -> None:
        if topic == "language" or not self.shared.jobs.running:
            self.spawn(self._draw)

    async def _read(self) -> Analytics:
        days, settings = self.d_period.value or None, self.shared.settings
        return await self.shared.read(
            lambda ledger: analytics(days=days, settings=settings, ledger=ledger)
        )

    async def _draw(self) -> None:
        found = await self._read()
        self.figures.value = _figures(found)
        self.charts.value = await asyncio.to_thread(charts_html, found)

    async def save(self) -> None:
        """Write the tables behind the charts to CSV files."""
        found, folder = await self._read(), self.shared.settings.home / "analytics"
        files = await asyncio.to_thread(found.save, folder)
        words = _("{count} tables are in {folder}")
        self.tell(words.format(count=len(files), folder=folder))


def _figures(found: Analytics) -> str:
    summary = found.summary
    if not summary["renders"]:
        return markup(_("Nothing was rendered yet."), "hg-hint")
    facts = [(_("videos"), str(summary["completed"]))]
    if summary["success_rate"] is not None:
        facts.append((_("successful"), f"{summary['success_rate']:.1%}"))
    if summary["median_s"] is not None:
        facts.append((_("median render time"), clock(summary["median_s"])))
    for name, words in (("spent", _("spent")), ("saved", _("saved by finishing here"))):
        facts += [
            (words, amount_text(amount, unit)) for unit, amount in summary[name].items()
        ]
    shown = "".join(
        f"<div>{markup(value, tag='b')}{markup(name, 'hg-hint')}</div>"
        for name, value in facts
    )
    return f'<div class="hg-figures">{shown}</div>'


def charts_html(found: Analytics) -> str:
    """Return the charts that compare something, as SVG in the theme's colours."""
    from matplotlib import rc_context  # noqa: PLC0415 - 0.3 s to load

    cards = []
    with rc_context({"svg.fonttype": "none", "font.size": 9}):
        for name in (name for name, rows in found.tables.items() if len(rows) > 1):
            stream = StringIO()
            found.figure(name, _DRAWN).savefig(stream, format="svg", transparent=True)
            svg = stream.getvalue()[stream.getvalue().index("<svg") :]
            svg = re.sub("|".join(_SHOWN), lambda match: _SHOWN[match[0]], svg)
            title = markup(title_of(name), tag="h3")
            cards.append(f'<div class="hg-card">{title}{svg}</div>')
    return f'<div class="hg-charts">{"".join(cards)}</div>'

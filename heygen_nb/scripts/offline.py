"""Scripts from ready formats: no key, no internet, a few milliseconds."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from heygen_nb.errors import DraftError
from heygen_nb.i18n import gettext as _
from heygen_nb.scripts.filling import Pool, tidy, tidy_lines
from heygen_nb.scripts.library import format_named
from heygen_nb.scripts.order import Written
from heygen_nb.scripts.topic import Topic, day_of, is_horoscope, read_topic, sign_named
from heygen_nb.templates import Template

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from heygen_nb.scripts.library import Format
    from heygen_nb.scripts.order import Measure, Order, TextCallback


MAX_HEADLINE_CHARS = 60


def _today() -> date:
    return datetime.now().astimezone().date()


class OfflineWriter:
    """Writes from the formats of this package and the user's own.

    Args:
        home: Folder whose ``templates`` may hold formats.
        measure: Script to seconds.
        today: The day it is.
    """

    def __init__(
        self, home: Path, measure: Measure, *, today: Callable[[], date] = _today
    ) -> None:
        self._home = home
        self._measure = measure
        self._today = today

    async def write(
        self, order: Order, *, on_text: TextCallback | None = None
    ) -> Written:
        """Write one script; the same order gives the same text.

        Args:
            order: Without a format, a sign of the zodiac gets a horoscope, points a
                lesson, anything else a tip.
            on_text: Gets the finished text.

        Raises:
            DraftError: The topic or the format cannot be used.
        """
        topic = read_topic(order.topic)
        name = order.format or _likely_format(order, topic)
        format_ = format_named(name, self._home, order.language)
        if format_.needs == "points" and not topic.points:
            raise DraftError(
                _("“{label}” needs points to read out.").format(label=format_.label),
                hint=_("Write them after a colon: “subject: first; second; third”."),
            )
        written = self._written(format_, order, topic)
        if on_text:
            on_text(written.title, written.script, written.caption)
        return written

    def _written(self, format_: Format, order: Order, topic: Topic) -> Written:
        body = _template(format_.body, format_.where, format_.line)
        title = _template(format_.title, f"{format_.where}, title")
        caption = _template(format_.caption, f"{format_.where}, caption")
        day = day_of(order.topic, self._today())
        pool = Pool(f"{order.seed} {format_.name} {order.topic} {day}")
        names = body.names | title.names | caption.names
        values = _values(order, topic, day, names) | pool.functions()
        script = pool.fill(body.render(values), order.target_s, self._measure)
        if not script:
            raise DraftError(
                _("{file}: the format writes nothing.").format(file=format_.where),
                hint=_("Put sentences below its front matter."),
            )
        return Written(
            tidy(title.render(values)), script, tidy_lines(caption.render(values))
        )


@lru_cache(maxsize=64)
def _template(source: str, where: str, line: int = 1) -> Template:
    return Template(source, where=where, line=line)


def _likely_format(order: Order, topic: Topic) -> str:
    if is_horoscope(order.topic):
        return "horoscope"
    return "lesson" if topic.points else "tip"


def _values(
    order: Order, topic: Topic, day: date, names: frozenset[str]
) -> dict[str, Any]:
    from babel.dates import format_date  # noqa: PLC0415 - 50 ms, for two words

    values: dict[str, Any] = {
        "topic": topic.text,
        "subject": topic.subject,
        "headline": shorten(
            topic.subject[:1].upper() + topic.subject[1:],
            MAX_HEADLINE_CHARS,
            placeholder="…",
        ),
        "points": topic.points,
        "tone": order.tone,
        "language": order.language,
        "date": format_date(
            day, "d MMMM" if order.language == "ru" else "MMMM d", order.language
        ),
        "weekday": format_date(day, "EEEE", order.language),
    }
    if "sign" in names:
        values["sign"] = sign_named(order.topic, order.language)
    return values

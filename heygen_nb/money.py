"""What a render will cost, and what the user allows: rates, quotes, limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from heygen_nb.config import Settings
from heygen_nb.errors import ConfigError, LimitError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import NO_AVATAR, Quote

_SHIPPED = Path(__file__).with_name("rates.yaml")
_LOOK_TYPES = ("photo_avatar", "digital_twin", "studio_avatar")
_KEYS = ("engines", "speech", "currency", "source", "date", "credits")
_DEPTH = 3  # engine, look type, resolution
_DEAREST = 100.0  # a second; what is more is a slip of the pen
_CENT = 0.005  # sums of floats are not exact


@dataclass(frozen=True, slots=True)
class Rates:
    """What a second costs, by engine, look type and resolution.

    Attributes:
        prices: Engine, look type and resolution, the latter two only where they
            matter → a second in ``currency``.
        speech: A second of HeyGen's speech, all that a film without an avatar needs.
        source: Where the figures come from, shown with every quote.
        credit_s: Seconds that a signed-in session gets for one of the plan's credits,
            and ``credits_more`` how many more each video takes.
        by_plan: Whether these credits are what is spent.
    """

    prices: Mapping[tuple[str, ...], float]
    speech: float = 0.0
    currency: str = "usd"
    source: str = ""
    credit_s: float = 3.0
    credits_more: float = 1.0
    by_plan: bool = False

    def free(self) -> Rates:
        """Return rates of 0, for the sandbox."""
        return Rates({("sandbox",): 0.0}, source="sandbox")

    def in_credits(self) -> Rates:
        """Return the rates of a signed-in session, which spends the plan's credits."""
        return replace(self, by_plan=True, currency="credits", speech=0.0)

    def rate(self, engine: str, resolution: str = "", look_type: str = "") -> float:
        """Return what a second costs; what is not in the table costs the dearest."""
        if engine == NO_AVATAR:
            return self.speech
        if self.by_plan:
            return 1 / self.credit_s
        own = {keys: price for keys, price in self.prices.items() if keys[0] == engine}
        prices = own or self.prices
        known = {engine, resolution, *([look_type] if look_type else _LOOK_TYPES)}
        fitting = [price for keys, price in prices.items() if known.issuperset(keys)]
        return max(fitting or prices.values())

    def bill(
        self, engine: str, seconds: float, resolution: str = "", look_type: str = ""
    ) -> float:
        """Return what a finished video costs: HeyGen counts whole seconds."""
        if self.by_plan and engine != NO_AVATAR:
            return math.ceil(seconds / self.credit_s) + self.credits_more
        return round(self.rate(engine, resolution, look_type) * math.floor(seconds), 4)

    def quote(
        self,
        engine: str,
        seconds: float,
        *,
        longest_s: float = 0.0,
        resolution: str = "",
        look_type: str = "",
        speech_s: float = 0.0,
    ) -> Quote:
        """Return the expected cost of a video.

        Args:
            engine: HeyGen's engine; ``studio`` for its still scene, ``none`` for a
                film made here of HeyGen's speech.
            seconds: Expected length of the video.
            longest_s: Upper end of the estimate, which is set aside.
            resolution: Such as ``1080p``.
            look_type: HeyGen's ``avatar_type`` of the look.
            speech_s: Seconds of speech that are made, and paid, beforehand.
        """
        kind, longest_s = (resolution, look_type), max(seconds, longest_s)
        speech = self.speech * speech_s
        most = speech * longest_s / seconds if seconds else speech
        return Quote(
            amount=round(self.bill(engine, seconds, *kind) + speech, 4),
            at_most=round(self.bill(engine, longest_s, *kind) + most, 4),
            currency=self.currency,
            seconds=round(seconds, 1),
            rate=self.rate(engine, *kind),
            speech=round(speech, 4),
            engine=engine,
            source=self.source,
        )


def check_limits(
    settings: Settings, amount: float, spent_today: float, currency: str
) -> None:
    """Make sure that one render keeps within what may be spent unasked.

    Args:
        settings: Have the limits, in the currency of the rates; 0 is no limit.
        amount: What it is expected to cost.
        spent_today: Spent and reserved since local midnight, without it.
        currency: Of all three.

    Raises:
        LimitError: It does not; nothing was sent.
    """
    once, a_day = settings.max_cost_per_render, settings.max_cost_per_day
    if once and amount > once + _CENT:
        limit, text = once, _("{amount} is over {limit} for one render.")
        hint = _("Nothing was sent. Shorten it, or raise max_cost_per_render.")
    elif a_day and spent_today + amount > a_day + _CENT:
        limit = a_day
        text = _(
            "{amount} more is over {limit} a day: {spent} is spent or reserved today."
        )
        hint = _("Nothing was sent. Wait for tomorrow, or raise max_cost_per_day.")
    else:
        return
    sums = {"amount": amount, "limit": limit, "spent": spent_today}
    told = {name: amount_text(value, currency) for name, value in sums.items()}
    raise LimitError(text.format(**told), hint=hint, charged=False)


def amount_text(amount: float, currency: str) -> str:
    """Return an amount as people write it: ``$1.99``, or ``12.00 credits``."""
    if currency == "credits":
        return _("{amount:.2f} credits").format(amount=amount)
    return f"${amount:.2f}" if currency == "usd" else f"{amount:.2f} {currency}"


def load_rates(home: Path) -> Rates:
    """Read ``rates.yaml`` of the home folder, else the one shipped with us.

    Raises:
        ConfigError: The user's table cannot be read, or has no price in it.
    """
    own = home / "rates.yaml"
    file = own if own.exists() else _SHIPPED
    try:
        return _rates(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as exc:
        text = _("{file} cannot be used: {reason}.")
        hint = _("Correct it, or delete it to use the shipped rates.")
        reason = str(exc).splitlines()[0]
        raise ConfigError(text, hint=hint, file=file, reason=reason) from None


def _rates(table: Any) -> Rates:
    engines = table.get("engines") if isinstance(table, dict) else None
    if not isinstance(engines, dict) or not engines:
        raise ValueError(_("it has no table “engines”"))
    if unknown := [key for key in table if key not in _KEYS]:
        raise ValueError(_("unknown key “{key}”").format(key=unknown[0]))
    if not isinstance(plan := table.get("credits") or {}, dict):
        raise ValueError(_("“{place}” is no table").format(place="credits"))  # noqa: TRY004
    return Rates(
        _prices(engines),
        speech=_price("speech", table.get("speech", 0)),
        currency=str(table.get("currency") or "usd"),
        source=", ".join(str(table[k]) for k in ("source", "date") if table.get(k)),
        credit_s=_price("credits.seconds", plan.get("seconds", 3)) or 3.0,
        credits_more=_price("credits.more", plan.get("more", 1)),
    )


def _prices(table: Any, *keys: str) -> dict[tuple[str, ...], float]:
    if not isinstance(table, dict) or not table or len(keys) == _DEPTH:
        return {keys: _price(".".join(keys), table)}
    prices: dict[tuple[str, ...], float] = {}
    for key, value in table.items():
        prices |= _prices(value, *keys, str(key))
    return prices


def _price(place: str, value: Any) -> float:
    with suppress(TypeError, ValueError):
        if not isinstance(value, bool) and 0 <= (price := float(value)) <= _DEAREST:
            return price
    text = _("“{place}” is {value}, not a number from 0 to {most:.0f}")
    raise ValueError(text.format(place=place, value=f"{value!s:.40}", most=_DEAREST))

"""What a render will cost, and what the user allows: rates, quotes, limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from heygen_nb.errors import ConfigError, LimitError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Quote

if TYPE_CHECKING:
    from heygen_nb.config import Settings

RATES_NAME = "rates.yaml"
_SHIPPED = Path(__file__).parent / RATES_NAME
_Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_CENT = 0.005  # sums of floats are not exact


class Rates(BaseModel):
    """Cost of a second of video by engine.

    Attributes:
        source: Where the figures come from, shown with every quote.
        engines: Engine name → cost of a second in ``currency``, or a table of
            resolution → cost.
        speech: Cost of a second of spoken sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    source: str = ""
    date: Any = None
    currency: str = "usd"
    engines: dict[str, _Rate | Annotated[dict[str, _Rate], Field(min_length=1)]] = (
        Field(min_length=1)
    )
    speech: _Rate = 0.0

    def free(self) -> Rates:
        """Return rates of 0, for the sandbox."""
        return self.model_copy(
            update={
                "engines": {"sandbox": 0.0},
                "source": "sandbox",
                "date": None,
                "speech": 0.0,
            }
        )

    def rate(self, engine: str, resolution: str = "") -> float:
        """Return the cost of a second; what is not in the table costs the dearest."""
        table = self.engines.get(engine)
        if table is None:
            return max(_dearest(rates) for rates in self.engines.values())
        if isinstance(table, dict):
            return table.get(resolution, _dearest(table))
        return table

    def quote(
        self,
        engine: str,
        seconds: float,
        *,
        resolution: str = "",
        speech_s: float = 0.0,
    ) -> Quote:
        """Return the expected cost of a video.

        Args:
            engine: HeyGen's engine; ``studio`` for background only.
            seconds: Expected length of the video.
            resolution: Such as ``1080p``.
            speech_s: Seconds of speech that are made, and paid, beforehand.
        """
        rate, speech = self.rate(engine, resolution), self.speech * speech_s
        return Quote(
            amount=round(rate * seconds + speech, 4),
            currency=self.currency,
            seconds=round(seconds, 1),
            rate=rate,
            speech=round(speech, 4),
            engine=engine,
            source=f"{self.source}, {self.date}".strip(", "),
        )


def _dearest(rates: float | dict[str, float]) -> float:
    return max(rates.values()) if isinstance(rates, dict) else rates


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent unasked, in the currency of the rates; 0 is no limit."""

    per_render: float = 0.0
    per_day: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return what the settings say."""
        return cls(settings.max_cost_per_render, settings.max_cost_per_day)

    def check(self, amount: float, spent_today: float, currency: str) -> None:
        """Make sure that one render keeps within both limits.

        Args:
            amount: What it is expected to cost.
            spent_today: Spent and reserved since local midnight, without it.
            currency: Of all three.

        Raises:
            LimitError: It does not; nothing was sent.
        """
        if self.per_render and amount > self.per_render + _CENT:
            raise LimitError(
                _("{amount:.2f} {currency} is over {limit:.2f} for one render.").format(
                    amount=amount, currency=currency, limit=self.per_render
                ),
                hint=_("Nothing was sent. Shorten it, or raise max_cost_per_render."),
                charged=False,
            )
        if self.per_day and spent_today + amount > self.per_day + _CENT:
            raise LimitError(
                _(
                    "{amount:.2f} {currency} more is over {limit:.2f} a day:"
                    " {spent:.2f} is spent or reserved today."
                ).format(
                    amount=amount,
                    currency=currency,
                    limit=self.per_day,
                    spent=spent_today,
                ),
                hint=_(
                    "Nothing was sent. Wait for tomorrow, or raise max_cost_per_day."
                ),
                charged=False,
            )


def load_rates(home: Path) -> Rates:
    """Read ``rates.yaml`` of the home folder, else the one shipped with us.

    Raises:
        ConfigError: The user's table cannot be read.
    """
    own = home / RATES_NAME
    file = own if own.exists() else _SHIPPED
    try:
        return Rates.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as exc:
        raise ConfigError(
            _("{file} cannot be used: {reason}.").format(
                file=file, reason=str(exc).splitlines()[0]
            ),
            hint=_("Correct it, or delete it to use the shipped rates."),
        ) from None

"""What a render will cost: rates from a table that the user can edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from heygen_nb.errors import ConfigError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import Quote

RATES_NAME = "rates.yaml"
_SHIPPED = Path(__file__).parent / RATES_NAME


class Rates(BaseModel):
    """Cost of a second of video by engine.

    Attributes:
        source: Where the figures come from, shown with every quote.
        engines: Engine name → cost of a second in ``currency``.
        speech: Cost of a second of spoken sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    source: str = ""
    date: Any = None
    currency: str = "usd"
    engines: dict[str, float] = Field(min_length=1)
    speech: float = Field(0.0, ge=0)

    def free(self) -> Rates:
        """Return rates of 0, for the sandbox."""
        return self.model_copy(
            update={"engines": {"sandbox": 0.0}, "source": "sandbox", "date": None}
        )

    def quote(self, engine: str, seconds: float) -> Quote:
        """Return the expected cost; an engine not in the table costs the dearest."""
        rate = self.engines.get(engine, max(self.engines.values()))
        return Quote(
            amount=round(rate * seconds, 4),
            currency=self.currency,
            seconds=round(seconds, 1),
            rate=rate,
            engine=engine,
            source=f"{self.source}, {self.date}".strip(", "),
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

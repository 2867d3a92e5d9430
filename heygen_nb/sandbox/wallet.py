"""The account's two purses, and what HeyGen was seen to take for what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from heygen_nb.sandbox.api import Refusal
from heygen_nb.sandbox.state import ChargeState, FactState

if TYPE_CHECKING:
    from heygen_nb.sandbox.state import Purse, State

_SPEECH_RATES: dict[Purse, float] = {"wallet": 0.000667, "plan": 0.000333}


def video_price(purse: Purse, seconds: float, rate: float) -> float:
    """Return the price of a video: as two users' balances fell in 2026."""
    if purse == "plan":
        return float(math.ceil(seconds / 3) + 1)
    return round(math.floor(seconds) * rate, 6)


def speech_price(purse: Purse, seconds: float) -> float:
    """Return the price of so much speech."""
    return round(seconds * _SPEECH_RATES[purse], 6)


class Wallet:
    """The account's two purses: accepted jobs reserve money, finished ones take it.

    A key spends the wallet, a signed-in session the credits of the plan.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        state.fact("wallet_in", str(state.options.balance))
        state.fact("plan_in", str(state.options.plan_credits))

    def balance(self, purse: Purse) -> float:
        """Return what is left, reserved money included."""
        return float(self._state.facts[f"{purse}_in"].value) - self._taken(purse)

    def set_balance(self, purse: Purse, balance: float) -> None:
        """Leave exactly this much."""
        paid_in = str(balance + self._taken(purse))
        self._state.put(FactState(id=f"{purse}_in", value=paid_in))

    def _taken(self, purse: Purse) -> float:
        charges = self._state.charges.values()
        return sum(charge.amount for charge in charges if charge.purse == purse)

    def has(self, purse: Purse, amount: float) -> bool:
        """Tell whether that much is there and not reserved."""
        jobs = self._state.jobs.values()
        held = (job.estimate for job in jobs if not job.ended and job.purse == purse)
        return amount <= self.balance(purse) - sum(held)

    def require(self, purse: Purse, amount: float) -> None:
        """Check that the money is there, or refuse with 402."""
        if not self.has(purse, amount):
            message = f"This needs {amount:.2f}, more than is left"
            raise Refusal(402, "insufficient_credit", message)

    def charge(self, **what: Any) -> None:
        """Take the money for something finished."""
        number = str(len(self._state.charges) + 1)
        self._state.put(ChargeState(id=number, **what))

    def view(self, purse: Purse) -> dict[str, Any]:
        """Return the billing part of ``GET /v3/users/me``."""
        left, options = round(self.balance(purse), 4), self._state.options
        money = {"remaining_balance": left, "currency": options.currency}
        premium = {"remaining": int(left), "resets_at": None}
        credits_ = {"premium_credits": premium, "add_on_credits": None}
        usage = {"remaining_credits": left, "spending_current_usd": 0.0}
        blocks = {
            "wallet": money | {"auto_reload": None},
            "subscription": {"plan": "creator", "credits": credits_},
            "usage_based": usage | {"included_credits": None, "spending_cap_usd": None},
        }
        kind = "subscription" if purse == "plan" else options.billing_type
        return {"billing_type": kind} | dict.fromkeys(blocks) | {kind: blocks[kind]}

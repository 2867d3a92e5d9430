"""The account's money: a balance, what is reserved, what was taken for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from heygen_nb.sandbox.envelope import Refusal
from heygen_nb.sandbox.state import Charge

if TYPE_CHECKING:
    from heygen_nb.sandbox.state import State


class Wallet:
    """Money is reserved when a job is accepted and taken when it is finished."""

    def __init__(self, state: State) -> None:
        self._state = state
        paid_in = state.fact("paid_in", lambda: str(state.options.balance))
        self._paid_in = float(paid_in)
        self.charges = state.load(Charge)
        self._taken = sum(charge.amount for charge in self.charges.values())
        self._reserved: dict[str, float] = {}

    @property
    def balance(self) -> float:
        """What is left, reserved money included."""
        return self._paid_in - self._taken

    def set_balance(self, balance: float) -> None:
        """Fill up or empty the account."""
        self._paid_in = balance + self._taken
        self._state.set_fact("paid_in", str(self._paid_in))

    def require(self, amount: float) -> None:
        """Check that the money is there.

        Raises:
            Refusal: 402.
        """
        free = self.balance - sum(self._reserved.values())
        if amount > free:
            unit = self._state.options.currency
            message = (
                f"This needs about {amount:.2f} {unit}, {max(free, 0):.2f} is left"
            )
            raise Refusal(402, "insufficient_credit", message)

    def reserve(self, ref: str, amount: float) -> None:
        """Set money aside for a job.

        Raises:
            Refusal: 402.
        """
        self.require(amount)
        self.hold(ref, amount)

    def hold(self, ref: str, amount: float) -> None:
        """Set money aside without asking whether it is there."""
        self._reserved[ref] = amount

    def release(self, ref: str) -> None:
        """Give back what was set aside: failed renders cost nothing."""
        self._reserved.pop(ref, None)

    def charge(
        self, kind: Literal["video", "speech"], ref: str, amount: float, at: float
    ) -> None:
        """Take the money for something finished."""
        self.release(ref)
        number = len(self.charges) + 1
        charge = Charge(id=str(number), kind=kind, ref=ref, amount=amount, at=at)
        self.charges[charge.id] = charge
        self._state.save(charge)
        self._taken += amount

    def view(self) -> dict[str, Any]:
        """Return the billing part of ``GET /v3/users/me``."""
        left, options = round(self.balance, 4), self._state.options
        blocks: dict[str, dict[str, Any]] = {
            "wallet": {"remaining_balance": left, "currency": options.currency},
            "subscription": {
                "plan": "creator",
                "credits": {"premium_credits": {"remaining": int(left)}},
            },
            "usage_based": {"remaining_credits": left, "spending_current_usd": 0.0},
        }
        kind = options.billing_type
        return {"billing_type": kind, kind: blocks[kind]}

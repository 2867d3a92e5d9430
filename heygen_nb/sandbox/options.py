"""What can be set about a sandbox: by a constructor, a command or a test."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from heygen_nb.sandbox.faults import Fault  # noqa: TC001 - pydantic needs it at run time

KeyedRoute = Literal["/v3/videos", "/v3/videos/batches", "/v3/voices/speech"]


class SandboxOptions(BaseModel):
    """Knobs of the stand-in; the defaults suit a person trying the product.

    Attributes:
        fast: Finish renders by the clock with a canned file, never encode.
        api_key: None: one made for the state folder and kept there.
        balance: What the account starts with, in ``currency``.
        billing_type: Which block ``/v3/users/me`` shows the balance in.
        concurrency: Renders at a time before HeyGen answers 429.
        retry_after_s: What that 429 asks for.
        workers: Local render processes.
        pending_s: Seconds a render shows ``pending``.
        processing_s: Seconds of ``processing`` after that, in fast mode.
        list_lag_s: Seconds until a new video shows up in listings.
        link_life_s: Seconds a signed file link lives.
        key_life_s: Seconds an ``Idempotency-Key`` is remembered.
        keyed_routes: Where the key works. HeyGen documents it for videos only;
            for speech nothing is known, so repeating one costs twice here.
        file_bytes: Pad fast mode's files up to this size.
        faults: Scripted faults from the start.
    """

    model_config = ConfigDict(extra="forbid")

    fast: bool = False
    api_key: str | None = Field(default=None, repr=False)
    balance: float = 100.0
    currency: Literal["usd", "credits"] = "usd"
    billing_type: Literal["wallet", "subscription", "usage_based"] = "wallet"
    concurrency: int = 10
    retry_after_s: int = 5
    workers: int = 1
    pending_s: float = 1.5
    processing_s: float = 2.0
    list_lag_s: float = 0.0
    link_life_s: float = 3600.0
    key_life_s: float = 24 * 3600.0
    keyed_routes: tuple[KeyedRoute, ...] = ("/v3/videos", "/v3/videos/batches")
    file_bytes: int = 0
    faults: list[Fault] = []

"""Scripted faults: what goes wrong, for which requests, how often."""

from __future__ import annotations

import random
from collections import Counter
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict

FaultKind = Literal[
    "drop",
    "status",
    "empty",
    "html",
    "error_in_200",
    "truncated",
    "cut",
    "stall",
    "slow",
    "unknown_status",
    "failed_render",
]


class Fault(BaseModel):
    """A rule; of several that fit a request the first one counts.

    Attributes:
        kind: ``drop`` closes the connection without an answer; ``status``
            answers ``status``; ``empty`` a 200 of 0 bytes; ``html`` a page with
            status 200; ``error_in_200`` a 200 with a top-level error;
            ``truncated`` a whole HTTP answer with half the body; ``cut`` breaks
            the connection in the middle of the body, ``stall`` waits ``delay_s``
            there; ``slow`` waits ``delay_s`` before (or ``after``) the handler;
            ``unknown_status`` changes every status word to ``word``;
            ``failed_render`` lets a video be accepted, then fail with ``code``.
        after: Let the real handler run first: the job is accepted, the post
            made, and only the answer is spoilt.
        method: HTTP method, ``*`` for any.
        path: Shell pattern for the path, such as ``/v3/videos/*``.
        match: Text that must stand in the request's body, such as a title (for
            ``failed_render``: in the video's title).
        skip: Let this many fitting requests pass first.
        times: How many requests it hits; None for all.
        probability: Chance of each fitting request, from ``seed``.
        html: For ``status``: a gateway's page instead of an envelope.
        retry_after_s: ``Retry-After``, or Telegram's ``parameters.retry_after``.
        message: The error's words.
        seen: Requests that fitted so far.
        hits: Requests hit so far.
    """

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    after: bool = False
    method: str = "*"
    path: str = "*"
    match: str = ""
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    status: int = 500
    html: bool = False
    code: str | None = None
    message: str = "A scripted fault of the sandbox."
    retry_after_s: float | None = None
    delay_s: float = 1.0
    word: str = "reticulating"
    seen: int = 0
    hits: int = 0

    def fits(self, method: str, path: str, body: bytes) -> bool:
        """Tell whether the request is one this rule is about."""
        return (
            self.kind != "failed_render"
            and self.method in ("*", method)
            and fnmatchcase(path, self.path)
            and self.match.encode() in body
        )

    def strikes(self) -> bool:
        """Count a fitting request; tell whether it is hit."""
        self.seen += 1
        chance = random.Random(f"{self.seed}:{self.seen}").random()  # noqa: S311 - repeatable, not secret
        spent = self.times is not None and self.hits >= self.times
        hit = self.seen > self.skip and not spent and chance < self.probability
        self.hits += hit
        return hit


class Faults:
    """The rules in force, in order of precedence, and requests so far by route."""

    def __init__(self, rules: list[Fault]) -> None:
        self.rules = rules
        self.counts: Counter[str] = Counter()

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        """Return the fault that hits this request."""
        fitting = (rule for rule in self.rules if rule.fits(method, path, body))
        return next((rule for rule in fitting if rule.strikes()), None)

    def doomed(self, title: str) -> str | None:
        """Return the failure code in store for a video of that title."""
        for rule in self.rules:
            if rule.kind == "failed_render" and rule.match in title and rule.strikes():
                return rule.code or "rendering_failed"
        return None

"""Jobs: what was accepted waits for a place, is rendered, and charged when done."""

from __future__ import annotations

import asyncio
import base64
import binascii
import heapq
import logging
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from heygen_nb.sandbox.api import Refusal, found, invalid
from heygen_nb.sandbox.bodies import (
    BackgroundBody,
    SceneBody,
    SourceBody,
    StudioVideoBody,
    parse_video,
)
from heygen_nb.sandbox.catalogue import looks, voices
from heygen_nb.sandbox.rendering import (
    FetchError,
    FilmOrder,
    FilmPool,
    Ratio,
    SoundPart,
    make_canned,
)
from heygen_nb.sandbox.speech import file_hash, model
from heygen_nb.sandbox.state import ChargeState, FactState, JobState

if TYPE_CHECKING:
    from pathlib import Path

    from heygen_nb.sandbox.bodies import AvatarVideoBody, SpokenBody
    from heygen_nb.sandbox.files import Files
    from heygen_nb.sandbox.state import State

# The sandbox's own prices: USD a second of finished video. HeyGen's are not
# published for all of these, so nothing may be learned from them.
RATES = {
    "avatar_iv": 0.05,
    "avatar_v": 0.0667,
    "avatar_iii": 0.02,
    "still": 0.01,
    "speech": 0.000667,
}
_SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 1080}  # 4k is too slow to play at
_SHAPES: dict[str, Ratio] = {"portrait": "9:16", "landscape": "16:9", "square": "1:1"}


def cost(seconds: float, engine: str) -> float:
    """Return the price of so many seconds."""
    return round(seconds * RATES[engine], 6)


def order_of(body: AvatarVideoBody | StudioVideoBody, files: Files) -> FilmOrder:
    """Return what is to be made; refuse what is missing or does not fit."""
    look: dict[str, Any] | None = None
    background: str | Path | bytes | None
    if isinstance(body, StudioVideoBody):
        engine, parts, pictures = "still", [], []
        for number, scene in enumerate(body.scenes):
            pictures.append(_picture(scene.source, files, f"scenes.{number}.source"))
            parts.append(_part(scene, files, f"scenes.{number}."))
        background = pictures[0]
    else:
        look, engine = _ready_look(body), body.engine.type
        parts = [_part(body, files, default=look["default_voice_id"])]
        background = _picture(body.background, files, "background")
    shape = _SHAPES[look["preferred_orientation"]] if look else "16:9"
    return FilmOrder(
        parts=tuple(parts),
        engine=engine,
        ratio=shape if body.aspect_ratio == "auto" else body.aspect_ratio,
        short_side_px=_SHORT_SIDE[body.resolution],
        background=background,
        # Without a style HeyGen makes the SRT alone; one render cannot do both.
        captions=body.caption is not None,
    )


def _ready_look(body: AvatarVideoBody) -> dict[str, Any]:
    look = found(looks(), body.avatar_id, "avatar", "avatar_id")
    if look["status"] == "processing":
        message = f"Avatar {body.avatar_id} is still being processed"
        raise Refusal(409, "resource_not_ready", message, param="avatar_id")
    if body.engine.type not in look["supported_api_engines"]:
        able = ", ".join(look["supported_api_engines"])
        raise invalid("engine.type", f"this look supports {able}")
    return look


def _part(
    body: SpokenBody, files: Files, at: str = "", *, default: str | None = None
) -> SoundPart:
    if isinstance(body, SceneBody) and body.duration is not None:
        return SoundPart(body.duration)
    if body.audio_asset_id is not None:
        param = f"{at}audio_asset_id"
        return files.sound(files.asset(body.audio_asset_id, "audio", param))
    if body.audio_url is not None:
        return files.sound(files.linked(body.audio_url, f"{at}audio_url"))
    voice_id = body.voice_id or default
    if voice_id is None:
        raise invalid(f"{at}voice_id", "is required with a script")
    voice = found(voices(), voice_id, "voice", f"{at}voice_id")
    script, speed = body.script or "", body.voice_settings.speed
    return SoundPart(model(voice, script, speed).duration_s, script, voice, speed)


def _picture(
    source: SourceBody | BackgroundBody | None, files: Files, at: str
) -> str | Path | bytes | None:
    match source:
        case BackgroundBody(value=str(colour)):
            return colour
        case SourceBody(url=str(url)) | BackgroundBody(url=str(url)):
            return files.linked(url, f"{at}.url")
        case (
            SourceBody(asset_id=str(asset_id)) | BackgroundBody(asset_id=str(asset_id))
        ):
            return files.asset(asset_id, "image", f"{at}.asset_id")
        case SourceBody(data=str(text)):
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise invalid(f"{at}.data", "is not base64") from None
    return None


class Wallet:
    """The account's money: accepted jobs reserve it, finished ones take it."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.fact("paid_in", str(state.options.balance))

    @property
    def balance(self) -> float:
        """What is left, reserved money included."""
        return float(self._state.facts["paid_in"].value) - self._taken

    @balance.setter
    def balance(self, balance: float) -> None:
        self._state.put(FactState(id="paid_in", value=str(balance + self._taken)))

    @property
    def _taken(self) -> float:
        return sum(charge.amount for charge in self._state.charges.values())

    def require(self, amount: float) -> None:
        """Check that the money is there, or refuse with 402."""
        jobs = self._state.jobs.values()
        free = self.balance - sum(job.estimate for job in jobs if not job.ended)
        if amount > free:
            unit = self._state.options.currency
            message = f"This needs {amount:.2f} {unit}, {max(free, 0):.2f} is left"
            raise Refusal(402, "insufficient_credit", message)

    def charge(
        self, kind: Literal["video", "speech"], ref: str, amount: float, at: float
    ) -> None:
        """Take the money for something finished."""
        number = str(len(self._state.charges) + 1)
        self._state.put(
            ChargeState(id=number, kind=kind, ref=ref, amount=amount, at=at)
        )

    def view(self) -> dict[str, Any]:
        """Return the billing part of ``GET /v3/users/me``."""
        left, options = round(self.balance, 4), self._state.options
        money = {"remaining_balance": left, "currency": options.currency}
        premium = {"remaining": int(left), "resets_at": None}
        credits_ = {"premium_credits": premium, "add_on_credits": None}
        usage = {"remaining_credits": left, "spending_current_usd": 0.0}
        blocks = {
            "wallet": money | {"auto_reload": None},
            "subscription": {"plan": "creator", "credits": credits_},
            "usage_based": usage | {"included_credits": None, "spending_cap_usd": None},
        }
        kind = options.billing_type
        return {"billing_type": kind} | dict.fromkeys(blocks) | {kind: blocks[kind]}


_log = logging.getLogger("heygen_nb.sandbox")
_FAILED = "rendering_failed"


class JobQueue:
    """All jobs of the account.

    In fast mode time alone finishes a job: ``settle`` catches up with the clock
    before every answer. Otherwise a worker process does.
    """

    def __init__(self, state: State, files: Files, wallet: Wallet) -> None:
        self._state = state
        self._options = state.options
        self._files = files
        self._wallet = wallet
        self._renderer = FilmPool(state.options.workers)
        self._orders: dict[str, FilmOrder] = {}  # of unfinished jobs
        self._waiting: deque[JobState] = deque()
        self._ends: list[tuple[float, str]] = []
        self._rendering: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Take up what was unfinished when the sandbox last stopped."""
        for job in self._state.jobs.values():
            if job.ended:
                continue
            try:
                order = order_of(parse_video(job.body), self._files)
            except Refusal as refusal:  # a link has expired meanwhile
                job.failure_code = refusal.error["code"]
                self._finish(job, None, self._state.clock.now())
                continue
            self._orders[job.id] = order
            if job.status == "queued":
                self._waiting.append(job)
            else:
                self._start(job, job.started_at)
        self.start_waiting(self._state.clock.now())

    async def close(self) -> None:
        """Stop rendering; the jobs stay unfinished in the state folder."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._renderer.close()

    def settle(self) -> None:
        """Finish everything that is over by the clock."""
        while self._ends and self._ends[0][0] <= self._state.clock.now():
            ended_at, job_id = heapq.heappop(self._ends)
            job, length_s = self._state.jobs[job_id], None
            if job.failure_code is None:
                path, size = self._path(job), self._options.file_bytes
                length_s = make_canned(self._orders[job_id], path, job_id, size)
            self._finish(job, length_s, ended_at)

    @property
    def full(self) -> bool:
        """Tell whether as many videos are rendering as may."""
        running = len(self._orders) - len(self._waiting)
        return running >= self._options.concurrency

    def accept(
        self, body: dict[str, Any], order: FilmOrder, key: str | None, **batch: Any
    ) -> JobState:
        """Make a job of an order; it waits until it is started."""
        job = JobState(
            id=secrets.token_hex(16),
            number=len(self._state.jobs) + 1,
            body=body,
            title=body.get("title"),
            engine=order.engine,
            status="queued",
            accepted_at=self._state.clock.now(),
            estimate=cost(order.duration_s, order.engine),
            duration=order.duration_s,
            key=key,
            **batch,
        )
        self._state.put(job)
        self._orders[job.id] = order
        self._waiting.append(job)
        return job

    def start_waiting(self, at: float) -> None:
        """Start what was accepted, as places are free."""
        while self._waiting and not self.full:
            self._start(self._waiting.popleft(), at)

    def _start(self, job: JobState, at: float) -> None:
        job.status, job.started_at = "running", at
        self._state.put(job)
        if self._options.fast:
            span = self._options.pending_s + self._options.processing_s
            heapq.heappush(self._ends, (at + span, job.id))
        else:
            task = asyncio.get_running_loop().create_task(self._render(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _render(self, job: JobState) -> None:
        await asyncio.sleep(self._options.pending_s)
        length_s: float | None = None
        if job.failure_code is None:
            async with self._renderer.slots:
                self._rendering.add(job.id)
                try:
                    order, path = self._orders[job.id], self._path(job)
                    length_s = await self._renderer.render(order, path)
                except Exception as exc:  # noqa: BLE001 - a failed render, never a lost one
                    _log.exception("render %s failed", job.id)
                    download = isinstance(exc, FetchError)
                    job.failure_code = "download_failed" if download else _FAILED
                    job.failure_message = str(exc)
                self._rendering.discard(job.id)
        self._finish(job, length_s, self._state.clock.now())
        self._state.flush()

    def _finish(self, job: JobState, length_s: float | None, at: float) -> None:
        job.completed_at = at
        self._orders.pop(job.id, None)
        if length_s is None:
            job.status = "failed"
            job.failure_message = job.failure_message or "The video failed to render."
        else:
            job.status, job.duration = "completed", length_s
            job.sha256 = file_hash(self._path(job))
            job.charge = cost(length_s, job.engine)
            # A deleted render was paid for all the same.
            self._wallet.charge("video", job.id, job.charge, at)
        self._state.put(job)
        self.start_waiting(at)

    def _path(self, job: JobState) -> Path:
        path = self._files.path(f"videos/{job.id}/video.mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def word(self, job: JobState) -> str:
        """Return the status word of ``GET /v3/videos/{id}``."""
        if job.ended:
            return job.status
        if self._options.fast:
            begins = job.started_at + self._options.pending_s
            begun = job.status == "running" and self._state.clock.now() >= begins
            return "processing" if begun else "pending"
        return "processing" if job.id in self._rendering else "pending"

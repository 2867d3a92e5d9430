"""What planning decided, before it is a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


class NewRender(BaseModel):
    """What planning decided; stored before anything is sent."""

    draft_id: str
    revision: str
    body: dict[str, Any]
    script: str
    caption: str = ""
    title: str = ""
    send_to: str | None = None
    inputs: dict[str, Any]
    voice_id: str
    voice_name: str = ""
    language: str = ""
    avatar_id: str = ""
    engine: str = ""
    speed: float = 1.0
    target_s: float | None = None
    estimate_s: float | None = None
    pad_s: float = 0.0
    reserved_cost: float = 0.0
    currency: str = "usd"


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """The newest attempt of a draft that HeyGen knows; no id if that one failed."""

    attempt: int
    video_id: str | None

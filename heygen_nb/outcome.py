"""What became of one draft, as the commands print it and the panels show it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from heygen_nb.errors import (
    ApiError,
    DownloadError,
    HeygenNbError,
    LedgerError,
    OutcomeUnknownError,
    RenderFailedError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from heygen_nb.ledger import RenderRow
    from heygen_nb.models import Post, Video

Status = Literal[
    "planned", "submitted", "completed", "failed", "rejected", "unknown", "timed_out"
]
"""The first two stand in the history only: a command waits until they are over."""


class Failure(BaseModel):
    """An error as data; ``charged`` is null when it is not known."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    hint: str
    charged: bool | None

    @classmethod
    def of(cls, error: HeygenNbError) -> Failure:
        """Make it of an error."""
        return cls(
            code=error.code or type(error).__name__,
            message=error.message,
            hint=error.hint,
            charged=error.charged,
        )


class Outcome(BaseModel):
    """One line of ``render --json``; paths are absolute or null."""

    model_config = ConfigDict(frozen=True)

    draft_id: str
    render_id: str | None = None
    revision: str | None = None
    video_id: str | None = None
    backend: str
    status: Status
    path: Path | None = None
    subtitles: Path | None = None
    thumbnail: Path | None = None
    duration_s: float | None = None
    target_s: float | None = None
    cost: float | None = None
    sent: bool | Literal["unsure"] = False
    post_id: int | None = None
    error: Failure | None = None
    exit_code: int = Field(default=0, exclude=True)
    billed: bool = Field(default=False, exclude=True)

    @classmethod
    def of_video(cls, video: Video) -> Outcome:
        """Make it of a finished video."""
        return cls(
            **video.model_dump(include=set(cls.model_fields) & set(_VIDEO_FIELDS)),
            status="completed",
        )

    @classmethod
    def of_error(
        cls,
        draft_id: str,
        backend: str,
        error: HeygenNbError,
        row: RenderRow | None = None,
    ) -> Outcome:
        """Make it of what stopped the render; ``row`` is what the ledger has."""
        return cls(
            draft_id=draft_id,
            backend=backend,
            video_id=getattr(error, "video_id", None)
            or (row.video_id if row else None),
            render_id=row.id if row else getattr(error, "render_id", None),
            revision=row.revision if row else None,
            status=_status_of(error),
            error=Failure.of(error),
            exit_code=error.exit_code,
        )

    def posted(self, post: Post) -> Outcome:
        """Return it with the post that was made; what went wrong before is over."""
        sent = {"sent": True, "post_id": post.id, "error": None, "exit_code": 0}
        return self.model_copy(update=sent)

    def not_posted(self, error: HeygenNbError) -> Outcome:
        """Return it with why there is no post, or perhaps one."""
        return self.model_copy(
            update={
                "sent": "unsure" if error.code == "unsure" else False,
                "post_id": getattr(error, "post_id", None),
                "error": Failure.of(error),
                "exit_code": error.exit_code,
            }
        )


_VIDEO_FIELDS = (
    "draft_id",
    "render_id",
    "revision",
    "video_id",
    "backend",
    "path",
    "subtitles",
    "thumbnail",
    "duration_s",
    "target_s",
    "cost",
    "billed",
)


def _status_of(error: HeygenNbError) -> Status:
    if isinstance(error, OutcomeUnknownError):
        return "unknown"
    if isinstance(error, RenderFailedError):
        return "failed"
    if isinstance(error, WaitTimeoutError):
        return "timed_out"
    if isinstance(error, DownloadError):
        return "completed"
    open_question = isinstance(error, ApiError | LedgerError)
    if open_question and error.charged is not False:
        return "unknown"
    return "rejected"

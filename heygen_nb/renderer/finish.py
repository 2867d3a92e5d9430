"""The film as it was bought becomes the video that is shown and posted.

It costs nothing and may be done again at any time: ``source.mp4`` stays as it is.
What is wished is stored with the render, what was done beside the film.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygen_nb import finishing, preview
from heygen_nb.errors import ConfigError, FaultyVideoError, PreviewError
from heygen_nb.files import write_whole
from heygen_nb.i18n import gettext as _
from heygen_nb.log import Report
from heygen_nb.models import Video
from heygen_nb.processes import Processes
from heygen_nb.renderer.background import picture_of

if TYPE_CHECKING:  # a preview needs neither
    from heygen_nb.ledger import RenderRow
    from heygen_nb.renderer.account import Account

SOURCE, DONE, WORDS = "source.mp4", "finish.json", "words.json"
FRAMES = "check"  # pictures of what the check has found
# HeyGen tells a look's size and type, not where its face is; whether its picture fills
# the canvas or stands in it whole, it is put in the middle, the face above it.
_FOCUS = (0.5, 0.3)


def ai_label() -> str:
    """Return what tells that a video was made with AI."""
    return _("🤖 Made with AI")


async def finished(row: RenderRow, video: Video, report: Report) -> Video:
    """Finish a film that is here, unless it is finished that way already.

    To be called with the render held. One that cannot be finished is shown as it
    was bought.
    """
    path, wish = video.path, row.inputs.get("finish")
    if path is None or wish is None or wish == await asyncio.to_thread(_done, path):
        return video
    try:
        source = await asyncio.to_thread(_source, path)
        await in_other_process(finishing.finish, source, path, _work(row, video))
        if video.thumbnail and wish.get("aspect_ratio"):
            await in_other_process(preview.make_thumbnail, path, video.thumbnail)
        text = json.dumps(wish, indent=2)
        await asyncio.to_thread(write_whole, path.with_name(DONE), text)
    except (PreviewError, OSError, BrokenExecutor) as error:
        await report("completed", f"⚠️ {error}")
    return video


def _done(path: Path) -> dict[str, Any] | None:
    """Return how a film was finished; one never touched is as if nothing was wished."""
    try:
        done = json.loads(path.with_name(DONE).read_text("utf-8"))
    except (OSError, ValueError):
        done = None
    untouched = {"captions": False, "loudness": 0}
    return done or (None if path.with_name(SOURCE).exists() else untouched)


def _source(path: Path) -> Path:
    """Return the film as it was bought, put aside before its first finish."""
    source = path.with_name(SOURCE)
    if not source.exists():
        try:
            os.link(path, source)
        except OSError:  # a disk without links
            shutil.copyfile(path, part := path.with_name(f".{SOURCE}"))
            part.replace(source)
    return source


def _work(row: RenderRow, video: Video) -> finishing.Finish:
    """Return what is done to a film; nothing if it was ordered before there was it."""
    inputs, wish = row.inputs, row.inputs.get("finish") or {}
    subtitles = video.subtitles
    heard = subtitles.read_text("utf-8") if subtitles and subtitles.exists() else ""
    told = video.path.with_name(WORDS) if video.path else None
    words = json.loads(told.read_text("utf-8")) if told and told.exists() else []
    return finishing.Finish(
        script=row.script,
        said=inputs.get("said", ""),
        # HeyGen burned its own in: two would lie over each other
        captions=wish.get("captions", False) and not inputs.get("captions"),
        lit=wish.get("lit", True),
        words=tuple(preview.Word(*word) for word in words),
        subtitles=heard,
        with_avatar=bool(inputs.get("use_avatar", True)),
        aspect_ratio=wish.get("aspect_ratio"),
        focus=_FOCUS if row.avatar_id else (0.5, 0.5),
        loudness_lufs=wish.get("loudness") or None,
        title=row.title or "",
        label=ai_label() if wish.get("label") else "",
    )


def check(account: Account, row: RenderRow, video: Video) -> list[finishing.Finding]:
    """Look at a finished video; note and return what is not as it was ordered: blocks.

    Raises:
        PreviewError: It is not a video.
    """
    if video.path is None:
        raise PreviewError(_("The video is not downloaded."))
    background: str | Path | None = str(row.inputs.get("background_url", ""))
    if not str(background).startswith("#"):
        own = (row.inputs.get("draft") or {}).get("background") or ""
        background = None
        with suppress(ConfigError):  # its picture is not there any more
            picture = picture_of(own, account.home)
            background = picture.path if picture else None
    found = finishing.check_film(
        video.path,
        _work(row, video),
        video.path.with_name(FRAMES),
        ratio=row.inputs["aspect_ratio"],
        speed=row.speed or 1.0,
        background=background,
    )
    told = {"findings": " ".join(f"{f.kind}@{f.second:.0f}" for f in found)}
    if any(finding.kind == "background" for finding in found):
        told["scene"] = "own"
    account.ledger.note(row.id, **told)
    return found


def noted_findings(noted: str, film: Path) -> list[tuple[str, Path]]:
    """Return in words what a check of a film has noted, and a picture of each."""
    frames = film.with_name(FRAMES)
    return [
        (finding_text(kind, float(second or 0)), frames / f"{film.stem}-{kind}.jpg")
        for kind, _at, second in (note.partition("@") for note in noted.split())
    ]


def finding_text(kind: str, second: float) -> str:
    """Return in words what a check has found."""
    what = {
        "size": _("its picture has another shape than was asked for"),
        "mute": _("it has no sound"),
        "silent": _("nothing is heard in it"),
        "cut": _("the speech is cut off"),
        "black": _("its picture is black"),
        "frozen": _("its picture stands still"),
        "background": _("the background is not the one that was asked for"),
        "captions": _("its captions are missing"),
    }[kind]
    return _("{what} (at {second:.0f} s)").format(what=what, second=second)


async def refuse_faulty(account: Account, video: Video) -> None:
    """Stop a post that nobody looks at before, if the video is not as it was ordered.

    Raises:
        FaultyVideoError: Says what is wrong; a person may post it.
    """
    row = await asyncio.to_thread(account.ledger.render, video.render_id)
    if found := await asyncio.to_thread(check, account, row, video):
        problem = _("The video was not posted by itself: {reasons}.")
        hint = _("Look at it; if it is good, send it: Send, or hg.send_video(video).")
        reasons = "; ".join(finding_text(one.kind, one.second) for one in found)
        raise FaultyVideoError(problem, hint=hint, reasons=reasons)


async def in_other_process(function: Any, *arguments: Any) -> Any:
    """Run a function where it cannot hold up a notebook."""
    return await asyncio.wrap_future(pool().submit(function, *arguments))


@lru_cache(maxsize=1)
def pool() -> Processes:
    """Return the process that makes pictures and sound for this one."""
    only = Processes(1)
    atexit.register(only.shutdown)
    return only

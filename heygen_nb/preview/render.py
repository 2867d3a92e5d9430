"""From a scene to its files, in one pass."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import BrokenExecutor, Executor
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import av

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.captions import to_srt
from heygen_nb.preview.scene import FRAMES_PER_S, Rendered, Stage
from heygen_nb.preview.video import THUMBNAIL_PX, Mp4Writer, save_jpeg
from heygen_nb.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from PIL import Image

    from heygen_nb.preview.scene import Scene
    from heygen_nb.preview.voice import Narration

_POSTER_S = 1.2  # by then a caption and an open mouth are there
_LONGEST_STILL = FRAMES_PER_S  # frames: players seek badly over longer gaps


def render_scene(
    scene: Scene, output: Path, *, speech: Narration | None = None
) -> Rendered:
    """Make the MP4, and the SRT and JPEG beside it.

    Args:
        scene: What is shown and said.
        output: The MP4; the other two differ in their suffix. All are replaced.
        speech: Said elsewhere, such as by HeyGen; else the scene's voice speaks.

    Raises:
        PreviewError: Nothing to say, a bad picture, or the disk refused.
    """
    if speech is None:
        speech = scene.voice.speak(scene.script, speed=scene.speed)
        if not speech.samples.any():
            raise PreviewError(_("The script has no words that can be said."))
    speech = speech.padded(scene.tail_s)
    stage = Stage(scene, speech)
    names = (output, output.with_suffix(".srt"), output.with_suffix(".jpg"))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, so that the finished files are only renamed; whatever
        # happens, nothing half-written stays.
        with TemporaryDirectory(prefix=f".{output.stem}-", dir=output.parent) as new:
            video, subtitles, thumbnail = made = [Path(new) / n.name for n in names]
            save_jpeg(_write_video(scene, speech, stage, video), thumbnail)
            subtitles.write_text(to_srt(stage.pages), encoding="utf-8")
            for file, name in zip(made, names, strict=True):
                file.replace(name)
    except (OSError, av.FFmpegError) as exc:
        message = _("The video {name} could not be written: {reason}")
        raise PreviewError(
            message.format(name=output.name, reason=exc.strerror or exc)
        ) from exc
    return Rendered(*names, stage.frame_count / FRAMES_PER_S, *scene.size)


def _write_video(
    scene: Scene, speech: Narration, stage: Stage, path: Path
) -> Image.Image:
    """Write the MP4; return the poster."""
    last = stage.frame_count - 1
    poster_at = min(round(_POSTER_S * FRAMES_PER_S), last // 2)
    written = 0
    with Mp4Writer(path, size=scene.size, rate=FRAMES_PER_S, speech=speech) as writer:
        for frame in range(stage.frame_count):
            changed = stage.paint(frame, writer.planes)
            if changed or frame == last or frame - written >= _LONGEST_STILL:
                writer.show(frame)
                written = frame
            if frame == poster_at:
                poster = writer.picture(THUMBNAIL_PX)
    return poster


def preview_batch(
    jobs: Iterable[tuple[Scene, Path]], executor: Executor | None = None
) -> list[Rendered | PreviewError]:
    """Render scenes side by side; one that fails does not stop the others.

    Args:
        jobs: Each scene and where its MP4 goes, on a disk that all workers share.
        executor: Any executor, such as Dask's ``client.get_executor()``; None
            starts a process for each core and ends them again.

    Returns:
        The files or the error of each job, in the order of ``jobs``.
    """
    todo = list(jobs)
    if not todo:
        return []
    count = min(os.cpu_count() or 1, len(todo))
    with nullcontext(executor) if executor else Processes(count) as workers:
        # Dask takes equal calls for one call; the token makes each its own.
        futures = [workers.submit(_render, *job, uuid.uuid4().hex) for job in todo]
        try:
            return [_outcome(future) for future in futures]
        finally:
            for future in futures:
                future.cancel()  # after an interruption; else they are all done


def _render(scene: Scene, output: Path, _token: str) -> Rendered:
    return render_scene(scene, output)


def _outcome(future: Future[Rendered]) -> Rendered | PreviewError:
    try:
        return future.result()
    except PreviewError as exc:
        return exc
    except BrokenExecutor as exc:
        error = PreviewError(_("The process that rendered the preview died."))
        error.__cause__ = exc
        return error

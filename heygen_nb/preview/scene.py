"""A scene: what is shown and said, how it moves, and its files in one pass."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import BrokenExecutor, Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import ImageDraw

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.preview.avatar import (
    BARS,
    MOUTHS,
    RINGS,
    DrawnAvatar,
    Meter,
    loudness,
    make_avatar,
    swell,
)
from heygen_nb.preview.captions import Subtitles, said_as_written, set_pages, to_srt
from heygen_nb.preview.layout import (
    Layout,
    Plane,
    draw_text,
    lay_out,
    paint_background,
    palette_for,
    rounded_mask,
    text_width,
    to_patch,
)
from heygen_nb.preview.video import (
    THUMBNAIL_PX,
    Mp4Writer,
    looped,
    pictures_at,
    planes_of,
    save_jpeg,
    whole,
)
from heygen_nb.preview.voice import EspeakVoice, Narration
from heygen_nb.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from av.video.frame import VideoFrame
    from PIL import Image

    from heygen_nb.models import AspectRatio

_VOICE = EspeakVoice()  # frozen, so one is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A script and its looks.

    Attributes:
        script: What is said; ``<break time="1s"/>`` is a pause.
        said: The script as it is pronounced, if that differs from how it is written.
        voice: Who says it, unless the speech is handed in.
        speed: 0.5 to 1.5, as HeyGen takes it.
        aspect_ratio: Width to height.
        short_side_px: 720 is the profile ``fast``, 1080 is ``share``.
        background: ``#rrggbb``, ``#rrggbb-#rrggbb`` from top to bottom, a picture's
            path or its bytes, an MP4's path; None is the house gradient.
        use_avatar: False shows the background and the captions only.
        avatar_image: The look's picture; None draws a person.
        fit: ``cover`` or ``contain`` shows the look as its film will: over the whole
            canvas. Empty shows it small, before the background.
        captions: Whether the words are shown; ``later`` leaves room for them. The SRT
            is made in any case.
        bars: Whether the voice's loudness is shown; not over a moving background.
        badge: What stands in the corner; empty for none.
        tail_s: Silence after the speech.
    """

    script: str
    said: str = ""
    voice: EspeakVoice = _VOICE
    speed: float = 1.0
    aspect_ratio: AspectRatio = "9:16"
    short_side_px: int = 720
    background: str | Path | bytes | None = None
    use_avatar: bool = True
    avatar_image: Path | bytes | None = None
    fit: Literal["", "cover", "contain"] = ""
    captions: bool | Literal["later"] = True
    bars: bool = True
    badge: str = "PREVIEW"
    tail_s: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels; both even, as H.264 wants them."""
        across, down = (int(part) for part in self.aspect_ratio.split(":"))
        scale = self.short_side_px / min(across, down)
        return round(across * scale / 2) * 2, round(down * scale / 2) * 2


@dataclass(frozen=True, slots=True)
class Rendered:
    """The files of a rendered scene.

    Attributes:
        path: The MP4.
        subtitles: SRT beside it, with the words that are on the screen.
        thumbnail: JPEG beside it, at most 320 px, as Telegram wants it.
        duration_s: Length of the MP4.
        width: In pixels.
        height: In pixels.
    """

    path: Path
    subtitles: Path
    thumbnail: Path
    duration_s: float
    width: int
    height: int


FRAMES_PER_S = 25
_STEP = 2  # frames: the face and the bars move at 12.5 a second
_BLINKS = (31, 32, 76, 77, 128, 129)  # steps within a round of blinking
_BLINK_ROUND = 170
_MOVING = (".mp4", ".m4v", ".mov")  # backgrounds that are shown again and again


class Stage:
    """A scene with its speech, frame by frame.

    Attributes:
        pages: The captions; the SRT holds them even when they are not shown.
        frame_count: Frames at ``FRAMES_PER_S``.
    """

    def __init__(self, scene: Scene, speech: Narration) -> None:
        self.frame_count = max(round(speech.duration_s * FRAMES_PER_S), 1)
        lettered = bool(scene.captions)
        layout = lay_out(
            *scene.size, with_avatar=scene.use_avatar, with_captions=lettered
        )
        look = scene.avatar_image if scene.fit else None
        behind: str | Path | bytes | Image.Image | None = look or scene.background
        self._moving: Iterator[VideoFrame] | None = None
        if isinstance(behind, Path) and behind.suffix.lower() in _MOVING:
            self._moving = looped(behind, scene.size, FRAMES_PER_S)
            [behind] = pictures_at(behind, [0.0])
        picture = paint_background(
            behind,
            *scene.size,
            carries_text=lettered and not (look or self._moving),
            contain=scene.fit == "contain",
        )
        palette = palette_for(picture, layout.captions.corners)
        layout, self.pages = set_pages(layout, speech.words, speech.duration_s)
        _draw_badge(picture, layout, scene.badge)
        self._base = to_patch(picture)
        self._meter: Meter | None = None
        if scene.bars and not self._moving:
            self._meter = Meter(picture, layout.meter, palette.accent)
        box = layout.captions
        self._behind = to_patch(picture.crop(box.corners), box.x, box.y)
        shown = self.pages if scene.captions is True else ()
        self._subtitles = Subtitles(shown, layout, palette)
        self._shown = self._subtitles.state(-1)
        steps = self.frame_count // _STEP + 1
        self._levels = loudness(speech, _STEP / FRAMES_PER_S, steps)
        self._swell = swell(self._levels)
        self._avatar: DrawnAvatar | None = None
        if scene.use_avatar and not look:
            behind = picture.crop(layout.avatar.corners)
            self._avatar = make_avatar(
                scene.avatar_image, behind, layout.avatar, palette.accent
            )

    def paint(self, frame: int, planes: tuple[Plane, Plane, Plane]) -> bool:
        """Bring the planes to what frame ``frame`` shows; False if nothing changed.

        Frames come in order, on the same planes, beginning with 0.
        """
        if frame == 0:
            self._base.put_on(planes)
        # Half a frame ahead: rounds to the nearest frame instead of the next.
        now = (frame + 0.5) / FRAMES_PER_S
        if self._moving:
            for plane, new in zip(planes, planes_of(next(self._moving)), strict=True):
                plane[:] = new
            self._subtitles.put_on(planes, now)
            return True
        if changed := self._subtitles.state(now) != self._shown:
            self._behind.put_on(planes)
            self._shown = self._subtitles.put_on(planes, now)
        if frame % _STEP == 0:
            changed |= self._move(frame // _STEP, planes)
        return changed

    def _move(self, step: int, planes: tuple[Plane, Plane, Plane]) -> bool:
        recent = self._levels[max(step - BARS // 2, 0) : step + 1][::-1]
        moved = self._meter is not None and self._meter.paint(recent, planes)
        if self._avatar:
            ring = round(self._swell[step] * (RINGS - 1))
            mouth = round(recent[0] * (MOUTHS - 1))
            blinking = step % _BLINK_ROUND in _BLINKS
            moved |= self._avatar.paint(ring, mouth, planes, blinking=blinking)
        return moved


def _draw_badge(picture: Image.Image, layout: Layout, text: str) -> None:
    """Mark what this is, in the corner, so that nobody takes it for the real one."""
    if not text:
        return
    size = max(round(layout.unit * 0.026), 10)
    spaced = "\u200a".join(text)
    pill = round(text_width(spaced, size) + size * 2.7), size * 2
    x, y = layout.badge_at
    mask = rounded_mask(pill, size).point(lambda opacity: opacity * 3 // 5)
    picture.paste((10, 11, 22), (x, y), mask)
    draw = ImageDraw.Draw(picture)
    left, middle, dot = x + size * 0.95, y + size, size * 0.26
    corners = (left - dot, middle - dot, left + dot, middle + dot)
    draw.ellipse(corners, (255, 204, 64))
    at = (x + size * 1.65, round(middle + size * 0.36))
    draw_text(draw, at, spaced, size, (255, 255, 255))


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
        speech = scene.voice.speak(scene.said or scene.script, speed=scene.speed)
        if not speech.samples.any():
            raise PreviewError(_("The script has no words that can be said."))
        if scene.said:
            speech = replace(speech, words=said_as_written(scene.script, speech.words))
    speech = speech.padded(scene.tail_s)
    stage = Stage(scene, speech)
    names = (output, output.with_suffix(".srt"), output.with_suffix(".jpg"))
    with whole(output) as folder:
        video, subtitles, thumbnail = made = [folder / name.name for name in names]
        save_jpeg(_write_video(scene, speech, stage, video), thumbnail)
        subtitles.write_text(to_srt(stage.pages), encoding="utf-8")
        for file, name in zip(made, names, strict=True):
            file.replace(name)
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

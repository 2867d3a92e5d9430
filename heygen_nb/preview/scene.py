"""A scene: what is shown and said, how it moves, and its files in one pass.

Who speaks is a picture in a circle, or a drawn person, alive with the loudness.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from heygen_nb.errors import PreviewError
from heygen_nb.i18n import gettext as _
from heygen_nb.models import AspectRatio
from heygen_nb.preview import captions, drawing, video
from heygen_nb.preview.drawing import Box, Colour, Patch, Planes, to_patch
from heygen_nb.preview.voice import EspeakVoice, Narration


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A script and its looks.

    Attributes:
        script: What is said; ``<break time="1s"/>`` is a pause.
        said: The script as it is pronounced, if that differs from how it is written.
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
    """

    script: str
    said: str = ""
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

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels; both even, as H.264 wants them."""
        across, down = (int(part) for part in self.aspect_ratio.split(":"))
        scale = self.short_side_px / min(across, down)
        return round(across * scale / 2) * 2, round(down * scale / 2) * 2


BARS = 23
_HEIGHTS = 16


def loudness(speech: Narration, step_s: float, steps: int) -> list[float]:
    """Return 0 to 1 for each step, relative to how loud this voice is."""
    power = speech.padded(2 * step_s).power(step_s)[:steps]
    top = float(np.percentile(power, 95)) or 1.0
    level: list[float] = (np.clip(power / top, 0, 1) ** 0.7).tolist()
    return level


class Meter:
    """Bars that run from the middle outwards: now, a moment ago, earlier."""

    def __init__(self, picture: Image.Image, box: Box, ink: Colour) -> None:
        self._pitch = box.width // BARS // 2 * 2
        left = box.x + (box.width - self._pitch * BARS) // 4 * 2
        self._behind = to_patch(picture.crop(box.corners), box.x, box.y)
        # A bar at all its heights: upright, with round ends.
        thick = max(self._pitch * 0.5, 2)
        across = np.arange(self._pitch) - (self._pitch - 1) / 2
        down = np.abs(np.arange(box.height) - (box.height - 1) / 2)
        self._bars = []
        for height in range(_HEIGHTS):
            straight = (box.height - thick) * height / (_HEIGHTS - 1) / 2
            far = np.hypot(across, np.maximum(down - straight, 0)[:, None])
            bar = Image.new("RGBA", (self._pitch, box.height), ink)
            bar.putalpha(_disc(far, thick / 2))
            self._bars.append(to_patch(bar, left, box.y))
        self._shown: list[int] = []

    def paint(self, recent: list[float], planes: Planes) -> bool:
        """Put the bars, if any changed; ``recent`` begins with now."""
        known, middle = recent + [0.0] * BARS, BARS // 2
        heights = [
            round(known[ago] * (1 - (ago / (BARS / 2 + 1)) ** 2) * (_HEIGHTS - 1))
            for ago in map(abs, range(-middle, middle + 1))
        ]
        if heights == self._shown:
            return False
        self._behind.put_on(planes)
        for number, height in enumerate(heights):
            self._bars[height].put_on(planes, number * self._pitch)
        self._shown = heights
        return True


RINGS = 5  # steps of loudness, 0 is silence
MOUTHS = 8
_HALO = 0.15  # how far the ring swells beyond the circle, of its radius
# The drawn person's sheet, made by benchmarks/looks/draw_person.py, and where the mouth
# and the eyes are in the face.
_SHEET = Path(__file__).parent / "person.png"
FACE = 1000
MOUTH, EYES = (410, 550, 590, 670), (370, 400, 630, 490)


def draw_avatar(
    picture: Path | bytes | None, behind: Image.Image, box: Box, accent: Colour
) -> tuple[list[Patch], list[Patch]]:
    """Draw the avatar in all its states.

    Args:
        picture: The look's picture; None draws a person.
        behind: The background under ``box``.
        box: Where the avatar and its ring stand.
        accent: Colour of the ring.

    Returns:
        The whole avatar in its ring, one for each step of loudness; and of a drawn
        person the mouths, one for each step, and last the closed eyes.

    Raises:
        PreviewError: The picture cannot be read.
    """
    side = round(box.width / (1 + _HALO))
    inset = (box.width - side) // 2
    sheet = drawing.open_image(_SHEET if picture is None else picture)
    face = sheet.crop((0, 0, FACE, FACE)) if picture is None else sheet
    # The face is a little above the middle of most photos.
    portrait = ImageOps.fit(
        face, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.2)
    )
    parts = []
    for number in range(-1, MOUTHS) if picture is None else ():
        changed, area = face.copy(), EYES if number == MOUTHS - 1 else MOUTH
        if number >= 0:
            x, y = tile_at(number)
            tile = (x, y, x + area[2] - area[0], y + area[3] - area[1])
            changed.paste(sheet.crop(tile), area[:2])
        edges = [int(inset + edge * side / FACE) // 2 * 2 for edge in area]
        left, top, right, bottom = (edge - inset for edge in edges)
        changed = changed.resize((side, side), Image.Resampling.LANCZOS)
        part = changed.crop((left, top, right, bottom))
        parts.append(to_patch(part, box.x + edges[0], box.y + edges[1]))
    return _rings(portrait, behind, box, accent), parts


def tile_at(number: int) -> tuple[int, int]:
    """Return where the person's sheet holds a tile: mouths, then closed eyes."""
    width, height = MOUTH[2] - MOUTH[0], MOUTH[3] - MOUTH[1]
    return number % 5 * width, FACE + number // 5 * height


def _rings(
    portrait: Image.Image, behind: Image.Image, box: Box, accent: Colour
) -> list[Patch]:
    """Draw the portrait with a white rim and, behind it, a halo that swells."""
    radius = box.width / 2 / (1 + _HALO)
    inset = (box.width - portrait.width) // 2
    line = np.arange(box.width, dtype=np.float32) - (box.width - 1) / 2
    far = np.hypot(line[:, None], line[None, :])
    whole = Image.new("RGB", behind.size)
    whole.paste(portrait, (inset, inset))
    rings = []
    for step in range(RINGS):
        reach = radius * (1 + _HALO * step / (RINGS - 1))
        state = behind.copy()
        # Two soft discs, the smaller half as far out.
        for edge, opacity in ((reach, 0.22), ((reach + radius) / 2, 0.38)):
            state.paste(accent, mask=_disc(far, edge * 0.99 + radius * 0.012, opacity))
        state.paste("white", mask=_disc(far, radius))
        state.paste(whole, mask=_disc(far, radius * 0.982))
        rings.append(to_patch(state, box.x, box.y))
    return rings


def _disc(far: NDArray[np.floating], radius: float, opacity: float = 1) -> Image.Image:
    inside = np.clip(radius - far + 0.5, 0, 1)
    return Image.fromarray((inside * (255 * opacity)).astype(np.uint8))


FRAMES_PER_S = 25
_STEP = 2  # frames: the face and the bars move at 12.5 a second
_BLINKS = (31, 32, 76, 77, 128, 129)  # steps within a round of blinking
_BLINK_ROUND = 170
_RELEASE = 0.82  # the ring swells at once and goes down slowly, as a calm eye would
_MOVING = (".mp4", ".m4v", ".mov")  # backgrounds that are shown again and again


class Stage:
    """A scene with its speech, frame by frame.

    Attributes:
        pages: The captions; the SRT holds them even when they are not shown.
        frame_count: Frames at ``FRAMES_PER_S``.
    """

    def __init__(self, scene: Scene, speech: Narration) -> None:
        self.frame_count = max(round(speech.duration_s * FRAMES_PER_S), 1)
        size, lettered = scene.size, bool(scene.captions)
        layout = drawing.lay_out(
            *size, with_avatar=scene.use_avatar, with_captions=lettered
        )
        look = scene.avatar_image if scene.fit else None
        behind: str | Path | bytes | Image.Image | None = look or scene.background
        self._moving = None
        if isinstance(behind, Path) and behind.suffix.lower() in _MOVING:
            self._moving = video.looped(behind, size, FRAMES_PER_S)
            [behind] = video.pictures_at(behind, [0.0])
        picture = drawing.paint_background(
            behind,
            *size,
            carries_text=lettered and not (look or self._moving),
            contain=scene.fit == "contain",
        )
        box = layout.captions
        palette = drawing.palette_for(picture, box.corners)
        layout, self.pages = captions.set_pages(layout, speech.words, speech.duration_s)
        if scene.badge:
            _draw_badge(picture, layout.badge_at, scene.badge)
        self._base = to_patch(picture)
        self._behind = to_patch(picture.crop(box.corners), box.x, box.y)
        shown = self.pages if scene.captions is True else ()
        self._subtitles = captions.Subtitles(shown, layout, palette)
        steps = self.frame_count // _STEP + 1
        self._levels = loudness(speech, _STEP / FRAMES_PER_S, steps)
        self._swell = [*accumulate(self._levels, lambda n, new: max(new, n * _RELEASE))]
        metered = scene.bars and not self._moving
        self._meter = Meter(picture, layout.meter, palette.accent) if metered else None
        self._rings: list[Patch] = []
        self._parts: list[Patch] = []
        if scene.use_avatar and not look:
            behind = picture.crop(layout.avatar.corners)
            self._rings, self._parts = draw_avatar(
                scene.avatar_image, behind, layout.avatar, palette.accent
            )
        self._face: list[Patch] = []

    def paint(self, frame: int, planes: Planes) -> bool:
        """Bring the planes to what frame ``frame`` shows; False if nothing changed.

        Frames come in order, on the same planes, beginning with 0.
        """
        if frame == 0:
            self._base.put_on(planes)
        # Half a frame ahead: rounds to the nearest frame instead of the next.
        now = (frame + 0.5) / FRAMES_PER_S
        if self._moving:
            Patch(0, 0, video.planes_of(next(self._moving))).put_on(planes)
            self._subtitles.put_on(planes, now)
            return True
        if changed := self._subtitles.state(now) != self._subtitles.shown:
            self._behind.put_on(planes)
            self._subtitles.put_on(planes, now)
        if frame % _STEP == 0:
            changed |= self._move(frame // _STEP, planes)
        return changed

    def _move(self, step: int, planes: Planes) -> bool:
        recent = self._levels[max(step - BARS // 2, 0) : step + 1][::-1]
        moved = self._meter is not None and self._meter.paint(recent, planes)
        if self._rings:
            face = [self._rings[round(self._swell[step] * (RINGS - 1))]]
            if self._parts:
                *mouths, asleep = self._parts
                face += [asleep] if step % _BLINK_ROUND in _BLINKS else []
                face.append(mouths[round(recent[0] * (MOUTHS - 1))])
            if face != self._face:
                for patch in face:
                    patch.put_on(planes)
                self._face, moved = face, True
        return moved


def _draw_badge(picture: Image.Image, at: tuple[int, int], text: str) -> None:
    """Mark what this is, in the corner, so that nobody takes it for the real one."""
    size, (x, y) = max(round(min(picture.size) * 0.026), 10), at
    spaced = "\u200a".join(text)
    pill = round(drawing.text_width(spaced, size) + size * 2.7), size * 2
    mask = drawing.rounded_mask(pill, size).point(lambda opacity: opacity * 3 // 5)
    picture.paste((10, 11, 22), at, mask)
    draw = ImageDraw.Draw(picture)
    left, middle, dot = x + size * 0.95, y + size, size * 0.26
    draw.ellipse((left - dot, middle - dot, left + dot, middle + dot), (255, 204, 64))
    base = x + size * 1.65, round(middle + size * 0.36)
    drawing.draw_text(draw, base, spaced, size, (255, 255, 255))


_LONGEST_STILL = FRAMES_PER_S  # frames: players seek badly over longer gaps


def render_scene(
    scene: Scene, output: Path, *, speech: Narration | None = None
) -> video.VideoFacts:
    """Make the MP4, and the SRT and JPEG beside it.

    Args:
        scene: What is shown and said.
        output: The MP4; the other two differ in their suffix. All are replaced.
        speech: Said elsewhere, such as by HeyGen; else the local voice speaks.

    Raises:
        PreviewError: Nothing to say, a bad picture, or the disk refused.
    """
    if speech is None:
        speech = EspeakVoice().speak(scene.said or scene.script, speed=scene.speed)
        if not speech.samples.any():
            raise PreviewError(_("The script has no words that can be said."))
        if scene.said:
            words = captions.said_as_written(scene.script, speech.words)
            speech = replace(speech, words=words)
    stage = Stage(scene, speech)

    def pictures() -> Iterator[video.Picture]:
        (picture, planes), written = video.blank(scene.size), 0
        for frame in range(stage.frame_count):
            changed = stage.paint(frame, planes)
            last = frame == stage.frame_count - 1
            if changed or last or frame - written >= _LONGEST_STILL:
                picture.pts = written = frame
                yield picture

    with video.whole(output) as folder:
        film = folder / output.name
        video.write_mp4(film, pictures(), scene.size, FRAMES_PER_S, speech)
        subtitles = captions.to_srt(stage.pages)
        film.with_suffix(".srt").write_text(subtitles, encoding="utf-8")
        video.make_thumbnail(film, film.with_suffix(".jpg"))
    return video.VideoFacts(stage.frame_count / FRAMES_PER_S, *scene.size, 1)


def render_apart(scene: Scene, output: Path, _token: str) -> Path:
    """Render a scene elsewhere; the token tells equal calls apart."""
    render_scene(scene, output)
    return output

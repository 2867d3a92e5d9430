"""Where everything stands, for any size of picture. Numbers only.

Phone apps lay buttons over a vertical video: the lowest fifth and the right edge
are kept free of captions, the top of anything but the badge.
"""

from __future__ import annotations

from dataclasses import dataclass

_VERTICAL = 1.5  # from this ratio on it is a phone's full screen


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on even pixels, since colour is stored for 2x2 of them."""

    x: int
    y: int
    width: int
    height: int

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom as Pillow takes them."""
        return self.x, self.y, self.x + self.width, self.y + self.height


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of a scene.

    Attributes:
        width: Of the picture.
        height: Of the picture.
        avatar: Square around the avatar and its ring.
        meter: The loudness bars.
        captions: All lines of a page with their shadow.
        badge_at: Left and top of the badge.
        font_px: Size of the captions.
        max_lines: Of a page.
        text_width: Room for a line.
    """

    width: int
    height: int
    avatar: Box
    meter: Box
    captions: Box
    badge_at: tuple[int, int]
    font_px: int
    max_lines: int
    text_width: int

    @property
    def unit(self) -> int:
        """Return the short side, which all sizes are parts of."""
        return min(self.width, self.height)

    @property
    def line_px(self) -> int:
        """Return the distance of two base lines."""
        return round(self.font_px * 1.36)

    @property
    def space_px(self) -> float:
        """Return the gap of two words: wide, so that a pill touches neither."""
        return self.font_px * 0.34


def lay_out(
    width: int, height: int, *, with_avatar: bool = True, with_captions: bool = True
) -> Layout:
    """Place the parts: avatar above, loudness bars below it, captions lowest."""
    unit = min(width, height)
    vertical = height / width > _VERTICAL
    top, bottom, side = (0.08, 0.205, 0.10) if vertical else (0.06, 0.06, 0.08)
    font = round(unit * (0.068 if with_avatar else 0.086))
    lines = 3 if vertical or not with_avatar else 2
    room = round(font * (1.36 * lines + 0.7)) if with_captions else 2
    text_width = min(round(width * (1 - 2 * side)), round(unit * 1.25))
    caption_bottom = height * (1 - bottom)
    meter_height = unit * 0.075
    if with_avatar:
        head_room = caption_bottom - room - meter_height * 1.7 - height * top
        side_px = min(unit * 0.74, head_room)
        # What is left over is shared, so that the group stands in the middle.
        spare = (head_room - side_px) / 2
        avatar_y = height * top + spare
        meter_y = avatar_y + side_px + meter_height * 0.3
        captions_y = caption_bottom - room - spare * 0.55
    else:
        side_px = 0
        avatar_y = 0
        captions_y = (height - room) / 2 if vertical else height * 0.46 - room / 2
        meter_y = captions_y + room + meter_height
    wide = min(text_width + font * 1.2, width)
    meter_width = unit * 0.44
    return Layout(
        width=width,
        height=height,
        avatar=_even((width - side_px) / 2, avatar_y, side_px, side_px),
        meter=_even((width - meter_width) / 2, meter_y, meter_width, meter_height),
        captions=_even((width - wide) / 2, captions_y, wide, room),
        badge_at=(round(width * side * 0.55), round(height * top * 0.6)),
        font_px=font,
        max_lines=lines,
        text_width=text_width,
    )


def _even(x: float, y: float, width: float, height: float) -> Box:
    return Box(*(round(value / 2) * 2 for value in (x, y, width, height)))

"""Pictures as H.264 keeps them: a plane of light and two small ones of colour.

A scene is turned into planes once; what moves is patched into them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    Plane = NDArray[np.uint8]

# ITU-R BT.709, studio range: Y 16..235, Cb and Cr 16..240
_RED, _BLUE = 0.2126, 0.0722
_GREEN = 1 - _RED - _BLUE
_LUMA = np.array([_RED, _GREEN, _BLUE], np.float32) * (219 / 255)
_CB = np.array([-_RED, -_GREEN, 1 - _BLUE], np.float32) * (224 / 255 / 2 / (1 - _BLUE))
_CR = np.array([1 - _RED, -_GREEN, -_BLUE], np.float32) * (224 / 255 / 2 / (1 - _RED))
_STRIP = 128  # rows at a time: the floats of a whole picture would be 25 MB


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A rectangle of a picture; its place and size are even.

    Attributes:
        x: Left edge in the whole picture.
        y: Upper edge.
        planes: Y, and U and V of half the size.
    """

    x: int
    y: int
    planes: tuple[Plane, Plane, Plane]

    def put_on(self, frame: tuple[Plane, Plane, Plane]) -> None:
        """Copy the patch into the planes of a whole picture."""
        for plane, part, shift in zip(frame, self.planes, (0, 1, 1), strict=True):
            height, width = part.shape
            x, y = self.x >> shift, self.y >> shift
            plane[y : y + height, x : x + width] = part


def to_patch(image: Image.Image, x: int = 0, y: int = 0) -> Patch:
    """Turn an RGB image into a patch; each 2x2 pixels share their mean colour."""
    rgb = np.asarray(image)
    height, width = rgb.shape[:2]
    luma = np.empty((height, width), np.uint8)
    blue = np.empty((height // 2, width // 2), np.uint8)
    red = np.empty_like(blue)
    for top in range(0, height, _STRIP):
        strip = rgb[top : top + _STRIP].astype(np.float32)
        rows = len(strip)
        luma[top : top + rows] = strip @ _LUMA + np.float32(16.5)
        mean = strip.reshape(rows // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
        half = slice(top // 2, (top + rows) // 2)
        blue[half] = mean @ _CB + np.float32(128.5)
        red[half] = mean @ _CR + np.float32(128.5)
    return Patch(x, y, (luma, blue, red))

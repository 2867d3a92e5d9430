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

# ITU-R BT.709, studio range: Y 16..235, Cb and Cr 16..240. Pillow's matrices.
_R, _B = 0.2126, 0.0722
_G = 1 - _R - _B
_LUMA = (_R * 219 / 255, _G * 219 / 255, _B * 219 / 255, 16)
_IN_BLUE, _IN_RED = 112 / 255 / (1 - _B), 112 / 255 / (1 - _R)
_CB = (-_R * _IN_BLUE, -_G * _IN_BLUE, 112 / 255, 128)
_CR = (112 / 255, -_G * _IN_RED, -_B * _IN_RED, 128)


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
    small = image.reduce(2)
    luma, blue, red = (
        np.asarray(source.convert("L", matrix))
        for source, matrix in ((image, _LUMA), (small, _CB), (small, _CR))
    )
    return Patch(x, y, (luma, blue, red))

"""How loud a sound is, by ITU-R BS.1770-4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENT_LUFS = -70.0
_SHELF_HZ, _SHELF_Q, _SHELF_GAIN = 1681.97, 0.70718, 1.58486  # 4 dB
_PASS_HZ, _PASS_Q = 38.1355, 0.50033
_OFFSET = -0.691


def loudness_lufs(samples: NDArray[np.float32], rate: int, channels: int) -> float:
    """Return the integrated loudness of a voice; −70 for silence.

    Args:
        samples: Mono, or the mean of channels that are the same.
        rate: Samples a second.
        channels: They are heard together, so two are 3 LU louder than one.
    """
    size = rate // 10
    parts = samples[: len(samples) // size * size].reshape(-1, size)
    if len(parts) < 4:  # noqa: PLR2004 - a block is 400 ms
        return SILENT_LUFS
    # The standard's filters weigh frequencies, so the spectrum is all that is needed.
    weight = _weight(np.arange(size // 2 + 1) * rate / size) * 2 / size**2 * channels
    power = np.array([np.abs(np.fft.rfft(part)) ** 2 @ weight for part in parts])
    blocks = np.convolve(power, np.full(4, 0.25), "valid")
    gate = 10 ** ((SILENT_LUFS - _OFFSET) / 10)
    for _gate in ("absolute", "relative"):
        blocks = blocks[blocks > gate]
        if not len(blocks):
            return SILENT_LUFS
        gate = blocks.mean() / 10  # 10 LU below the mean
    blocks = blocks[blocks > gate]
    return float(_OFFSET + 10 * np.log10(blocks.mean()))


def _weight(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the power of each frequency counts."""
    s = 1j * hz / _SHELF_HZ
    middle = _SHELF_GAIN**0.49967
    shelf = (_SHELF_GAIN * s**2 + middle * s / _SHELF_Q + 1) / (s**2 + s / _SHELF_Q + 1)
    s = 1j * hz / _PASS_HZ
    high = s**2 / (s**2 + s / _PASS_Q + 1)
    weight: NDArray[np.float64] = np.abs(shelf * high) ** 2
    return weight

"""Another canvas: which part of a film is kept, and how large it gets."""

from __future__ import annotations

Crop = tuple[int, int, int, int]  # left, top, width, height; all even


def crop_to(
    size: tuple[int, int], ratio: str, focus: tuple[float, float] = (0.5, 0.5)
) -> tuple[Crop | None, tuple[int, int]]:
    """Return the part of a picture that fills another canvas, and its new size.

    Args:
        size: Width and height of the film.
        ratio: The canvas, such as ``9:16``.
        focus: What stays in sight, from left and top, 0 to 1.

    Returns:
        The part, None if the film has that shape already; the short side keeps its
        length.
    """
    width, height = size
    across, down = (int(part) for part in ratio.split(":"))
    if abs(width * down - height * across) <= 2 * max(across, down):
        return None, size
    kept = (
        _even(min(width, height * across / down)),
        _even(min(height, width * down / across)),
    )
    left, top = (
        _even(min(max(whole * at - part / 2, 0), whole - part))
        for whole, part, at in zip(size, kept, focus, strict=True)
    )
    scale = min(size) / min(across, down)
    return (left, top, *kept), (_even(across * scale), _even(down * scale))


def _even(value: float) -> int:
    return round(value / 2) * 2

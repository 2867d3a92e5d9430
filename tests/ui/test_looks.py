"""What can be read: the contrast of every pair of colours, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import heygen_nb

CSS = (Path(heygen_nb.__file__).parent / "ui" / "studio.css").read_text("utf-8")
LEAST = 4.5  # WCAG 2, AA
# JupyterLab's own values for the variables that ours stand on; its text lets the
# ground shine through
LAB = {
    "light": {"ink": "#000000", "bg": "#ffffff", "panel": "#eeeeee"},
    "dark": {"ink": "#ffffff", "bg": "#212121", "panel": "#424242"},
}
TEXT = 0.87
PAIRS = [
    *((name, ground) for name in ("text", "dim") for ground in ("bg", "panel", "chip")),
    *((name, "bg") for name in ("ok", "warn", "bad", "brand")),
    *((name, "panel") for name in ("ok", "warn", "bad")),
    ("warn", "chip"),
    ("on-brand", "brand"),
]


def colours(theme: str) -> dict[str, tuple[float, ...]]:
    """Return the colours of a theme as they are seen."""
    light, _, dark = CSS.partition("body[data-jp-theme-light=false] .hg{")
    found = dict(re.findall(r"--([\w-]+):(#\w+)", light))
    if theme == "dark":
        found |= dict(re.findall(r"--([\w-]+):(#\w+)", dark.partition("}")[0]))
    seen = {name: rgb(value) for name, value in (found | LAB[theme]).items()}
    seen["chip"] = mixed(seen["brand"], seen["bg"], share("chip"))
    return seen


def share(name: str) -> float:
    """Return how much of a colour is mixed into another one."""
    return int(re.search(rf"--{name}:color-mix\(.*?(\d+)%", CSS)[1]) / 100


def mixed(
    over: tuple[float, ...], under: tuple[float, ...], part: float
) -> tuple[float, ...]:
    pairs = zip(over, under, strict=True)
    return tuple(part * one + (1 - part) * other for one, other in pairs)


def rgb(value: str) -> tuple[float, ...]:
    value = value.removeprefix("#")
    value = "".join(2 * digit for digit in value) if len(value) == 3 else value
    return tuple(int(value[at : at + 2], 16) / 255 for at in (0, 2, 4))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    def luminance(colour: tuple[float, ...]) -> float:
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in colour
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(theme):
    seen, alpha = colours(theme), {"text": TEXT, "dim": TEXT * share("dim")}
    found = {}
    for name, ground in PAIRS:
        under = seen[ground]
        over = mixed(seen["ink"], under, alpha[name]) if name in alpha else seen[name]
        found[f"{name} on {ground}"] = round(contrast(over, under), 2)

    assert {pair: ratio for pair, ratio in found.items() if ratio < LEAST} == {}

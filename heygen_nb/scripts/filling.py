"""Chance by a seed, and filling a text up to a length."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from heygen_nb.scripts.order import Measure

_MARK = re.compile("\ue000(\\d+)\ue001")  # private signs: nobody types them
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_NEAR = 0.02  # share of the length at which looking for better stops


class Pool:
    """What a format may call: ``pick`` and ``more``.

    Args:
        seed: The same seed makes the same choices.
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - variety, not security
        self._optional: list[str] = []

    def functions(self) -> dict[str, Callable[..., str]]:
        """Return what a template is given."""
        return {"pick": self.pick, "more": self.more}

    def pick(self, *choices: str) -> str:
        """Return one of the choices."""
        if not choices:
            raise ValueError("pick() needs something to choose from")
        return str(self._random.choice(choices))

    def more(self, *choices: str) -> str:
        """Hold a place for one of the choices, to be said if there is time."""
        self._optional.append(self.pick(*choices))
        return f"\ue000{len(self._optional) - 1}\ue001"

    def fill(self, text: str, target_s: float, measure: Measure) -> str:
        """Return the text with so many optional sentences that it fits a length."""
        order = list(range(len(self._optional)))
        best = self._with(text, ())
        miss = abs(measure(best) - target_s)
        for _round in range(4):  # another order may come nearer
            self._random.shuffle(order)
            chosen: set[int] = set()
            for number in order:
                tried = self._with(text, {*chosen, number})
                over = measure(tried) - target_s
                if abs(over) < miss:
                    best, miss = tried, abs(over)
                if over <= 0:
                    chosen.add(number)
            if miss <= _NEAR * target_s:
                break
        return best

    def _with(self, text: str, chosen: Iterable[int]) -> str:
        kept = {str(number): self._optional[number] for number in chosen}
        return tidy(_MARK.sub(lambda mark: kept.get(mark[1], ""), text))


def tidy(text: str) -> str:
    """Return paragraphs on a line each, with single spaces."""
    paragraphs = re.split(r"\n\s*\n", _PRIVATE.sub("", text))
    return "\n".join(filter(None, (" ".join(p.split()) for p in paragraphs)))


def tidy_lines(text: str) -> str:
    """Return lines without spaces at their ends."""
    return "\n".join(line.strip() for line in text.strip().splitlines())

"""What all pages share: how wide a phone shows them, what is on one, where curves run, how long a line of text is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from textwrap import wrap

from bot.pictures.marks import Drawn, Point

WIDTH = 360
MARGIN = 24
BLUE, PALE, ORANGE = "#1f5fa8", "#cfe0f3", "#d9730d"
_LETTER = 0.54
"""Of the size of the letters: how wide one is on average, generously."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is drawn of a page."""

    height: int
    marks: tuple[Drawn, ...]
    width: int = WIDTH


def around(x: float, y: float, radius: float, turn: float) -> Point:
    """The point of a circle after a part of a turn clockwise from the top."""
    angle = 2 * math.pi * turn
    return x + radius * math.sin(angle), y - radius * math.cos(angle)


def arc(  # noqa: PLR0913 - a curve
    x: float, y: float, radius: float, first: float, last: float, squeezed: float = 1.0
) -> tuple[Point, ...]:
    """Points along a circle between two parts of a turn; `squeezed` makes it that much lower."""
    steps = max(2, round(48 * abs(last - first)))
    points = (around(0, 0, radius, first + (last - first) * step / steps) for step in range(steps + 1))
    return tuple((x + right, y + down * squeezed) for right, down in points)


def wrapped(text: str, width: float, size: int) -> list[str]:
    """The text in lines of that width in letters of that size."""
    return wrap(text, max(8, int(width / (size * _LETTER)))) or [""]

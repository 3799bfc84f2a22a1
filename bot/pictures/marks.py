"""What a picture is made of. Laid out once, in units of which a phone shows about 360; how it is drawn is `svg` and
`png`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

INK, FAINT, GROUND = "#1f2933", "#d5dbe1", "#ffffff"
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; `title` is what it stands for."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points, with round ends."""

    points: tuple[Point, ...]
    colour: str = INK
    width: float = 2


@dataclass(frozen=True, slots=True)
class Area:
    """What a line through points encloses, filled."""

    points: tuple[Point, ...]
    colour: str


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle; `edge` is the colour of the line around it, none where it is empty."""

    x: float
    y: float
    radius: float
    colour: str
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text on its base line; `anchor` is which part of it stands at `x`. The words in `bold` are thick."""

    x: float
    y: float
    text: str
    colour: str = INK
    anchor: Anchor = "start"
    size: int = 15
    bold: frozenset[str] = frozenset()

    def runs(self) -> Iterator[tuple[str, bool]]:
        """The text in pieces, each with whether it is thick."""
        for place, word in enumerate(self.text.split(" ")):
            yield (" " if place else "") + word, word.strip(".,:;!?").lower() in self.bold


Drawn = Box | Stroke | Area | Disc | Label


@dataclass(frozen=True, slots=True)
class Picture:
    """Marks, in the order in which they are drawn, and the same in words."""

    width: int
    height: int
    marks: tuple[Drawn, ...]
    alt: str


def frame(  # noqa: PLR0913 - a rectangle and its line
    x: float, y: float, width: float, height: float, colour: str = INK, line: float = 2
) -> Stroke:
    """The outline of a rectangle."""
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y))
    return Stroke(corners, colour, line)

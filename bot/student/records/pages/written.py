"""Pages that are read: what a child wrote, a page of a fact book, a map with its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from bot.student.records.pages.bounds import LONGEST_LINE, Line, Mark, Name, counted, listed
from bot.student.records.reading import Expected, Whole

COLUMNS = "ABCDEF"
ROWS = 4
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Writing:
    """A sheet with what a child wrote; a line in brackets says what else is to be seen."""

    kind: ClassVar[str] = "writing"
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MOST_LINES)]

    @classmethod
    def of(cls, text: str) -> Self:
        """A sheet with that text on it, as much of it as there is room for."""
        clean = ("".join(each if each.isprintable() else " " for each in line) for line in text.splitlines())
        lines = [piece for line in clean for piece in wrap(line, LONGEST_LINE)]
        return cls(tuple(lines[:MOST_LINES]))

    @property
    def told(self) -> str:
        """The page in words."""
        return f"A sheet of paper in a child's hand: {' / '.join(self.lines)}"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: Name
    text: Line


@dataclass(frozen=True, slots=True)
class FactPage:
    """A page of a fact book. `photo` is what its photo shows, `bold` are words printed thick wherever they stand."""

    kind: ClassVar[str] = "fact-page"
    title: Name
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=3)]
    photo: Name
    caption: Line
    number: Mark
    bold: tuple[Name, ...] = ()
    glossary: Annotated[dict[Name, Line], Field(max_length=2)] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The page in words."""
        parts = [f"A page of a fact book, “{self.title}”."]
        parts += [f"Heading “{each.heading}”: {each.text}" for each in self.sections]
        parts.append(f"Photo of {self.photo}, with the caption: {self.caption}")
        if self.bold:
            parts.append(f"In bold: {listed(self.bold)}.")
        parts += [f"Glossary: {word}: {means}." for word, means in self.glossary.items()]
        return " ".join((*parts, f"Page number {self.number}."))


Colour = Literal["red", "blue", "green", "brown", "black"]
Shape = Literal["dot", "star", "square", "triangle", "line"]


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of the key, and what it stands for."""

    means: Name
    shape: Shape
    colour: Colour = "black"

    @property
    def look(self) -> str:
        """The sign in words."""
        return f"{self.colour} {self.shape}"


Column = Annotated[Literal["A", "B", "C", "D", "E", "F"], Expected("a letter from A to F")]
Row = Annotated[Whole, Field(ge=1, le=ROWS), Expected("a whole number from 1 to 4")]
Square = tuple[Column, Row]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a sign stands on the map; a line goes on to `to`."""

    sign: Name
    at: Square
    to: Square | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """A map of six columns and four rows, north at the top, with a key."""

    kind: ClassVar[str] = "map"
    title: Name
    signs: Annotated[tuple[Sign, ...], Field(min_length=1, max_length=5)]
    spots: Annotated[tuple[Spot, ...], Field(min_length=1, max_length=16)]

    @property
    def key(self) -> dict[str, Sign]:
        """The signs by what they stand for."""
        return {each.means: each for each in self.signs}

    def __post_init__(self) -> None:
        """Every sign is explained, and only lines go somewhere."""
        for spot in self.spots:
            if spot.sign not in self.key:
                raise ValueError(f"spots: {spot.sign!r} is not in the key: {', '.join(self.key)}")
            if (self.key[spot.sign].shape == "line") != (spot.to is not None):
                raise ValueError(f"spots: {spot.sign!r}: a line has a `to`, and nothing else has")

    @property
    def told(self) -> str:
        """The page in words."""
        key = listed(f"a {each.look} for {each.means}" for each in self.signs)
        there = [
            f"{counted(len(found), each.shape + 's')} for {each.means} {listed(map(_where, found))}"
            for each in self.signs
            if (found := [spot for spot in self.spots if spot.sign == each.means])
        ]
        return (
            f"A map, “{self.title}”, with columns A to F and rows 1 to {ROWS}, north at the top. The key: {key}. "
            f"On the map: {listed(there)}."
        )


def _where(spot: Spot) -> str:
    at = "{}{}".format(*spot.at)
    return f"from {at} to {'{}{}'.format(*spot.to)}" if spot.to else f"in {at}"

"""Pages on which something is measured: a clock, things along a ruler, hops on a number line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bot.student.records.pages.bounds import Few, Mark, Name, Some, listed
from bot.student.records.reading import Expected, Whole

HALF = 30
MOST_TICKS = 13
Minute = Annotated[
    Whole, Field(ge=0, le=55, multiple_of=5), Expected("a whole number from 0 to 55, by fives")
]


@dataclass(frozen=True, slots=True)
class Clock:
    """A round clock with hands. What is told is where the hands are, not the time: that is for the reader to find."""

    kind: ClassVar[str] = "clock"
    hour: Some
    minute: Minute

    @property
    def told(self) -> str:
        """The page in words."""
        after = self.hour % 12 + 1
        short = f"on {self.hour}"
        if self.minute:
            near = f", closer to {self.hour if self.minute < HALF else after}"
            short = f"between {self.hour} and {after}{near if self.minute != HALF else ', in the middle'}"
        return (
            "A round clock with the numbers 1 to 12 and a small mark for each minute. "
            f"The short hand is {short}. The long hand is on {self.minute // 5 or 12}."
        )


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that lies along a ruler."""

    name: Name
    start: Few
    end: Few

    def __post_init__(self) -> None:
        """Nothing is shorter than nothing."""
        if self.end <= self.start:
            raise ValueError(f"end: expected more than the start, {self.start}, got {self.end}")


@dataclass(frozen=True, slots=True)
class Ruler:
    """One to three things along a ruler of 12."""

    kind: ClassVar[str] = "ruler"
    last: ClassVar[int] = 12
    unit: Literal["inches", "centimeters"]
    things: Annotated[tuple[Thing, ...], Field(min_length=1, max_length=3)]

    @property
    def told(self) -> str:
        """The page in words."""
        lie = listed(f"a {each.name} from {each.start} to {each.end}" for each in self.things)
        return f"A ruler in {self.unit}, with the numbers 0 to {self.last}. Above it: {lie}."


@dataclass(frozen=True, slots=True)
class NumberLine:
    """A number line with evenly spaced numbers; `path` is where hops start and land, in order."""

    kind: ClassVar[str] = "number-line"
    start: Mark
    end: Mark
    step: Annotated[Whole, Field(ge=1, le=100), Expected("a whole number from 1 to 100")] = 1
    path: Annotated[tuple[Mark, ...], Field(max_length=MOST_TICKS)] = ()

    def __post_init__(self) -> None:
        """It has an end, not too many numbers, and no hop leaves it."""
        if self.end <= self.start or (self.end - self.start) % self.step:
            raise ValueError(f"end: expected {self.start} and some steps of {self.step}, got {self.end}")
        if len(self.numbers) > MOST_TICKS:
            raise ValueError(f"step: expected at most {MOST_TICKS} numbers, got {len(self.numbers)}")
        if any(each not in self.numbers for each in self.path) or len(self.path) == 1:
            raise ValueError("path: expected two or more numbers of the line")
        if any(one == other for one, other in pairwise(self.path)):
            raise ValueError("path: expected every hop to go to another number")

    @property
    def numbers(self) -> range:
        """What stands under the line."""
        return range(self.start, self.end + 1, self.step)

    @property
    def told(self) -> str:
        """The page in words."""
        line = f"A number line with the numbers {', '.join(map(str, self.numbers))}."
        if not self.path:
            return line
        hops = ", ".join(f"from {one} to {other}" for one, other in pairwise(self.path))
        return f"{line} Arcs show hops {hops}."

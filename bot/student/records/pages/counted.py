"""Pages on which something is counted or shared: a bar graph, a line plot, an array, cut shapes, coins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bot.student.records.pages.bounds import Few, Name, Some, Unit, counted, listed
from bot.student.records.reading import Expected, Whole

MOST_COINS = 10
MOST_STACKED = 6


@dataclass(frozen=True, slots=True)
class BarGraph:
    """Bars from a common line up, each with its name; `counts` says of what."""

    kind: ClassVar[str] = "bar-graph"
    title: Name
    counts: Unit
    bars: Annotated[dict[Name, Few], Field(min_length=2, max_length=5)]

    @property
    def top(self) -> int:
        """The highest number at the side."""
        return max(max(self.bars.values()) + 1, 5)

    @property
    def told(self) -> str:
        """The page in words."""
        bars = listed(f"{name} {count}" for name, count in self.bars.items())
        return f"A bar graph, “{self.title}”. The side counts {self.counts}, from 0 to {self.top}. The bars: {bars}."


Length = Annotated[Whole, Field(ge=0, le=100), Expected("a whole number from 0 to 100")]


@dataclass(frozen=True, slots=True)
class LinePlot:
    """An X above a number for each thing that is so long."""

    kind: ClassVar[str] = "line-plot"
    title: Name
    unit: Literal["inches", "centimeters", "feet"]
    start: Length
    end: Length
    lengths: Annotated[tuple[Length, ...], Field(min_length=1, max_length=30)]

    def __post_init__(self) -> None:
        """Every X has a number below it, and room above the line."""
        if not self.start < self.end <= self.start + 9:
            raise ValueError(f"end: expected {self.start + 1} to {self.start + 9}, got {self.end}")
        for each in self.lengths:
            if not self.start <= each <= self.end:
                raise ValueError(f"lengths: expected {self.start} to {self.end}, got {each}")
            if self.lengths.count(each) > MOST_STACKED:
                raise ValueError(f"lengths: expected {each} at most {MOST_STACKED} times")

    @property
    def stacks(self) -> dict[int, int]:
        """How many Xs stand above each number."""
        return {number: self.lengths.count(number) for number in range(self.start, self.end + 1)}

    @property
    def told(self) -> str:
        """The page in words."""
        stacks = listed(
            f"{counted(count, 'Xs') if count else 'no X'} above {number}"
            for number, count in self.stacks.items()
        )
        return f"A line plot, “{self.title}”, in {self.unit}: {stacks}."


@dataclass(frozen=True, slots=True)
class Array:
    """Equal rows, of dots or of squares that fill a rectangle."""

    kind: ClassVar[str] = "array"
    rows: Annotated[Whole, Field(ge=1, le=6), Expected("a whole number from 1 to 6")]
    columns: Annotated[Whole, Field(ge=1, le=8), Expected("a whole number from 1 to 8")]
    of: Literal["dots", "squares"] = "dots"

    @property
    def told(self) -> str:
        """The page in words."""
        what = "An array of dots" if self.of == "dots" else "A rectangle of squares without gaps"
        return f"{what}: {counted(self.rows, 'rows')} and {counted(self.columns, 'columns')}."


@dataclass(frozen=True, slots=True)
class Share:
    """A shape that is cut into parts; `parts` says how big each is beside the others, `shaded` how many are dark, from
    the left or from the top round."""

    name: Name
    shape: Literal["rectangle", "circle"]
    parts: Annotated[tuple[Some, ...], Field(min_length=1, max_length=8)]
    shaded: Few = 0

    def __post_init__(self) -> None:
        """No more is shaded than there is."""
        if self.shaded > len(self.parts):
            raise ValueError(f"shaded: expected 0 to {len(self.parts)}, got {self.shaded}")

    @property
    def told(self) -> str:
        """The shape in words."""
        whole, even = sum(self.parts), len(set(self.parts)) == 1
        sizes = "of the same size" if even else f"of sizes {listed(map(str, self.parts))}"
        cut = (
            "not cut"
            if len(self.parts) == 1
            else f"cut into {len(self.parts)} parts {sizes}" + ("" if even else f" (together {whole})")
        )
        return f"{self.name} is a {self.shape} {cut}, {self.shaded} of them shaded"


@dataclass(frozen=True, slots=True)
class Shares:
    """One to three shapes of the same size, beside each other."""

    kind: ClassVar[str] = "shares"
    shapes: Annotated[tuple[Share, ...], Field(min_length=1, max_length=3)]

    @property
    def told(self) -> str:
        """The page in words."""
        several = f"{len(self.shapes)} shapes. " if len(self.shapes) > 1 else ""
        return f"{several}{'. '.join(each.told for each in self.shapes)}."


@dataclass(frozen=True, slots=True)
class Coins:
    """Coins in their real sizes beside each other, the names on them."""

    kind: ClassVar[str] = "coins"
    quarters: Few = 0
    dimes: Few = 0
    nickels: Few = 0
    pennies: Few = 0

    def __post_init__(self) -> None:
        """There are some, and not too many to draw."""
        if not 1 <= sum(self.counts.values()) <= MOST_COINS:
            raise ValueError(f"expected 1 to {MOST_COINS} coins, got {sum(self.counts.values())}")

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {
            "quarters": self.quarters,
            "dimes": self.dimes,
            "nickels": self.nickels,
            "pennies": self.pennies,
        }

    @property
    def told(self) -> str:
        """The page in words."""
        there = listed(counted(count, name) for name, count in self.counts.items() if count)
        return f"Coins, each with its name on it: {there}."

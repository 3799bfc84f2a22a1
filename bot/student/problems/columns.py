"""Numbers by their columns: digits from the ones on, and what a child calls so many of a place."""

from __future__ import annotations

from collections.abc import Sequence

FACTS = 20
"""Sums and differences up to here are known or counted, not worked out with tens (CCSS 2.OA.B.2)."""
_PLACES = {100: "hundred", 10: "ten", 1: "one"}


def columns(number: int, width: int) -> list[int]:
    """The digits from the ones on, with zeros up to `width`."""
    return [number // 10**place % 10 for place in range(width)]


def from_columns(digits: Sequence[int]) -> int:
    """The number that these columns make, the ones first."""
    return sum(digit * 10**place for place, digit in enumerate(digits))


def of_place(count: int, unit: int) -> str:
    """So many of a place: 3 of 10 are "3 tens", 1 is "1 ten"."""
    return f"{count} {_PLACES[unit]}{'' if count == 1 else 's'}"

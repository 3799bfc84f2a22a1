"""The problem that a teacher's turn asks."""

from __future__ import annotations

import re

from bot.student.problems import kinds, solving, sums
from bot.student.problems.asking import Asking, askings, sentences
from bot.student.problems.kind import Problem, Reading
from bot.student.said import Said

TOP = 1_000
"""The largest number of second grade (CCSS 2.NBT.A)."""
_AMOUNT = re.compile(r"-?\d+")


def parse(said: Said) -> Problem | None:
    """The problem that a teacher's turn asks, the last one if it asks several; None if it asks none.

    Never raises. A problem that second grade does not teach is of kind `beyond` with the right answer "".
    """
    readers = dict.fromkeys(kind.read for kind in kinds.KINDS)
    readings = (read(asking) for asking in askings(said) for read in readers)
    found = next((reading for reading in readings if reading), None)
    return None if found is None else _checked(found, said.text)


def explained(said: Said) -> Problem | None:
    """The sum that a how or why is about, such as "explain 48 - 15 to me"; None if no sum stands in it."""
    readings = (sums.read(Asking(each, each)) for each in reversed(sentences(said)))
    found = next((reading for reading in readings if reading), None)
    return None if found is None else _checked(found, said.text)


def _checked(found: Reading, text: str) -> Problem:
    """The problem found, or `beyond` where its numbers leave second grade."""
    if all(abs(number) <= TOP for number in found.numbers):
        right = solving.kind(found.kind).right(found.numbers)
        if all(0 <= int(amount) <= TOP for amount in _AMOUNT.findall(right)):
            return Problem(found.kind, found.numbers, right if found.right is None else found.right, text)
    return Problem("beyond", found.numbers, "", text)

"""Lengths on a ruler, from a mark to a mark; how much longer, and how many more on a graph, told as a story."""

from __future__ import annotations

import re

from bot.student.problems import stories
from bot.student.problems.asking import Asking
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

_MARKS = re.compile(
    r"\b(?:from|(?:starts?|begins?) on|between|at) (?:the )?(\d+)\D{0,40}?"
    r"\b(?:to|until|(?:ends?|stops?) (?:at|on)|and) (?:the )?(\d+)"
)
_ASKS_LENGTH = re.compile(r"how (?:long|many (?:inch|cm|centi|unit))|length|measure")
_OF_LENGTH = re.compile(r"ruler|inch|cent|\bcm\b|mark|long")


def _read_marks(asking: Asking) -> Reading | None:
    marks = _MARKS.search(asking.scope)
    if (
        marks is None
        or len(asking.numbers) != 2
        or not _ASKS_LENGTH.search(asking.ask)
        or not _OF_LENGTH.search(asking.scope)
    ):
        return None
    return Reading("ruler", (int(marks[1]), int(marks[2])))


def _explain_spaces(problem: Problem) -> tuple[str, ...]:
    start, end = problem.numbers
    return (f"i counted the spaces from {start} to {end}", f"there's {end - start}")


def _ruler_end_reading(problem: Problem) -> BuggyAnswer | None:
    """The length is the number at the end: from 1 to 5 is 5 (Solomon et al. 2015; Kwon et al. 2024)."""
    end = problem.numbers[1]
    return BuggyAnswer.of(end, "i looked where it stops", f"it stops at the {end}")


def _counts_ticks(problem: Problem) -> BuggyAnswer | None:
    """The marks are counted with the one at the start, not the spaces (Solomon et al. 2015; Lehrer 2003)."""
    start, end = problem.numbers
    if end <= start:
        return None
    ticks = end - start + 1
    return BuggyAnswer.of(
        ticks, "i counted the lines", f"from the {start} to the {end} there's {ticks} lines"
    )


RULER = Kind(
    "ruler",
    read=_read_marks,
    right=lambda numbers: str(numbers[1] - numbers[0]),
    explain=_explain_spaces,
    bugs=(Bug("ruler-end-reading", _ruler_end_reading), Bug("counts-ticks", _counts_ticks)),
)
"""Numbers: start, end."""


def _right_apart(numbers: tuple[int, ...]) -> str:
    return str(numbers[0] - numbers[1])


def _explain_apart(problem: Problem) -> tuple[str, ...]:
    a, b = problem.numbers
    return (f"i put {b} next to {a}", f"{a} take away {b} is {a - b}")


def _adds_to_compare(problem: Problem) -> BuggyAnswer | None:
    """How much longer, how many more: put both numbers together, 31 and 25 is 56 (practitioner literature)."""
    a, b = problem.numbers
    return BuggyAnswer.of(a + b, f"there's {a} and there's {b}", f"{a} and {b} is {a + b}")


def _tallest_bar(problem: Problem) -> BuggyAnswer | None:
    """How many more is how many the taller bar has: the data are read, not compared (Curcio 1987)."""
    tall = max(problem.numbers)
    return BuggyAnswer.of(tall, "i looked at the tall one", f"it goes up to {tall}")


def _answers_the_longer(problem: Problem) -> BuggyAnswer | None:
    """How much longer is how long the long one is (practitioner literature; compare Curcio 1987)."""
    long = problem.numbers[0]
    return BuggyAnswer.of(long, "i looked at the long one", f"it's {long}")


def _counts_the_start(problem: Problem) -> BuggyAnswer | None:
    """Counting from the short one up to the long one, the start is counted, too: 9 and 6 is 4 apart (Fuson 1992).
    Nobody counts that way over more than ten."""
    a, b = problem.numbers
    if a - b > 10:
        return None
    return BuggyAnswer.of(a - b + 1, f"i counted from {b} up to {a}", f"i said {a - b + 1} numbers")


_ADDS = Bug("adds-to-compare", _adds_to_compare)
COMPARE_LENGTHS = Kind(
    "compare-lengths",
    read=stories.read,
    right=_right_apart,
    explain=_explain_apart,
    bugs=(
        _ADDS,
        Bug("answers-the-longer", _answers_the_longer),
        Bug("counts-the-start", _counts_the_start),
    ),
)
"""Numbers: longer, shorter."""
BAR_GRAPH = Kind(
    "bar-graph",
    read=stories.read,
    right=_right_apart,
    explain=_explain_apart,
    bugs=(_ADDS, Bug("tallest-bar", _tallest_bar)),
)
"""Numbers: more, fewer."""

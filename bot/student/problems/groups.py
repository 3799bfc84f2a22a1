"""Equal groups: even or odd, rows and columns, up to what second grade adds up (CCSS 2.OA.C)."""

from __future__ import annotations

import re

from bot.student.problems.asking import Asking
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading


def _read_parity(asking: Asking) -> Reading | None:
    asked = asking.words & {"even", "odd"} and len(asking.numbers) == 1
    return Reading("even-odd", asking.numbers) if asked else None


def _parity(number: int) -> str:
    return "odd" if number % 2 else "even"


def _explain_twos(problem: Problem) -> tuple[str, ...]:
    number = problem.numbers[0]
    return (f"i put {number} in twos", "one is left over" if number % 2 else "nobody is left over")


def _even_by_first_digit(problem: Problem) -> BuggyAnswer | None:
    """The first digit decides: 14 is odd because 1 is odd (after Ball 1993; practitioner literature)."""
    first = int(str(problem.numbers[0])[0])
    return BuggyAnswer.of(_parity(first), f"it starts with {first}", f"{first} is {_parity(first)}")


EVEN_ODD = Kind(
    "even-odd",
    read=_read_parity,
    right=lambda numbers: _parity(numbers[0]),
    explain=_explain_twos,
    bugs=(Bug("even-by-first-digit", _even_by_first_digit),),
)
"""Numbers: the number."""

_NAMES = (
    r"(?:bags|boxes|plates|groups|teams|packs|baskets|cups|jars|tables|cars|bowls|nests|vases|"
    r"shelves|piles|sets|trays)"
)
_ROWS = re.compile(
    r"\b\d+ rows\b|\b\d+ (?:by|\*) \d+ array|\brow\b.*\bcolumns?\b"
    r"|\beach (?:\w+ )?(?:has|have|gets?|got) \d+|\d+ (?:\w+ )?(?:each|apiece)\b"
)
_GROUPS = re.compile(rf"\b\d+ {_NAMES}\b")
_EQUAL = re.compile(rf"\beach\b|\bevery\b|{_NAMES} (?:of|with)")
_ASKS_TOTAL = re.compile(r"how many|total|what")
_ANOTHER_STORY = re.compile(r"\bshar|split|divid|left|more\b|gave|away")


def _read_groups(asking: Asking) -> Reading | None:
    scope, numbers = asking.scope, asking.numbers
    if len(numbers) != 2 or not _ASKS_TOTAL.search(asking.ask) or _ANOTHER_STORY.search(scope):
        return None
    if not _ROWS.search(scope) and not (_GROUPS.search(scope) and _EQUAL.search(scope)):
        return None
    small, large = sorted(numbers)
    # Rows of up to five, or a count by twos, fives or tens (CCSS 2.OA.C.4, 2.NBT.A.2).
    inside = large <= 5 or (large <= 10 and {small, large} & {2, 5, 10})
    return Reading("array" if inside else "beyond", numbers)


def _explain_rows(problem: Problem) -> tuple[str, ...]:
    rows, wide = problem.numbers
    return (f"i counted by {wide}s", ", ".join(str(wide * row) for row in range(1, rows + 1)))


def _array_adds_sides(problem: Problem) -> BuggyAnswer | None:
    """Only the two sides are seen, and they are added: 3 rows of 4 is 3 + 4 (Battista et al. 1998; Outhred &
    Mitchelmore 2000)."""
    rows, wide = problem.numbers
    steps = (f"there's {rows} this way and {wide} that way", f"{rows} and {wide} is {rows + wide}")
    return BuggyAnswer.of(rows + wide, *steps)


def _edge_only(problem: Problem) -> BuggyAnswer | None:
    """Only the squares round the edge are counted: 3 rows of 4 is 10 (Battista et al. 1998; Outhred & Mitchelmore
    2000)."""
    rows, wide = problem.numbers
    if min(rows, wide) <= 2:
        return None
    edge = 2 * (rows + wide) - 4
    return BuggyAnswer.of(edge, "i counted all the way around", f"there's {edge} on the outside")


ARRAY = Kind(
    "array",
    read=_read_groups,
    right=lambda numbers: str(numbers[0] * numbers[1]),
    explain=_explain_rows,
    bugs=(Bug("array-adds-sides", _array_adds_sides), Bug("edge-only", _edge_only)),
)
"""Numbers: rows, in a row."""

"""Adding: known doubles, make ten, counting on, tens and ones (Carpenter & Moser 1984; Fuson 1992)."""

from __future__ import annotations

from bot.student.problems import hundreds, sums
from bot.student.problems.columns import FACTS, columns, from_columns
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem


def explain(*numbers: int) -> tuple[str, ...]:
    """A child's steps to the sum of two numbers or more."""
    if len(numbers) != 2:
        steps, total = [], numbers[0]
        for number in numbers[1:]:
            steps.append(f"{total} and {number} is {total + number}")
            total += number
        return tuple(steps[-4:])
    small, big = sorted(numbers)
    total = small + big
    if big <= 10:
        return _fact(small, big)
    if small == 10:
        return (f"{big} has {big // 10} tens", f"one more ten makes {total}")
    if small < 10:
        if big % 10 + small <= 10:
            return (f"{big % 10} and {small} is {big % 10 + small}", f"so it's {total}")
        to_ten = 10 - big % 10
        return (f"{big} and {to_ten} more is {big + to_ten}", f"then {small - to_ten} more is {total}")
    parts = []
    for place in (100, 10, 1):
        x, y = big // place % 10 * place, small // place % 10 * place
        if x or y:
            parts.append((x + y, f"{x} and {y} is {x + y}" if x and y else f"there's {x + y}"))
    sums_of_places = " and ".join(str(part) for part, _ in parts)
    return (*(step for _, step in parts), f"{sums_of_places} is {total}")


def _fact(small: int, big: int) -> tuple[str, ...]:
    total = small + big
    if small == big:
        return ("it's a double", f"{small} and {small} is {total}")
    if small == 0:
        return ("you don't add any", f"it's still {big}")
    if small <= 3:
        counted = ", ".join(str(big + turn) for turn in range(1, small + 1))
        return (f"i started at {big}", f"i counted {counted}")
    if 8 <= big < 10:
        return (f"{big} and {10 - big} more is 10", f"{total - 10} more is {total}")
    if big == small + 1:
        return (f"{small} and {small} is {2 * small}", f"one more is {total}")
    if big == 10:
        return (f"10 and {small} is {total}", "you just put the ten in front")
    return (f"i started at {big}", f"i counted {small} more and got {total}")


def _no_carry(problem: Problem) -> BuggyAnswer | None:
    """Every column's whole sum is written down: 38 + 25 is 513 (Fuson 1990; Fuson et al. 1997)."""
    found = _column_sums(problem.numbers)
    if found is None:
        return None
    answer = "".join(str(total) for _, total in reversed(found))
    return BuggyAnswer.of(answer, *(step for step, _ in found), f"so you write {answer}")


def _drops_carry(problem: Problem) -> BuggyAnswer | None:
    """Only the ones of a column's sum are written and the little 1 is forgotten: 38 + 25 is 53 (Fuson 1990)."""
    found = _column_sums(problem.numbers)
    if found is None:
        return None
    digits = [total % 10 for _, total in found[:-1]] + [found[-1][1]]
    steps = [f"{step} so i put the {total % 10}" if total > 9 else step for step, total in found[:-1]]
    return BuggyAnswer.of(from_columns(digits), *steps, found[-1][0])


def _column_sums(numbers: tuple[int, ...]) -> list[tuple[str, int]] | None:
    """For each column from the ones on: the child's words and the sum; None for facts and sums of three."""
    if len(numbers) != 2 or sum(numbers) <= FACTS:
        return None
    width = len(str(max(numbers)))
    pairs = zip(*(columns(number, width) for number in numbers), strict=True)
    shown = len(str(min(numbers)))
    return [
        (f"{x} and {y} is {x + y}" if place < shown else f"the {x + y} just comes down", x + y)
        for place, (x, y) in enumerate(pairs)
    ]


def _start_number_twice(problem: Problem) -> BuggyAnswer | None:
    """Counting on begins by saying the start number: 8 + 3 is 8, 9, 10 (Fuson 1992)."""
    if len(problem.numbers) != 2:
        return None
    small, big = sorted(problem.numbers)
    if small < 2 or small == big or small + big > FACTS:
        return None
    said = ", ".join(str(big + turn) for turn in range(small))
    steps = (f"i started on {big} and did {small} fingers", f"i went {said}")
    return BuggyAnswer.of(big + small - 1, *steps)


ADD = Kind(
    "add",
    read=sums.read,
    right=lambda numbers: str(sum(numbers)),
    explain=lambda problem: explain(*problem.numbers),
    bugs=(
        Bug("no-carry", _no_carry),
        Bug("drops-carry", _drops_carry),
        Bug("start-number-twice", _start_number_twice),
        sums.TEN_BY_ONES,
        *hundreds.ADDING,
    ),
)
"""Numbers: the addends."""

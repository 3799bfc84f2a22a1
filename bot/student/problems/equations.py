"""Equations with a blank: ? + 6 = 15, 8 + 4 = _ + 5."""

from __future__ import annotations

import re

from bot.student.problems import sums
from bot.student.problems.asking import Asking
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

# Bounded, and begun at no digit's middle: a page of digits must not hold everybody up.
_SIDE = r"(?<![\d_])((?:\d{1,9}|_)(?:\s*[-+]\s*(?:\d{1,9}|_)){0,8})"
_EQUATION = re.compile(rf"{_SIDE}\s*=\s*{_SIDE}")


def _read(asking: Asking) -> Reading | None:
    """The last equation with one blank."""
    for match in reversed(list(_EQUATION.finditer(asking.ask))):
        if match[0].count("_") == 1:
            return _with_blank(asking, *sorted(match.groups(), key=lambda side: "_" in side))
    return None


def _with_blank(asking: Asking, full: str, holed: str) -> Reading | None:
    known, holed_terms = tuple(map(int, sums.terms(full))), sums.terms(holed)
    hole = next(term for term in holed_terms if "_" in term)
    others = tuple(int(term) for term in holed_terms if "_" not in term)
    if not others:
        return sums.sum_of(known) if len(known) > 1 else None
    if len(others) == 1 and len(known) == 1:  # 15 - _ = 9: the blank is a part of 15
        return Reading("missing", known + others if "-" in hole else others + known)
    if len(others) == 1 and len(known) == 2 and "-" not in hole:
        return Reading("equation", known + others)
    return Reading("beyond", asking.numbers)


def _explain_missing(problem: Problem) -> tuple[str, ...]:
    part, total = problem.numbers
    if part < 0:
        return (f"{total} is left and {-part} went away", f"so before it was {total - part}")
    return (f"i thought {part} and how many more is {total}", f"{part} and {total - part} is {total}")


def _start_unknown_adds(problem: Problem) -> BuggyAnswer | None:
    """There is no first number to begin with, so the two that are there are added: ? + 6 = 15 is 21 (Carpenter
    & Moser 1984)."""
    part, total = problem.numbers
    if part < 0:
        return None
    more = f"{total} and {part} more is {part + total}"
    return BuggyAnswer.of(part + total, f"it says {part} and {total}", more)


MISSING = Kind(
    "missing",
    read=_read,
    right=lambda numbers: str(numbers[1] - numbers[0]),
    explain=_explain_missing,
    bugs=(Bug("start-unknown-adds", _start_unknown_adds),),
)
"""Numbers: part and whole, for ? + 6 = 15 (6, 15); the part is negative where it was taken away, for
? - 6 = 9 (-6, 9)."""


def _explain_equation(problem: Problem) -> tuple[str, ...]:
    a, b, d = problem.numbers
    return (sums.step(a, b), "the other side has to be the same", f"{sums.step(int(problem.right), d)} too")


def _equals_means_answer(problem: Problem) -> BuggyAnswer | None:
    """The equal sign says: now comes the answer; 8 + 4 = _ + 5 is 12 for 58 % (Falkner, Levi & Carpenter 1999)."""
    a, b, _ = problem.numbers
    return BuggyAnswer.of(a + b, sums.step(a, b), "the answer goes after the equals")


def _adds_all(problem: Problem) -> BuggyAnswer | None:
    """Every number in sight is added up; 8 + 4 = _ + 5 is 17 for 13 % (Falkner, Levi & Carpenter 1999)."""
    a, b, d = problem.numbers
    if min(b, d) < 0:
        return None
    return BuggyAnswer.of(a + b + d, sums.step(a, b), f"and {d} more is {a + b + d}")


EQUATION = Kind(
    "equation",
    read=_read,
    right=lambda numbers: str(numbers[0] + numbers[1] - numbers[2]),
    explain=_explain_equation,
    bugs=(Bug("equals-means-answer", _equals_means_answer), Bug("adds-all", _adds_all)),
)
"""Numbers: for 8 + 4 = _ + 5 (8, 4, 5); a number taken away is negative."""

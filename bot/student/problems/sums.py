"""Sums written with signs: their terms, what is asked by them, and the wrong idea that both signs share."""

from __future__ import annotations

import re

from bot.student.problems.asking import EXPRESSION, FILL, Asking, integers
from bot.student.problems.columns import FACTS
from bot.student.problems.kind import Bug, BuggyAnswer, Problem, Reading

_TERM = re.compile(r"[-+]?(?:\d+|_)")
_ABOUT_IT = re.compile(  # a question about the sum, not for its answer
    r"\bdo (?:you|we) (?:have|need) to\b|\bswitch|\bflip|\bsame answer|\bdigits?\b"
    r"|\bwhat (?:do|did|should) (?:you|we) do\b|\bwhere (?:do|does|should|did)\b"
)
_YES_OR_NO = re.compile(  # does 45 plus 17 get you back to 52?
    rf"(?:.*[,:;] )?{FILL}(?:is|are|was|does|did|isn't|doesn't|would|could|will)\b(?! you\b)"
)
_NO_SUM_BEFORE = re.compile(r"\b(?:pages?|problems?|questions?|numbers?|grades?|ages?) $")
_NO_SUM_BEHIND = re.compile(  # its answer, or what is counted
    r"\s*(?:=|is|makes|was|are|gives)\s*\$?\d| (?:minutes|times|sentences|pages|grade)"
)


def terms(side: str) -> list[str]:
    """The terms of one side of an equation with their signs: "12 - _" is 12, -_."""
    return _TERM.findall(side.replace(" ", ""))


def step(a: int, b: int) -> str:
    """One step in a child's words: "8 and 4 is 12"; where `b` is negative, "8 take away 4 is 4"."""
    return f"{a} and {b} is {a + b}" if b >= 0 else f"{a} take away {-b} is {a + b}"


def sum_of(numbers: tuple[int, ...]) -> Reading:
    """The problem that these terms make."""
    if min(numbers) >= 0:
        return Reading("add", numbers)
    if len(numbers) == 2:
        return Reading("subtract", (numbers[0], -numbers[1]))
    return Reading("two-step", numbers)


def read(asking: Asking) -> Reading | None:
    """The last sum written in the sentence that is not followed by its answer."""
    ask = asking.ask
    if _YES_OR_NO.match(ask) or _ABOUT_IT.search(ask):
        return None
    for match in reversed(list(EXPRESSION.finditer(ask))):
        if _NO_SUM_BEHIND.match(ask, match.end()) or _NO_SUM_BEFORE.search(ask, 0, match.start()):
            continue
        if set("*/.") & set(match[0]):
            return Reading("beyond", integers(match[0]))
        return sum_of(tuple(map(int, terms(match[0]))))
    return None


def _ten_by_ones(problem: Problem) -> BuggyAnswer | None:
    """Ten more is ten single counts, and the first one is said for the number itself: 46 + 10 is 55 (Fuson et
    al. 1997; Cobb & Wheatley 1988; one is lost as in Fuson 1992)."""
    if len(problem.numbers) != 2:
        return None
    a, b = problem.numbers
    if problem.kind == "add" and a == 10:
        a, b = b, a
    if b != 10 or a <= FACTS:
        return None
    way, word = (1, "more") if problem.kind == "add" else (-1, "back")
    answer = a + way * 9
    return BuggyAnswer.of(
        answer,
        f"i counted ten {word} on my fingers",
        f"{a}, {a + way}, {a + 2 * way} all the way to {answer}",
    )


TEN_BY_ONES = Bug("ten-by-ones", _ten_by_ones)

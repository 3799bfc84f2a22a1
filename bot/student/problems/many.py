"""Adding three or four two-digit numbers (CCSS 2.NBT.B.6): in signs, as a list, as a story, and what goes wrong.

It knows how two numbers are added only through `adding`; a sum or a story of three it reads as `sums` and `stories` do.
"""

from __future__ import annotations

import re

from bot.student.problems import adding, beyond, equations, stories, sums
from bot.student.problems.asking import Asking, integers
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

_FEWEST, _MOST = 3, 4
_AND = r"(?:,? and |, )"
_END = rf"(?!\d|[.:]\d|%| ?[-+*/=]|{_AND}\d)"
_RUN = re.compile(rf"(?<![\d.$:])\d\d(?:{_AND}\d\d){{2,3}}{_END}")
"""12, 23, 34 and 41."""
_ADD = re.compile(rf"\btry (\d\d \+ \d\d(?:{_AND}\d\d){{1,2}}){_END}")
"""Add 12 and 23 and 34: the first pair is already written with a sign."""
_TOGETHER = re.compile(r"\b(?:add|plus|sum|total|in all|altogether|together)\b")
_ASKS_AMOUNT = re.compile(r"\bhow (?:many|much)\b|\btotal\b")
_GOES = re.compile(
    r"\b(?:left|away|gives?|gave|los[et]s?|eats?|ate|uses?|used|sells?|sold|spends?|spent|more|fewer|less|than)\b"
)
"""A story with such a word may be no sum of four."""


def _read(asking: Asking) -> Reading | None:
    numbers = _addends(asking)
    fits = _FEWEST <= len(numbers) <= _MOST and all(10 <= number <= 99 for number in numbers)
    return Reading("add-many", numbers) if fits else None


def _addends(asking: Asking) -> tuple[int, ...]:
    """What is to be added, however many that are; nothing where something else is asked."""
    if beyond.is_taught_later(asking.ask):
        return ()
    together = _TOGETHER.search(asking.ask) and not _GOES.search(asking.scope)
    if together and (run := _RUN.search(asking.scope)):
        return integers(run[0])
    if added := _ADD.search(asking.ask):
        return integers(added[1])
    found = stories.read(asking) or equations.MISSING.read(asking) or sums.read(asking)
    if found is not None:
        return found.numbers if found.kind == "add" else ()
    four = together and len(asking.numbers) == _MOST and _ASKS_AMOUNT.search(asking.ask)
    return asking.numbers if four else ()


def _one_new_ten(problem: Problem) -> BuggyAnswer | None:
    """However many ones there are, one new ten is made of them: 28 + 37 + 19 is 74 (a guess from classroom
    experience, practitioner literature; compare Fuson 1990 on the little 1 as a mark)."""
    ones = [number % 10 for number in problem.numbers]
    tens = [number // 10 for number in problem.numbers]
    if sum(ones) < 20:
        return None
    return BuggyAnswer.of(
        10 * (sum(tens) + 1) + sum(ones) % 10,
        f"{_and(ones)} is {sum(ones)} so i put the {sum(ones) % 10}",
        "that makes a new ten",
        f"{_and(tens)} and 1 more is {sum(tens) + 1}",
    )


def _first_two_only(problem: Problem) -> BuggyAnswer | None:
    """Adding is for two numbers: the first two are added, the others stay out (a guess from classroom experience,
    practitioner literature; compare the second step that is left out of a story)."""
    first, second = problem.numbers[:2]
    return BuggyAnswer.of(first + second, "i added those two", f"{first} and {second} is {first + second}")


def _and(numbers: list[int]) -> str:
    return " and ".join(map(str, numbers))


ADD_MANY = Kind(
    "add-many",
    read=_read,
    right=lambda numbers: str(sum(numbers)),
    explain=lambda problem: adding.explain(*problem.numbers),
    bugs=(Bug("one-new-ten", _one_new_ten), Bug("first-two-only", _first_two_only)),
)
"""Numbers: the three or four addends, each from 10 to 99."""

"""Two numbers compared: which is bigger, which sign goes between them, is it so?"""

from __future__ import annotations

import re

from bot.student.problems.asking import Asking
from bot.student.problems.columns import of_place
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

_AMOUNTS = re.compile(
    r"how (?:much|many)|cents|\b(?:coins?|dimes?|nickels?|penny|pennies|quarters?)\b|graph|vote"
    r"|\d more(?! than)|\d\s*[-+*/]\s*\d"
)
_SIGN = re.compile(r"symbol|[<>]")
_BIG = r"(?:bigger|biggest|larger|largest|greater|greatest|more|most|(smaller|smallest|less|least|fewer))"
_SIZE = re.compile(rf"\b{_BIG}\b")
_IS_IT = re.compile(rf"\bis \d+ (?:a )?{_BIG} (?:number )?than \d+\b")


def _read(asking: Asking) -> Reading | None:
    ask, numbers = asking.ask, asking.numbers
    if len(numbers) != 2 or numbers[0] == numbers[1] or _AMOUNTS.search(asking.scope):
        return None
    first, second = numbers
    if _SIGN.search(ask):
        return Reading("compare-numbers", numbers, "<" if first < second else ">")
    size = _SIZE.search(ask)
    if size is None:
        return None
    small = bool(size[1])
    if _IS_IT.search(ask):
        return Reading("compare-numbers", numbers, "yes" if small == (first < second) else "no")
    if not asking.words & {"which", "what", "who", "or"}:
        return None
    return Reading("compare-numbers", numbers, str(min(numbers) if small else max(numbers)))


def _explain(problem: Problem) -> tuple[str, ...]:
    low, high = sorted(problem.numbers)
    if len(str(low)) < len(str(high)):
        return (f"{low} is littler", f"you say {low} way before {high} when you count")
    unit = next(unit for unit in (100, 10, 1) if high // unit % 10 != low // unit % 10)
    x, y = high // unit % 10, low // unit % 10
    return (f"{high} has {of_place(x, unit)} and {low} only has {y}", f"so {high} is bigger")


_TURNED = {"<": ">", ">": "<", "yes": "no", "no": "yes"}


def _compare_digits(problem: Problem) -> BuggyAnswer | None:
    """The number with the biggest digit in it is the bigger number: 398 has a 9 and an 8, more than 412
    (practitioner literature)."""
    low, high = sorted(problem.numbers)
    if len(str(low)) != len(str(high)) or sorted(str(low))[::-1] <= sorted(str(high))[::-1]:
        return None
    digits = sorted(str(low))[::-1][:2]
    has = " and ".join(f"{'an' if digit == '8' else 'a'} {digit}" for digit in dict.fromkeys(digits))
    answer = _TURNED.get(problem.right) or str(low if problem.right == str(high) else high)
    return BuggyAnswer.of(answer, f"{low} has {has} in it", f"so {low} is bigger")


COMPARE_NUMBERS = Kind(
    "compare-numbers",
    read=_read,
    right=lambda numbers: str(max(numbers)),
    explain=_explain,
    bugs=(Bug("compare-digits", _compare_digits),),
)
"""Numbers: the two."""

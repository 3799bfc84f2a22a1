"""Counting on: the next number, by ones or by a step."""

from __future__ import annotations

import re
from itertools import pairwise

from bot.student.problems.asking import Asking
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

_STEPS = {"ones": 1, "twos": 2, "threes": 3, "fours": 4, "fives": 5, "tens": 10, "hundreds": 100}
_RUN = re.compile(r"(?<![\d_])(?:\d{1,9}|_)(?:\s*,\s*(?:and )?(?:\d{1,9}|_)){2,}")
_TERM = re.compile(r"\d+|_")
_GOES_ON = re.compile(r"next|after|keep|continu|missing|blank|pattern|_")


def _read_steps(asking: Asking) -> Reading | None:
    return _sequence(asking) or _count_by(asking)


def _sequence(asking: Asking) -> Reading | None:
    """5, 10, 15 and what comes next, or a blank inside."""
    run = _RUN.search(asking.scope)
    if not run or not _GOES_ON.search(asking.ask):
        return None
    terms = [*_TERM.findall(run[0]), "_"]
    gap = terms.index("_")
    known = [(place, int(term)) for place, term in enumerate(terms) if term != "_"]
    steps = {(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(known)}
    if len(steps) != 1 or 0 in steps or not (step := steps.pop()).is_integer():
        return None
    before = known[0][1] + int(step) * (gap - 1 - known[0][0])
    if abs(step) == 1:
        return Reading("next-number", (before, int(step)))
    return Reading("skip-count", (before, int(step), 1))


_BY = re.compile(
    r"\bcount(?:ing)? (?:up |on |forward )?by (?:(\d+)|(ones|twos|threes|fours|fives|tens|hundreds))"
)
_ASKS_COUNT = re.compile(r"count|next|after|comes")
_FROM = re.compile(r"\b(?:from|at|with|after) (\d+)\b")
_TO = re.compile(r"\b(?:to|until|stop(?:ping)? (?:at|on)) (\d+)\b")
_STARTING = re.compile(r"\bstart")
_ONE_MORE = re.compile(r"(?:comes?|say|is) (?:right |just )?(?:next|after)|next number")


def _count_by(asking: Asking) -> Reading | None:
    ask, scope = asking.ask, asking.scope
    by = _BY.search(scope)
    if not by or not _ASKS_COUNT.search(ask):
        return None
    step = int(by[1]) if by[1] else _STEPS[by[2]]
    start, end = _FROM.search(scope), _TO.search(scope)
    last = int(start[1]) if start else 0
    if start and end and _STARTING.search(scope):
        last -= step  # "starting at 2" says the 2, too
    terms = 3 if start else 4
    if start and _ONE_MORE.search(ask):
        terms = 1
    elif end and step and 1 <= (int(end[1]) - last) // step <= 20:
        terms = (int(end[1]) - last) // step
    return Reading("skip-count", (last, step, terms)) if step else None


def _said(numbers: tuple[int, ...]) -> str:
    last, step, terms = numbers
    return ", ".join(str(last + step * turn) for turn in range(1, terms + 1))


def _explain_steps(problem: Problem) -> tuple[str, ...]:
    last, step, _ = problem.numbers
    return (
        f"you go {step} every time" if step > 0 else f"you go back {-step} every time",
        f"{last}, {problem.right}",
    )


def _skipped_decade(problem: Problem) -> BuggyAnswer | None:
    """After the nine of any ten above 100 the count jumps: 108, 109, 200; after 199 comes 1000 (Fuson 1990)."""
    last, step, *more = problem.numbers
    if last < 100 or not 0 < step < 10:
        return None
    said, now, jumped = [], last, False
    for _ in range(more[0] if more else 1):
        following = now + step
        if not jumped and following // 10 != now // 10:
            # 199 is already the last before a hundred, so the next thing there is to say is a thousand.
            following = (now // 100 + 1) * 100 if following % 100 >= 10 else 1_000
            jumped = True
        now = following
        said.append(now)
    landed = next((number for number in said if number % 100 == 0), last)
    before = said[said.index(landed) - 1] if landed in said[1:] else last
    return BuggyAnswer.of(", ".join(map(str, said)), f"i got to {before}", f"then it's {landed}")


_SKIPPED_DECADE = Bug("skipped-decade", _skipped_decade)
SKIP_COUNT = Kind(
    "skip-count", read=_read_steps, right=_said, explain=_explain_steps, bugs=(_SKIPPED_DECADE,)
)
"""Numbers: last said, step, how many more to say."""

_NEXT = re.compile(r"\bwhat (?:number|page|one)? ?(?:is|comes) next\b")
_OF_THE_DAY = re.compile(r"minute|o'clock|\bday|page|time|lunch|recess")
_ASKS_NUMBER = re.compile(
    r"\b(?:what|which|tell|name|count)\b.*\b(?:number|comes?|goes|next|is|say|after|before)\b"
)
_BETWEEN = re.compile(r"\bbetween (\d+) and (\d+)")
_SIGN = re.compile(r"symbol|sign|[<>]")
_BESIDE = re.compile(r"\b(after|before) (?:the number )?(\d+)\s*(?:$|[?.!,_]|when|if|in\b)")


def _read_next(asking: Asking) -> Reading | None:
    ask = asking.ask
    if _NEXT.search(ask) and len(asking.numbers) == 1:
        return Reading("next-number", (asking.numbers[0], 1))
    if _OF_THE_DAY.search(ask) or not _ASKS_NUMBER.search(ask):
        return None
    if (found := _BETWEEN.search(ask)) and not _SIGN.search(ask):
        return Reading("next-number", (min(int(found[1]), int(found[2])), 1))
    if found := _BESIDE.search(ask):
        return Reading("next-number", (int(found[2]), 1 if found[1] == "after" else -1))
    return None


def _explain_next(problem: Problem) -> tuple[str, ...]:
    number, step = problem.numbers
    if step > 0:
        return (f"i counted {number - 1}, {number}", f"then it's {number + 1}")
    return (f"i counted {number - 2}, {number - 1}, {number}", f"{number - 1} is right before")


NEXT_NUMBER = Kind(
    "next-number",
    read=_read_next,
    right=lambda numbers: str(sum(numbers)),
    explain=_explain_next,
    bugs=(_SKIPPED_DECADE,),
)
"""Numbers: the number and 1 or -1."""

"""Shares of a whole compared: a half or a fourth of the same pizza."""

from __future__ import annotations

import re
from types import MappingProxyType

from bot.student.problems.asking import Asking
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

SHARES = MappingProxyType({2: "a half", 3: "a third", 4: "a fourth"})
"""The shares of a whole that second grade names (CCSS 2.G.A.3)."""

_PIECES = {"hal": 2, "third": 3, "fourth": 4, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_SIZE = re.compile(r"\b(?:(bigger|larger|greater|more|biggest)|smaller|less|smallest)\b")
_SHARE = re.compile(r"\b1/(\d+)\b|\b(hal)(?:f|ves)\b|\b(third|fourth|quarter|fifth|sixth|eighth|tenth)s?\b")
_CUT = re.compile(r"\b(\d+) (?:equal )?(?:pieces|parts|shares)\b")


def _read(asking: Asking) -> Reading | None:
    size = _SIZE.search(asking.ask)
    if size is None:
        return None
    named = _SHARE.findall(asking.scope)
    pieces = tuple(int(number) if number else _PIECES[half or name] for number, half, name in named)
    pieces = pieces or tuple(map(int, _CUT.findall(asking.scope)))
    if len(pieces) != 2 or len(set(pieces)) != 2:
        return None
    if not set(pieces) <= set(SHARES):
        return Reading("beyond", pieces)
    return Reading("compare-shares", pieces, SHARES[min(pieces) if size[1] else max(pieces)])


def _explain(problem: Problem) -> tuple[str, ...]:
    low, high = sorted(problem.numbers)
    return (f"if you cut it in {high} the pieces get little", f"if you cut it in {low} they're bigger")


def _more_pieces_is_bigger(problem: Problem) -> BuggyAnswer | None:
    """The bigger number makes the bigger share: fourths are bigger, 4 is more than 2 (Ni & Zhou 2005)."""
    low, high = sorted(problem.numbers)
    answer = SHARES[high if problem.right == SHARES[low] else low]
    return BuggyAnswer.of(answer, f"{high} is more than {low}", f"so {SHARES[high]} is bigger")


COMPARE_SHARES = Kind(
    "compare-shares",
    read=_read,
    right=lambda numbers: SHARES[min(numbers)],
    explain=_explain,
    bugs=(Bug("more-pieces-is-bigger", _more_pieces_is_bigger),),
)
"""Numbers: into how many pieces, twice."""

"""Small questions about numbers that need no method: in order, the same or not, half of it, shared by two.

Readings of the everyday door (`ordinary`), from the turn alone. What is computed with a method that can go wrong is
`problems`; no lesson is known here.
"""

from __future__ import annotations

import re

from bot.student.everyday import Answers
from bot.student.numbers import plain

LARGEST_HALF = 20
"""Second grade knows its doubles to 10 + 10 (CCSS 2.OA.B.2)."""
LARGEST = 1_000


def figures(ask: str, scope: str) -> Answers | None:
    """Put 42, 17, 29 in order; true or false: 6 + 3 = 3 + 6; what is half of 8?"""
    ask, scope = plain(ask), plain(scope)
    if not re.search(r"\d", scope):
        return None
    return _ordered(ask) or _same(ask) or _half(ask, scope) or _minutes(ask) or _whose(ask, scope)


def _ordered(ask: str) -> Answers | None:
    """Numbers to be put in order, or the first or last of them."""
    numbers = [int(each) for each in re.findall(r"\b\d+\b", ask)]
    if len(numbers) < 3 or max(numbers) > LARGEST:  # noqa: PLR2004 - two are compared, not ordered
        return None
    down = re.search(
        r"\b(?:from )?(?:the )?(?:biggest|largest|greatest|most|highest) (?:to|first)\b", ask
    )
    if re.search(r"\border\b|\b(?:smallest|least|lowest|fewest) (?:to|first)\b", ask) or down:
        return (", ".join(map(str, sorted(numbers, reverse=bool(down)))),)
    size = re.search(r"\b(?:which|what|who)\b.*\b(biggest|largest|greatest|most|highest|smallest|least|lowest)\b", ask)
    if size is None or re.search(r"[-+*/=]|\bcoin|how (?:many|much)", ask):
        return None
    return (str((min if size[1] in {"smallest", "least", "lowest"} else max)(numbers)),)


def _same(ask: str) -> Answers | None:
    """Whether an equation of two sums is true."""
    sum_ = r"\d+(?: *[-+] *\d+)*"
    sides = re.search(rf"({sum_}) *(?:=|(?:is|are|makes?|equals?) (?:equal to|the same as|as much as)|(?:and)) *({sum_})", ask)
    if sides is None or not re.search(r"\btrue\b|\bsame\b|\bequal\b|\bright\b", ask) or not re.search(r"[-+]", ask):
        return None
    left, right = (
        sum(int(each) for each in re.findall(r"[-+]?\d+", side.replace(" ", ""))) for side in sides.groups()
    )
    if "true or false" in ask or "true" in ask:
        return ("true", "yes") if left == right else ("false", "no")
    return ("yes", "yeah", "true", "the same") if left == right else ("no", "nope", "false")


def _half(ask: str, scope: str) -> Answers | None:
    """Half of an even number that is a double, by its name or as a share for two."""
    half = re.search(r"\bhalf of (\d+)\b", ask)
    shared = re.search(
        r"\b(\d+)\b.*\b(?:shares?|sharing|shared|splits?|divides?)\b|\b(?:shares?|sharing|shared|splits?|divides?)\b.*\b(\d+)\b",
        scope,
    )
    if half:
        whole = int(half[1])
    elif (
        shared
        and len(re.findall(r"\d+", scope)) == 1
        and re.search(r"\beach\b|\beveryone\b", ask)
        and re.search(r"\b(?:two|both|with (?:my|his|her|your|a|one|the) \w+|equally|evenly|the same)\b", scope)
    ):
        whole = int(shared[1] or shared[2])
    else:
        return None
    return (str(whole // 2),) if whole % 2 == 0 and 0 < whole <= LARGEST_HALF else None


def _minutes(ask: str) -> Answers | None:
    """What a number on the clock means for the long hand."""
    hand = re.search(r"\b(?:minute|long|big) hand\b[^?]*?\b(?:on|at|to|is) (?:the )?(?:number )?(\d+)\b", ask)
    if hand is None or not re.search(r"how many min", ask) or not 1 <= int(hand[1]) <= 12:  # noqa: PLR2004
        return None
    return (str(int(hand[1]) * 5 % 60),)


_MORE = re.compile(
    r"\b(?:which|who|whose|what)\b.*\b(taller|longer|more|bigger|higher|older|heavier|farther|most|shorter|fewer|less"
    r"|smaller|younger|lighter|lower|least)\b"
)
_LESS = frozenset("shorter fewer less smaller younger lighter lower least".split())
_NAMED = re.compile(r"\b(?!and\b|but\b|is\b|has\b)([a-z]+)(?:'s [a-z]+)? (?:is|has|had|got|read|found|was|scored|picked) (?:only )?(\d+)\b")


def _whose(ask: str, scope: str) -> Answers | None:
    """Noah's tower is 18 blocks tall, Ava's is 12: whose is taller?"""
    asked = _MORE.search(ask)
    named = _NAMED.findall(scope)
    if asked is None or len(named) != 2 or re.search(r"how (?:many|much)", ask) or named[0][1] == named[1][1]:  # noqa: PLR2004
        return None
    best = (min if asked[1] in _LESS else max)(named, key=lambda each: int(each[1]))[0].capitalize()
    return (best, f"{best}'s")

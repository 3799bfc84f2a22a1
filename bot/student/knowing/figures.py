"""Small questions about numbers that need no method: in order, the same or not, half of it, shared by two.

Readings of the everyday door (`ordinary`), from the turn alone. What is computed with a method that can go wrong is
`problems`; no lesson is known here.
"""

from __future__ import annotations

import re

from bot.student.knowing.everyday import Answers
from bot.student.numbers import plain
from bot.student.problems.money import CENTS

LARGEST_HALF = 20
"""Second grade knows its doubles to 10 + 10 (CCSS 2.OA.B.2)."""
LARGEST = 1_000
"""Second grade counts and compares up to there (CCSS 2.NBT.A)."""
SEVERAL = 3
"""Numbers to be put in order; two are compared, which is `problems`."""
PAIR = 2


def figures(ask: str, scope: str) -> Answers | None:
    """Put 42, 17, 29 in order; true or false: 6 + 3 = 3 + 6; what is half of 8?"""
    pattern = _pattern(scope)
    if pattern is not None:
        return pattern
    ask, scope = plain(ask), plain(scope)
    if not re.search(r"\d", scope):
        return None
    return (
        _ordered(ask)
        or _same(scope)
        or _half(ask, scope)
        or _piece(ask, scope)
        or _later(ask, scope)
        or _richer(ask)
        or _whose(ask, scope)
    )


_ITEM = r"[a-z]+(?: [a-z]+)?"
_RUN = re.compile(rf"(?:^|[:.!?] )({_ITEM}(?:, (?:and )?{_ITEM}){{3,}})")
LONGEST_UNIT = 4
"""Things that come again and again in a pattern, at most."""


def _pattern(scope: str) -> Answers | None:
    """Red, blue, red, blue, red, and then?"""
    run = _RUN.search(scope)
    if run is None or not re.search(r"next|_|\.\.\.|pattern|after|then", scope):
        return None
    items = re.split(r", (?:and )?", run[1])
    for listed in (items, items[:-1]):  # what follows the last comma may be the question itself
        for unit in range(2, LONGEST_UNIT + 1):
            if len(listed) > unit + 1 and listed[unit:] == listed[:-unit]:
                return (listed[len(listed) - unit],)
    return None


def _ordered(ask: str) -> Answers | None:
    """Numbers to be put in order, or the first or last of them."""
    numbers = [int(each) for each in re.findall(r"\b\d+\b", ask)]
    if len(numbers) < SEVERAL or max(numbers) > LARGEST:
        return None
    down = re.search(r"\b(?:from )?(?:the )?(?:biggest|largest|greatest|most|highest) (?:to|first)\b", ask)
    if re.search(r"\border\b|\b(?:smallest|least|lowest|fewest) (?:to|first)\b", ask) or down:
        return (", ".join(map(str, sorted(numbers, reverse=bool(down)))),)
    size = re.search(
        r"\b(?:which|what|who)\b.*\b(biggest|largest|greatest|most|highest|smallest|least|lowest)\b", ask
    )
    if size is None or re.search(r"[-+*/=]|\bcoin|how (?:many|much)", ask):
        return None
    return (str((min if size[1] in {"smallest", "least", "lowest"} else max)(numbers)),)


_SUM = r"\d+(?: *[-+] *\d+)*"
_EQUATION = re.compile(
    rf"({_SUM}) *(?:=|(?:is|are|makes?|equals?) (?:equal to|the same as|as much as)|and) *({_SUM})"
)


def _same(scope: str) -> Answers | None:
    """Whether an equation is true; not one that begins with its answer: that is a lesson's idea."""
    sides = _EQUATION.search(scope)
    if (
        sides is None
        or not re.search(r"[-+]", sides[1])
        or not re.search(r"\b(?:true|same|equal|right)\b", scope)
    ):
        return None
    left, right = (
        sum(int(each) for each in re.findall(r"[-+]?\d+", side.replace(" ", ""))) for side in sides.groups()
    )
    yes, no = (
        (("true", "yes"), ("false", "no")) if "true" in scope else (("yes", "yeah", "true"), ("no", "nope"))
    )
    return yes if left == right else no


_SHARES = r"(?:shares?|sharing|shared|splits?|divides?)"
_SHARED = re.compile(rf"\b(\d+)\b.*\b{_SHARES}\b|\b{_SHARES}\b.*\b(\d+)\b")
_FOR_TWO = re.compile(r"\b(?:two|both|with (?:my|his|her|your|a|one|the) \w+)\b")


def _half(ask: str, scope: str) -> Answers | None:
    """Half of an even number that is a double, by its name or as a share for two."""
    named = re.search(r"\bhalf of (\d+)\b", ask) or re.search(
        r"\bnumbers? .*\bsame\b.*\b(?:add up to|adds? to|make|equal) (\d+)\b", scope
    )
    shared = _SHARED.search(scope)
    if named:
        whole = int(named[1])
    elif (
        shared
        and len(re.findall(r"\d+", scope)) == 1
        and re.search(r"\beach\b", ask)
        and _FOR_TWO.search(scope)
    ):
        whole = int(shared[1] or shared[2])
    else:
        return None
    return (str(whole // 2),) if whole % 2 == 0 and 0 < whole <= LARGEST_HALF else None


_PIECES = {
    "2": ("a half", "half", "one half"),
    "3": ("a third", "third", "one third"),
    "4": ("a fourth", "fourth", "a quarter", "one fourth", "quarter"),
}


def _piece(ask: str, scope: str) -> Answers | None:
    """Cut into four equal parts: what is each part called?"""
    cut = re.search(r"\b([234]) equal (?:pieces|parts|shares|slices)\b", scope)
    named = re.search(r"\b(?:called?|name)\b", ask) and re.search(
        r"\b(?:each|one|1) (?:of )?(?:the )?(?:\w+ )?(?:piece|part|share|slice|them)", ask
    )
    return _PIECES[cut[1]] if cut and named else None


def _later(ask: str, scope: str) -> Answers | None:
    """It starts at 10:00 and lasts 30 minutes: when is it over?"""
    start = re.search(r"\b(?:at|is|now) (\d{1,2})(?::(\d\d)|\b(?: o'clock)?)", scope)
    lasts = re.search(r"\b(\d+|half an|an?|1|one) (hour|minute)s?\b", scope)
    if start is None or lasts is None or not re.search(r"\b(?:when|what time)\b", ask):
        return None
    size = 60 if lasts[2] == "hour" else 1
    minutes = 30 if lasts[1] == "half an" else size * (int(lasts[1]) if lasts[1].isdecimal() else 1)
    hours, minutes = divmod(int(start[1]) * 60 + int(start[2] or 0) + minutes, 60)
    return (f"{(hours - 1) % 12 + 1}:{minutes:02}",)


def _richer(ask: str) -> Answers | None:
    """2 dimes or 1 quarter: which is more money?"""
    found = re.findall(r"\b(\d+|an?|one) (quarter|dime|nickel|penn)(?:s|y|ies)?\b", ask)
    size = re.search(r"\b(more|most|less|least|bigger)\b", ask)
    if len(found) != PAIR or size is None or not re.search(r"\bor\b", ask):
        return None
    worth = [(int(count) if count.isdecimal() else 1) * CENTS[coin] for count, coin in found]
    if worth[0] == worth[1]:
        return None
    count, coin = found[worth.index((min if size[1] in {"less", "least"} else max)(worth))]
    many = count.isdecimal() and int(count) > 1
    name = ("pennies" if many else "penny") if coin == "penn" else coin + ("s" if many else "")
    return (f"the {name}", f"{count} {name}", name)


_LESS = frozenset(
    "shorter fewer less smaller younger lighter lower least shortest smallest fewest youngest lightest".split()
)
_SIZES = (
    "taller longer more bigger higher older heavier farther most won win wins tallest longest biggest heaviest oldest"
).split()
_MORE = re.compile(rf"\b(?:which|who|whose|what)\b.*\b({'|'.join((*_SIZES, *sorted(_LESS)))})\b")
_NO_NAME = "and|but|is|has|to|from|at|on|of|in|by|than|or|the|with|number|only|about|are|was|had|got"
_HAS = "is|has|had|got|gets|read|found|was|scored|picked|weighs|jumped|ran|collected|costs?|won|made"
_NAMED = re.compile(rf"\b(?!(?:{_NO_NAME})\b)([a-z]+)(?:'s [a-z]+)? (?:(?:{_HAS}) )?(?:only |about )?(\d+)\b")


def _whose(ask: str, scope: str) -> Answers | None:
    """Noah's tower is 18 blocks tall, Ava's is 12: whose is taller?"""
    asked, named = _MORE.search(ask), _NAMED.findall(scope)
    different = len({number for _, number in named}) == len(named) >= PAIR
    if asked is None or not different or re.search(r"how (?:many|much)", ask):
        return None
    best = (min if asked[1] in _LESS else max)(named, key=lambda each: int(each[1]))[0]
    thing = re.search(rf"\b(?:an?|the) {best}\b", scope)
    name = f"the {best}" if thing else best.capitalize()
    return (name, best, f"{name}'s")

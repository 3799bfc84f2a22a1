"""Coins counted and cents written."""

from __future__ import annotations

import re
from types import MappingProxyType

from bot.student.problems.asking import Asking, words
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

CENTS = MappingProxyType({"quarter": 25, "dime": 10, "nickel": 5, "penn": 1})
"""Cents by the letters a coin's name begins with, in one and in many."""

_COUNTED = re.compile(r"\b(\d+|an?) (quarter|dime|nickel|penn)(?! of)")
_ASKS_WORTH = re.compile(
    r"how much|how many (?:cents|coins)|worth|total|altogether|in all|what (?:is|do|does)\b"
)
_ASKS_ELSE = re.compile(r"which|bigger|more|how many (?!cents|coins)")


def _read_coins(asking: Asking) -> Reading | None:
    ask, scope = asking.ask, asking.scope
    found = _COUNTED.findall(scope)
    if not found or not _ASKS_WORTH.search(ask) or _ASKS_ELSE.search(ask):
        return None
    if "$" in scope or words(scope) & {"dollar", "dollars"}:
        return None
    counts = dict.fromkeys(CENTS, 0)
    for number, coin in found:
        counts[coin] += int(number) if number.isdecimal() else 1
    if "how many coins" in ask:
        return Reading("add", tuple(count for count in counts.values() if count))
    return Reading("coins", tuple(counts.values()))


def _explain_coins(problem: Problem) -> tuple[str, ...]:
    steps = []
    for count, (coin, cents) in zip(problem.numbers, CENTS.items(), strict=True):
        if count:
            one, many = ("penny", "pennies") if coin == "penn" else (coin, f"{coin}s")
            steps.append(f"{count} {one if count == 1 else many} is {count * cents}")
    return (*steps[:3], f"so it's {problem.right} cents")


def _counts_coins(problem: Problem) -> BuggyAnswer | None:
    """Every coin is one: 3 dimes and 2 pennies are 5 cents (practitioner literature)."""
    coins = sum(problem.numbers)
    return BuggyAnswer.of(coins, "i counted all of them", f"there's {coins}") if coins > 1 else None


COINS = Kind(
    "coins",
    read=_read_coins,
    right=lambda numbers: str(
        sum(count * cents for count, cents in zip(numbers, CENTS.values(), strict=True))
    ),
    explain=_explain_coins,
    bugs=(Bug("counts-coins", _counts_coins),),
)
"""Numbers: quarters, dimes, nickels, pennies."""

_ASKS_WRITTEN = re.compile(r"\b(?:write|type)\b|\$|dollar sign")
_ASKS_SIGN = re.compile(r"\$|(?<!for a )(?<!on a )(?<!for the )(?<!on the )\bsign\b")


def _read_cents(asking: Asking) -> Reading | None:
    ask, numbers = asking.ask, asking.numbers
    if (
        asking.ask != asking.scope
        or len(numbers) != 1
        or numbers[0] >= 100
        or not _ASKS_WRITTEN.search(ask)
        or not asking.words & {"cent", "cents"}
        or "how many" in ask
        or "how much" in ask
    ):
        return None
    dollars = any(each in ask for each in ("$", "dollar", "money sign"))
    return Reading("write-cents", numbers, None if dollars else _cent_sign(numbers[0]))


def _cent_sign(cents: int) -> str:
    return f"{cents}\N{CENT SIGN}"


def _dollar_sign(numbers: tuple[int, ...]) -> str:
    return f"${numbers[0] / 100:.2f}"


def _either_sign(problem: Problem) -> tuple[str, ...]:
    """Both signs are right where the question leaves it open; a sign at the store is no such question."""
    if _ASKS_SIGN.search(problem.text):
        return (problem.right,)
    both = (problem.right, _cent_sign(problem.numbers[0]), _dollar_sign(problem.numbers))
    return tuple(dict.fromkeys(both))


def _cents_as_dollars(problem: Problem) -> BuggyAnswer | None:
    """The dollar sign is just the sign for money: 35 cents is $35 (practitioner literature)."""
    cents = problem.numbers[0]
    return BuggyAnswer.of(f"${cents}", f"it's {cents}", "you put the money sign in front")


WRITE_CENTS = Kind(
    "write-cents",
    read=_read_cents,
    right=_dollar_sign,
    explain=lambda problem: ("it's not a whole dollar", f"so you write {problem.right}"),
    bugs=(Bug("cents-as-dollars", _cents_as_dollars),),
    accepted=_either_sign,
)
"""Numbers: cents."""

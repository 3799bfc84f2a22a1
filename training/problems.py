"""Problems made up in a teacher's words, one maker for each kind: what the protocol asks and what tests read back.

A maker only words a problem; what it asks and what is right is read from the words, as from a teacher's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from bot.student.numbers import say
from bot.student.problems import solving
from bot.student.problems.kind import Problem
from bot.student.problems.parsing import parse
from bot.student.problems.shares import SHARES
from bot.student.said import Said

_NAMES = ("Sam", "Ana", "Leo", "Maya", "Ben", "Rosa", "Omar", "Lily", "Kai", "Nora")
_THINGS = ("stickers", "marbles", "shells", "crayons", "cards", "beads", "acorns", "blocks")
_TRIES = 5_000
"""Draws before giving up on a bug; the rarest one shows in about 1 of 50 problems of its kind."""


def generate(kind: str, rng: Random, bug: str | None = None) -> Problem:
    """A problem of that kind in a teacher's words. Given a bug, one on which that bug answers wrongly.

    Raises ValueError where the kind is unknown or the bug never shows in it.
    """
    if kind not in MAKERS:
        raise ValueError(f"no problem kind {kind!r}; expected one of {', '.join(MAKERS)}")
    if bug is not None and kind not in solving.bugs().get(bug, ()):
        fitting = ", ".join(each for each, kinds in solving.bugs().items() if kind in kinds) or "none"
        raise ValueError(f"the bug {bug!r} never shows in {kind!r}; expected one of: {fitting}")
    make = _OF_BUG.get(bug or "", MAKERS[kind])
    for _ in range(_TRIES):
        text = make(rng)
        problem = parse(Said.of(text))
        if problem is None or problem.kind != kind:
            raise ValueError(
                f"made as {kind!r}, {text!r} reads as {problem.kind if problem else 'no problem'}"
            )
        if bug is None or solving.apply(bug, problem) is not None:
            return problem
    raise ValueError(f"the bug {bug!r} did not show in {_TRIES} problems of kind {kind!r}")


def _add(rng: Random) -> str:
    size = rng.choice(("facts", "ten", "tens", "tens", "hundreds"))
    if size == "facts":
        a, b = rng.randint(2, 10), rng.randint(2, 10)
    elif size == "ten":
        a, b = rng.randint(100, 890), 10
    elif size == "tens":
        a = rng.randint(11, 79)
        b = rng.randint(11, 99 - a) if a < 88 else 11
    else:
        a, b = rng.randint(101, 499), rng.randint(101, 499)
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    return rng.choice((
        f"What is {a} plus {b}?",
        f"What is {a} + {b}?",
        f"Can you add {a} and {b} for me?",
        f"{name} had {a} {things} and found {b} more. How many {things} does {name} have now?",
    ))  # fmt: skip


def _add_many(rng: Random) -> str:
    numbers = [rng.randint(11, 39) for _ in range(rng.choice((3, 3, 4)))]
    listed, name, things = ", ".join(map(str, numbers[:-1])), rng.choice(_NAMES), rng.choice(_THINGS)
    return rng.choice((
        f"What is {' + '.join(map(str, numbers))}?",
        f"What is {' plus '.join(map(str, numbers))}?",
        f"Can you add {listed} and {numbers[-1]} for me?",
        f"{name} has boxes with {listed} and {numbers[-1]} {things}. How many {things} is that in all?",
    ))  # fmt: skip


def _add_uneven(rng: Random) -> str:
    a, b = rng.randint(112, 879), rng.randint(12, 98)
    return rng.choice((f"What is {a} plus {b}?", f"What is {a} + {b}?", f"Can you add {a} and {b} for me?"))


def _subtract_uneven(rng: Random) -> str:
    a, b = rng.randint(212, 989), rng.randint(12, 98)
    return rng.choice((f"What is {a} minus {b}?", f"What is {a} - {b}?", f"What is {a} take away {b}?"))


def _subtract(rng: Random) -> str:
    size = rng.choice(("facts", "flip", "ten", "tens", "tens", "tens", "hundreds", "zero"))
    if size == "facts":
        a = rng.randint(5, 18)
        b = rng.randint(1, min(a - 1, 9))
    elif size == "flip":
        b = rng.randint(3, 9)
        a = rng.randint(1, b - 1)
        return rng.choice((f"What is {a} - {b}?", f"What is {a} take away {b}?"))
    elif size == "ten":
        a, b = rng.randint(110, 900), 10
    elif size == "tens":
        a = rng.randint(31, 99)
        b = rng.randint(11, a - 5)
    elif size == "hundreds":
        a = rng.randint(201, 999)
        b = rng.randint(101, a - 50)
    else:
        a = rng.randint(2, 9) * 100 + rng.randint(1, 8)
        b = rng.randint(101, a - 60)
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    return rng.choice((
        f"What is {a} minus {b}?",
        f"What is {a} - {b}?",
        f"Can you work out {a} take away {b} for me?",
        f"What do you get if you take {b} away from {a}?",
        f"{name} had {a} {things} and gave away {b}. How many are left?",
    ))  # fmt: skip


def _missing(rng: Random) -> str:
    part = rng.randint(2, 9)
    total = part + rng.randint(2, 10)
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    return rng.choice((
        f"? + {part} = {total}. What goes first?",
        f"What number plus {part} equals {total}?",
        f"{name} had some {things}. Grandpa gave {name} {part} more. Now {name} has {total} {things}."
        f" How many {things} did {name} have to start?",
    ))  # fmt: skip


def _equation(rng: Random) -> str:
    a, b = rng.randint(3, 9), rng.randint(2, 9)
    d = rng.randint(1, a + b - 1)
    return rng.choice(
        (f"{a} + {b} = _ + {d}. What goes in the blank?", f"What goes in the box? {a} + {b} = [ ] + {d}")
    )


def _compare_numbers(rng: Random) -> str:
    low, high = rng.choice(((11, 99), (101, 999)))
    a, b = rng.sample(range(low, high + 1), 2)
    if rng.random() < 0.2:
        return f"Which number is smaller, {a} or {b}?"
    return rng.choice((f"Which is bigger, {a} or {b}?", f"Which number is greater, {a} or {b}?"))


def _digit_value(rng: Random) -> str:
    number = rng.randint(12, 99) if rng.random() < 0.7 else rng.randint(112, 989)
    digit = str(number)[0]
    return rng.choice((f"What is the {digit} in {number} worth?", f"What does the {digit} in {number} mean?"))


def _write_number(rng: Random) -> str:
    words = say(rng.randint(1, 9) * 100 + rng.choice((rng.randint(1, 9), rng.randint(1, 99))))
    return rng.choice((f"Write {words} in numbers.", f"Can you write the number {words} for me?"))


def _next_number(rng: Random) -> str:
    number = rng.randint(20, 998) if rng.random() < 0.5 else rng.randint(10, 98) * 10 + 9
    if rng.random() < 0.2:
        return f"What number comes right before {number}?"
    return rng.choice((f"What comes after {number}?", f"What number comes right after {number}?"))


def _unit_tens(rng: Random) -> str:
    count = rng.randint(2, 9) if rng.random() < 0.3 else rng.randint(10, 40)
    return rng.choice(
        (f"What number is {count} tens?", f"How many ones is {count} tens?", f"How much is {count} tens?")
    )


def _tens_ones(rng: Random) -> str:
    number = rng.randint(11, 99)
    asked = rng.choice(("tens", "ones", "tens and ones"))
    if asked == "ones" and number % 10 == 0:
        number += 3
    return f"How many {asked} are in {number}?"


def _more_story(rng: Random) -> str:
    one, other = rng.sample(_NAMES, 2)
    things, apart = rng.choice(_THINGS), rng.randint(2, 9)
    known = apart + rng.randint(2, 12)
    word = "fewer" if rng.random() < 0.3 else "more"
    return (
        f"{one} has {known} {things}. That is {apart} {word} than {other}. How many "
        f"{things} does {other} have?"
    )


def _two_step(rng: Random) -> str:
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    start, more = rng.randint(6, 40), rng.randint(3, 20)
    less = rng.randint(2, start + more - 1)
    return (
        f"{name} had {start} {things}. {name} found {more} more. Then {name} gave away {less}."
        f" How many {things} does {name} have now?"
    )


def _even_odd(rng: Random) -> str:
    number = rng.randint(2, 20)
    return rng.choice((f"Is {number} even or odd?", f"Is {number} an even number or an odd number?"))


def _array(rng: Random) -> str:
    rows, wide, things = rng.randint(2, 5), rng.randint(2, 5), rng.choice(_THINGS)
    return rng.choice((
        f"There are {rows} rows of {wide} {things}. How many {things} are there?",
        f"I made {rows} rows with {wide} {things} in each row. How many is that in all?",
    ))  # fmt: skip


def _ruler(rng: Random) -> str:
    start = rng.randint(0, 4)
    end = start + rng.randint(2, 7)
    thing = rng.choice(("pencil", "crayon", "ribbon", "leaf"))
    return rng.choice((
        f"The {thing} goes from the {start} to the {end} on the inch ruler. How long is it?",
        f"On this ruler the {thing} starts at {start} and ends at {end}. How many inches long is the {thing}?",
    ))  # fmt: skip


def _clock(rng: Random) -> str:
    hour, minute = rng.randint(1, 12), rng.randint(0, 11) * 5
    following, mark = hour % 12 + 1, minute // 5 or 12
    if minute == 0:
        where = f"on the {hour}"
    elif minute >= 40:
        where = f"almost on the {following}"
    else:
        where = f"between the {hour} and the {following}" if minute > 20 else f"just past the {hour}"
    short, long = rng.choice((("short", "long"), ("little", "big")))
    return f"The {short} hand is {where} and the {long} hand is on the {mark}. What time is it?"


def _coins(rng: Random) -> str:
    counts = [0, rng.randint(1, 5), rng.randint(0, 3), rng.randint(1, 6)]
    if rng.random() < 0.2:
        counts[0] = rng.randint(1, 2)
    names = ("quarter", "quarters"), ("dime", "dimes"), ("nickel", "nickels"), ("penny", "pennies")
    coins = [f"{count} {name[count > 1]}" for count, name in zip(counts, names, strict=True) if count]
    listed = f"{', '.join(coins[:-1])} and {coins[-1]}"
    return rng.choice((f"I have {listed}. How many cents is that?", f"How much money is {listed}?"))


def _bar_graph(rng: Random) -> str:
    fewer = rng.randint(1, 8)
    more = fewer + rng.randint(1, 7)
    one, other = rng.sample(("cats", "dogs", "fish", "birds", "rabbits"), 2)
    return (
        f"On our graph {more} kids like {one} and {fewer} kids like {other}. How many more kids "
        f"like {one} than {other}?"
    )


def _compare_lengths(rng: Random) -> str:
    short = rng.randint(5, 60)
    long = short + rng.randint(2, 30)
    thing, unit = rng.choice(("rope", "ribbon", "string")), rng.choice(("inches", "centimeters"))
    return rng.choice((
        f"One {thing} is {long} {unit} and the other is {short} {unit}. How much longer is the first {thing}?",
        f"A {thing} is {long} {unit} long and a stick is {short} {unit} long. How many {unit} "
        f"longer is the {thing}?",
    ))  # fmt: skip


def _skip_count(rng: Random) -> str:
    step, name = rng.choice(((2, "twos"), (5, "fives"), (10, "tens")))
    last = (
        step * rng.randint(1, 12)
        if rng.random() < 0.5
        else 100 * rng.randint(1, 8) + step * rng.randint(1, 90 // step)
    )
    if rng.random() < 0.4:
        return f"Can you count by {name} from {last}?"
    if last >= step * 2:
        return f"What comes next: {last - step * 2}, {last - step}, {last}?"
    return f"When you count by {name}, what comes after {last}?"


def _write_cents(rng: Random) -> str:
    cents = rng.randint(5, 99)
    return rng.choice((f"Write {cents} cents for me.", f"How do you write {cents} cents on a price tag?"))


def _compare_shares(rng: Random) -> str:
    a, b = (SHARES[each] for each in rng.sample(sorted(SHARES), 2))
    if rng.random() < 0.2:
        return f"Which is smaller, {a} or {b} of the same pizza?"
    return rng.choice(
        (f"Which is bigger, {a} or {b}?", f"Would you get more with {a} of a cookie or {b} of a cookie?")
    )


def _beyond(rng: Random) -> str:
    a, b = rng.randint(3, 9), rng.randint(3, 9)
    return rng.choice((f"What is {a} times {b}?", f"What is {a} x {b}?", f"What is {a} divided by {b}?"))


MAKERS: Mapping[str, Callable[[Random], str]] = MappingProxyType({
    "add": _add,
    "add-many": _add_many,
    "subtract": _subtract,
    "missing": _missing,
    "equation": _equation,
    "compare-numbers": _compare_numbers,
    "digit-value": _digit_value,
    "write-number": _write_number,
    "next-number": _next_number,
    "unit-tens": _unit_tens,
    "tens-ones": _tens_ones,
    "more-story": _more_story,
    "two-step": _two_step,
    "even-odd": _even_odd,
    "array": _array,
    "ruler": _ruler,
    "clock": _clock,
    "coins": _coins,
    "bar-graph": _bar_graph,
    "compare-lengths": _compare_lengths,
    "skip-count": _skip_count,
    "write-cents": _write_cents,
    "compare-shares": _compare_shares,
    "beyond": _beyond,
})  # fmt: skip
"""A maker for each kind of `bot.student.problems.kinds`, by its name."""

_OF_BUG: Mapping[str, Callable[[Random], str]] = MappingProxyType(
    {"lines-up-left": _add_uneven, "stops-at-blank": _subtract_uneven}
)
"""What a bug needs that its kind's maker never makes: numbers of two lengths."""

"""The problems a second grader meets: from a teacher's words to numbers and the right answer.

Pure arithmetic and parsing. Wrong answers are `bugs`; what the child says of it is `mind`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from bot.student.numbers import plain, say
from bot.student.problems import asked, bugs
from bot.student.problems.asked import COINS, SHARES

TOP = 1_000
"""The largest number of second grade (CCSS 2.NBT.A)."""
YOU_CANT = "you can't"
"""The right answer to 4 - 9 before negative numbers are taught."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A computed problem: its kind, its numbers in the order the kind defines, its right answer."""

    kind: str
    numbers: tuple[int, ...]
    right: str
    text: str


def _count(numbers: tuple[int, ...]) -> str:
    last, step, terms = numbers
    return ", ".join(str(last + step * turn) for turn in range(1, terms + 1))


def _tens_ones(numbers: tuple[int, ...]) -> str:
    number, place = numbers
    if place == 0:
        return f"{number // 10} tens and {number % 10} ones"
    # Ten tens make 100: with no tens or ones of its own the question is about the whole number.
    return str(number // place if number % 100 == 0 else number // place % 10)


_RIGHT: Mapping[str, Callable[[tuple[int, ...]], str]] = {
    "add": lambda n: str(sum(n)),
    "subtract": lambda n: str(n[0] - n[1]) if n[0] >= n[1] else YOU_CANT,
    "missing": lambda n: str(n[1] - n[0]),
    "equation": lambda n: str(n[0] + n[1] - n[2]),
    "compare-numbers": lambda n: str(max(n)),
    "digit-value": lambda n: _place_value(n[0], n[1]),
    "write-number": lambda n: str(n[0]),
    "next-number": lambda n: str(n[0] + n[1]),
    "unit-tens": lambda n: str(sum(count * unit for count, unit in zip(n[::2], n[1::2], strict=True))),
    "tens-ones": _tens_ones,
    "more-story": lambda n: str(n[0] - n[1]),
    "two-step": lambda n: str(sum(n)),
    "even-odd": lambda n: "odd" if n[0] % 2 else "even",
    "array": lambda n: str(n[0] * n[1]),
    "ruler": lambda n: str(n[1] - n[0]),
    "clock": lambda n: f"{n[0]}:{n[1]:02}",
    "coins": lambda n: str(sum(count * cents for count, cents in zip(n, COINS.values(), strict=True))),
    "bar-graph": lambda n: str(n[0] - n[1]),
    "compare-lengths": lambda n: str(n[0] - n[1]),
    "skip-count": _count,
    "write-cents": lambda n: f"${n[0] / 100:.2f}",
    "compare-shares": lambda n: SHARES[min(n)],
    "beyond": lambda _: "",
}

KINDS: tuple[str, ...] = tuple(_RIGHT)
"""Every kind, with what `Problem.numbers` holds:

add: the addends. subtract: from, away; right is "you can't" where more is taken than there is.
missing: part and whole, for ? + 6 = 15 (6, 15); the part is negative where it was taken away, for
? - 6 = 9 (-6, 9). equation: for 8 + 4 = _ + 5 (8, 4, 5), a number taken away is negative.
compare-numbers: the two. digit-value: digit, number. write-number: the number. next-number: number and
1 or -1. unit-tens: count and unit, for 30 tens (30, 10), for 4 tens and 6 ones (4, 10, 6, 1).
tens-ones: number and the place asked (100, 10, 1; 0 for tens and ones). more-story: who is known and by
how many more (fewer: negative) than the other. two-step: the start and each change. even-odd: the number.
array: rows, in a row. ruler: start, end. clock: hour, minute. coins: quarters, dimes, nickels, pennies.
bar-graph, compare-lengths: longer, shorter. skip-count: last said, step, how many more to say.
write-cents: cents. compare-shares: into how many pieces, twice. beyond: every number, right is "".
"""


def accepted(problem: Problem) -> tuple[str, ...]:
    """The right answer, then other ways to give it: with either sign of money where the question leaves it open."""
    if problem.kind != "write-cents" or re.search(r"\$|sign", problem.text):
        return (problem.right,)
    (cents,) = problem.numbers
    both = (f"{cents}\N{CENT SIGN}", f"${cents / 100:.2f}")
    return (problem.right, *(each for each in both if each != problem.right))


def _place_value(digit: int, number: int) -> str:
    """The worth of the leftmost `digit` in `number`."""
    digits = str(number)
    return str(digit * 10 ** (len(digits) - 1 - digits.index(str(digit))))


def parse(text: str) -> Problem | None:
    """The problem that a teacher's turn asks, the last one if it asks several; None if it asks none.

    Never raises. A problem that second grade does not teach is of kind `beyond` with the right answer "".
    """
    found = asked.find(text)
    return None if found is None else _checked(found, text.strip())


def _checked(found: asked.Found, text: str) -> Problem:
    """The problem found, or `beyond` where its numbers leave second grade."""
    kind, numbers, right = found
    if kind != "beyond" and all(abs(number) <= TOP for number in numbers):
        answer = _RIGHT[kind](numbers)
        amounts = [int(each) for each in re.findall(r"-?\d+", answer)] if kind != "clock" else []
        if all(0 <= amount <= TOP for amount in amounts):
            return Problem(kind, numbers, answer if right is None else right, text)
    return Problem("beyond", numbers, "", text)


_VALUE = (
    r"(\d+(?:, \d+){2,}|\d+ tens and \d+ ones|half past \d+|\$?\d+(?:[:.]\d+)?(?: o'clock)?|even\b|odd\b"
    r"|(?:(?:a|1|one) )?(?:half|third|fourth|quarter)\b|1/[234]\b|you can't\b)"
)
_STATED = re.compile(
    r"(?:=|(?<!this )(?<!here )(?<!there )(?<!name )\b(?:is|isn't it|was|be|are|equals?|makes|\d "
    r"make|gets?|i got|gives|answer:?))\s*"
    rf"(?:(?:really|actually|just|worth|the number|an?|only|about) )*{_VALUE}"
    r"(?!\d|\s*[-+*/]|\s(?:and \d|more|less|plus|minus|or|years|minutes|pages?|seconds|right|"
    r"correct|wrong)\b)"
    rf"|\b{_VALUE}(?: cents)? is (?:the |your )?(?:(?:right|correct) )?(?:answer|right|correct|it)\b"
    rf"|\bthere (?:is|are) {_VALUE}(?= (?:\w+ )?(?:left|in all|altogether)\b)"
)
_ONLY_VALUE = re.compile(
    rf"(?:(?:no|nope|yes|actually|not quite|so|ok|well|maybe|it is)\b\W*)*{_VALUE}(?: \w+)?\W*"
)
_SUGGESTS = re.compile(r"\bi think\b|\bisn't it\b|\bcould it be\b|\bmaybe\b|\bmight be\b|^\W*(?:so )?it is\b")
_REPORTS = re.compile(r"\byou (?:say|said|think|thought|told|wrote|put|got)\b")


def parse_answer(text: str) -> str | None:
    """The answer that a teacher's statement names ("I think it's forty-six" -> "46"), the last one, or None.

    Money keeps its dollar sign, a time is "3:00", a share is "a half". Never raises.
    """
    told = None
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", plain(text)):
        asks = sentence.rstrip().endswith("?") and not _SUGGESTS.search(sentence)
        if asks or _REPORTS.search(sentence):
            continue
        for match in _STATED.finditer(sentence):
            told = next(group for group in match.groups() if group)
        bare = _ONLY_VALUE.fullmatch(sentence.strip())
        if told is None and bare:
            told = bare[1]
    return None if told is None else _tidy(told)


def _tidy(answer: str) -> str:
    for denominator, names in ((2, "half|1/2"), (3, "third|1/3"), (4, "fourth|quarter|1/4")):
        if re.search(rf"(?:{names})$", answer):
            return SHARES[denominator]
    if answer.startswith("half past "):
        return f"{answer.removeprefix('half past ')}:30"
    return answer.replace(" o'clock", "" if ":" in answer else ":00")


# --- making -------------------------------------------------------------------------------------------

Made = tuple[tuple[int, ...], str | None, str]  # numbers, the right answer where words decide it, the wording

_NAMES = ("Sam", "Ana", "Leo", "Maya", "Ben", "Rosa", "Omar", "Lily", "Kai", "Nora")
_THINGS = ("stickers", "marbles", "shells", "crayons", "cards", "beads", "acorns", "blocks")
_TRIES = 5_000
"""Draws before giving up on a bug; the rarest one shows in about 1 of 50 problems of its kind."""


def generate(kind: str, rng: Random, bug: str | None = None) -> Problem:
    """A problem of that kind in a teacher's words. Given a bug, one on which that bug answers wrongly.

    Raises ValueError where the kind is unknown or the bug never shows in it.
    """
    if kind not in _MAKERS:
        raise ValueError(f"no problem kind {kind!r}; expected one of {', '.join(KINDS)}")
    if bug is not None and (bug not in bugs.BUGS or kind not in bugs.BUGS[bug].kinds):
        fitting = ", ".join(each.id for each in bugs.BUGS.values() if kind in each.kinds) or "none"
        raise ValueError(f"the bug {bug!r} never shows in {kind!r}; expected one of: {fitting}")
    for _ in range(_TRIES):
        numbers, right, text = _MAKERS[kind](rng)
        problem = Problem(kind, numbers, _RIGHT[kind](numbers) if right is None else right, text)
        if bug is None or bugs.apply(bug, problem) is not None:
            return problem
    raise ValueError(f"the bug {bug!r} did not show in {_TRIES} problems of kind {kind!r}")


def _add(rng: Random) -> Made:
    size = rng.choice(("facts", "ten", "tens", "tens", "hundreds"))
    if size == "facts":
        a, b = rng.randint(2, 10), rng.randint(2, 10)
    elif size == "ten":
        a, b = rng.randint(11, 89), 10
    elif size == "tens":
        a = rng.randint(11, 79)
        b = rng.randint(11, 99 - a) if a < 88 else 11
    else:
        a, b = rng.randint(101, 499), rng.randint(101, 499)
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    text = rng.choice((
        f"What is {a} plus {b}?",
        f"What is {a} + {b}?",
        f"Can you add {a} and {b} for me?",
        f"{name} had {a} {things} and found {b} more. How many {things} does {name} have now?",
    ))  # fmt: skip
    return (a, b), None, text


def _subtract(rng: Random) -> Made:
    size = rng.choice(("facts", "flip", "ten", "tens", "tens", "tens", "hundreds", "zero"))
    if size == "facts":
        a = rng.randint(5, 18)
        b = rng.randint(1, min(a - 1, 9))
    elif size == "flip":
        b = rng.randint(3, 9)
        a = rng.randint(1, b - 1)
        return (a, b), None, rng.choice((f"What is {a} - {b}?", f"What is {a} take away {b}?"))
    elif size == "ten":
        a, b = rng.randint(21, 99), 10
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
    text = rng.choice((
        f"What is {a} minus {b}?",
        f"What is {a} - {b}?",
        f"Can you work out {a} take away {b} for me?",
        f"What do you get if you take {b} away from {a}?",
        f"{name} had {a} {things} and gave away {b}. How many are left?",
    ))  # fmt: skip
    return (a, b), None, text


def _missing(rng: Random) -> Made:
    part = rng.randint(2, 9)
    total = part + rng.randint(2, 10)
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    text = rng.choice((
        f"? + {part} = {total}. What goes first?",
        f"What number plus {part} equals {total}?",
        f"{name} had some {things}. Mom gave {name} {part} more. Now {name} has {total} {things}."
        f" How many {things} did {name} have to start?",
    ))  # fmt: skip
    return (part, total), None, text


def _equation(rng: Random) -> Made:
    a, b = rng.randint(3, 9), rng.randint(2, 9)
    d = rng.randint(1, a + b - 1)
    text = rng.choice(
        (f"{a} + {b} = _ + {d}. What goes in the blank?", f"What goes in the box? {a} + {b} = [ ] + {d}")
    )
    return (a, b, d), None, text


def _compare_numbers(rng: Random) -> Made:
    low, high = rng.choice(((11, 99), (101, 999)))
    a, b = rng.sample(range(low, high + 1), 2)
    if rng.random() < 0.2:
        return (a, b), str(min(a, b)), f"Which number is smaller, {a} or {b}?"
    return (
        (a, b),
        None,
        rng.choice((f"Which is bigger, {a} or {b}?", f"Which number is greater, {a} or {b}?")),
    )


def _digit_value(rng: Random) -> Made:
    number = rng.randint(12, 99) if rng.random() < 0.7 else rng.randint(112, 989)
    digit = int(str(number)[0])
    text = rng.choice((f"What is the {digit} in {number} worth?", f"What does the {digit} in {number} mean?"))
    return (digit, number), None, text


def _write_number(rng: Random) -> Made:
    number = rng.randint(1, 9) * 100 + rng.choice((rng.randint(1, 9), rng.randint(1, 99)))
    words = say(number)
    text = rng.choice((f"Write {words} in numbers.", f"Can you write the number {words} for me?"))
    return (number,), None, text


def _next_number(rng: Random) -> Made:
    number = rng.randint(20, 998) if rng.random() < 0.5 else rng.randint(10, 98) * 10 + 9
    if rng.random() < 0.2:
        return (number, -1), None, f"What number comes right before {number}?"
    return (
        (number, 1),
        None,
        rng.choice((f"What comes after {number}?", f"What number comes right after {number}?")),
    )


def _unit_tens(rng: Random) -> Made:
    count = rng.randint(2, 9) if rng.random() < 0.3 else rng.randint(10, 40)
    text = rng.choice(
        (f"What number is {count} tens?", f"How many ones is {count} tens?", f"How much is {count} tens?")
    )
    return (count, 10), None, text


def _make_tens_ones(rng: Random) -> Made:
    number = rng.randint(11, 99)
    place = rng.choice((10, 1, 0))
    name = {10: "tens are", 1: "ones are", 0: "tens and ones are"}[place]
    if place == 1 and number % 10 == 0:
        number += 3
    return (number, place), None, f"How many {name} in {number}?"


def _more_story(rng: Random) -> Made:
    one, other = rng.sample(_NAMES, 2)
    things, apart = rng.choice(_THINGS), rng.randint(2, 9)
    known = apart + rng.randint(2, 12)
    if rng.random() < 0.3:
        apart = -apart
    word = "more" if apart > 0 else "fewer"
    text = (
        f"{one} has {known} {things}. That is {abs(apart)} {word} than {other}. How many "
        f"{things} does {other} have?"
    )
    return (known, apart), None, text


def _two_step(rng: Random) -> Made:
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    start, more = rng.randint(6, 40), rng.randint(3, 20)
    less = rng.randint(2, start + more - 1)
    text = (
        f"{name} had {start} {things}. {name} found {more} more. Then {name} gave away {less}."
        f" How many {things} does {name} have now?"
    )
    return (start, more, -less), None, text


def _even_odd(rng: Random) -> Made:
    number = rng.randint(2, 9) if rng.random() < 0.2 else rng.randint(10, 99)
    return (
        (number,),
        None,
        rng.choice((f"Is {number} even or odd?", f"Is {number} an even number or an odd number?")),
    )


def _array(rng: Random) -> Made:
    rows, wide, things = rng.randint(2, 5), rng.randint(2, 5), rng.choice(_THINGS)
    text = rng.choice((
        f"There are {rows} rows of {wide} {things}. How many {things} are there?",
        f"I made {rows} rows with {wide} {things} in each row. How many is that in all?",
    ))  # fmt: skip
    return (rows, wide), None, text


def _ruler(rng: Random) -> Made:
    start = rng.randint(0, 4)
    end = start + rng.randint(2, 7)
    thing = rng.choice(("pencil", "crayon", "ribbon", "leaf"))
    text = rng.choice((
        f"The {thing} goes from the {start} to the {end} on the inch ruler. How long is it?",
        f"On this ruler the {thing} starts at {start} and ends at {end}. How many inches long is "
        f"the {thing}?",
    ))  # fmt: skip
    return (start, end), None, text


def _clock(rng: Random) -> Made:
    hour, minute = rng.randint(1, 12), rng.randint(0, 11) * 5
    following, mark = hour % 12 + 1, minute // 5 or 12
    if minute == 0:
        where = f"on the {hour}"
    elif minute >= 40:
        where = f"almost on the {following}"
    else:
        where = f"between the {hour} and the {following}" if minute > 20 else f"just past the {hour}"
    short, long = rng.choice((("short", "long"), ("little", "big")))
    return (
        (hour, minute),
        None,
        f"The {short} hand is {where} and the {long} hand is on the {mark}. What time is it?",
    )


def _coins(rng: Random) -> Made:
    counts = [0, rng.randint(1, 5), rng.randint(0, 3), rng.randint(1, 6)]
    if rng.random() < 0.2:
        counts[0] = rng.randint(1, 2)
    names = ("quarter", "quarters"), ("dime", "dimes"), ("nickel", "nickels"), ("penny", "pennies")
    coins = [f"{count} {name[count > 1]}" for count, name in zip(counts, names, strict=True) if count]
    listed = f"{', '.join(coins[:-1])} and {coins[-1]}"
    text = rng.choice((f"I have {listed}. How many cents is that?", f"How much money is {listed}?"))
    return tuple(counts), None, text


def _bar_graph(rng: Random) -> Made:
    fewer = rng.randint(1, 8)
    more = fewer + rng.randint(1, 7)
    one, other = rng.sample(("cats", "dogs", "fish", "birds", "rabbits"), 2)
    text = (
        f"On our graph {more} kids like {one} and {fewer} kids like {other}. How many more kids "
        f"like {one} than {other}?"
    )
    return (more, fewer), None, text


def _compare_lengths(rng: Random) -> Made:
    short = rng.randint(5, 60)
    long = short + rng.randint(2, 30)
    thing, unit = rng.choice(("rope", "ribbon", "string")), rng.choice(("inches", "centimeters"))
    text = rng.choice((
        f"One {thing} is {long} {unit} and the other is {short} {unit}. How much longer is the "
        f"first {thing}?",
        f"A {thing} is {long} {unit} long and a stick is {short} {unit} long. How many {unit} "
        f"longer is the {thing}?",
    ))  # fmt: skip
    return (long, short), None, text


def _skip_count(rng: Random) -> Made:
    step, name = rng.choice(((2, "twos"), (5, "fives"), (10, "tens")))
    last = (
        step * rng.randint(1, 12)
        if rng.random() < 0.5
        else 100 * rng.randint(1, 8) + step * rng.randint(1, 90 // step)
    )
    if rng.random() < 0.4:
        return (last, step, 3), None, f"Can you count by {name} from {last}?"
    return (
        (last, step, 1),
        None,
        f"What comes next: {last - step * 2}, {last - step}, {last}?"
        if last >= step * 2
        else (f"When you count by {name}, what comes after {last}?"),
    )


def _write_cents(rng: Random) -> Made:
    cents = rng.randint(5, 99)
    return (
        (cents,),
        None,
        rng.choice((f"Write {cents} cents with a dollar sign.", f"How do you write {cents} cents with a $?")),
    )


def _compare_shares(rng: Random) -> Made:
    a, b = rng.sample(sorted(SHARES), 2)
    if rng.random() < 0.2:
        return (a, b), SHARES[max(a, b)], f"Which is smaller, {SHARES[a]} or {SHARES[b]} of the same pizza?"
    text = rng.choice((
        f"Which is bigger, {SHARES[a]} or {SHARES[b]}?",
        f"Would you get more with {SHARES[a]} of a cookie or {SHARES[b]} of a cookie?",
    ))  # fmt: skip
    return (a, b), None, text


def _beyond(rng: Random) -> Made:
    a, b = rng.randint(3, 9), rng.randint(3, 9)
    text = rng.choice((f"What is {a} times {b}?", f"What is {a} x {b}?", f"What is {a} divided by {b}?"))
    return (a, b), None, text


_MAKERS: Mapping[str, Callable[[Random], Made]] = {
    "add": _add,
    "subtract": _subtract,
    "missing": _missing,
    "equation": _equation,
    "compare-numbers": _compare_numbers,
    "digit-value": _digit_value,
    "write-number": _write_number,
    "next-number": _next_number,
    "unit-tens": _unit_tens,
    "tens-ones": _make_tens_ones,
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
}

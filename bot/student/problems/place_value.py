"""Place value: a digit's worth, numbers written in digits, tens and ones in a number and the number they make."""

from __future__ import annotations

import re

from bot.student.problems.asking import Asking
from bot.student.problems.columns import FACTS, of_place
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

_ASKS_WORTH = re.compile(r"worth|value|\bmean|stand")
_DIGIT_IN = re.compile(r"\b(\d) (?:\w+ )?in (?:the )?(?:number )?(\d{2,3})\b")
_NUMBER_THEN_DIGIT = re.compile(r"\b(\d{2,3})\b.*\bthe (\d)\b")


def _read_worth(asking: Asking) -> Reading | None:
    if not _ASKS_WORTH.search(asking.ask):
        return None
    if found := _DIGIT_IN.search(asking.scope):
        digit, number = found.groups()
    elif found := _NUMBER_THEN_DIGIT.search(asking.scope):
        number, digit = found.groups()
    else:
        return None
    return Reading("digit-value", (int(digit), int(number))) if digit in str(int(number)) else None


def _unit(digit: int, number: int) -> int:
    """The place of the leftmost `digit` in `number`: 1, 10 or 100."""
    return (1, 10, 100)[str(number)[::-1].rindex(str(digit))]


def _explain_worth(problem: Problem) -> tuple[str, ...]:
    digit, number = problem.numbers
    return (
        f"the {digit} in {number} is {of_place(digit, _unit(digit, number))}",
        f"so it's {problem.right}",
    )


def _face_value(problem: Problem) -> BuggyAnswer | None:
    """A digit is worth what it says, wherever it stands: the 1 in 16 is just one (Kamii 1986; Ross 1989)."""
    digit = problem.numbers[0]
    return BuggyAnswer.of(digit, f"it's {'an' if digit == 8 else 'a'} {digit}", f"so it's just {digit}")


DIGIT_VALUE = Kind(
    "digit-value",
    read=_read_worth,
    right=lambda numbers: str(numbers[0] * _unit(*numbers)),
    explain=_explain_worth,
    bugs=(Bug("face-value", _face_value),),
)
"""Numbers: digit, number."""

_WRITE = re.compile(
    r"\b(?:write|type) (?:down |out )?(?:(?:the (?:number|numeral) )?\W?\d+\W?|(?:that|this|it)(?: number)?\b)"
    r"(?: (?:in|with|using|as) (?:numbers?|digits|numerals?)| for me| please|\W)*$"
)


def _read_written(asking: Asking) -> Reading | None:
    scope, numbers = asking.scope, asking.numbers
    if len(numbers) != 1 or "cents" in scope or "$" in scope or not _WRITE.search(asking.ask):
        return None
    return Reading("write-number", numbers)


def _explain_written(problem: Problem) -> tuple[str, ...]:
    number = problem.numbers[0]
    tens, ones = of_place(number // 10 % 10, 10), of_place(number % 10, 1)
    hundreds = f"{of_place(number // 100, 100)} " if number >= 100 else ""
    return (f"it's {hundreds}{tens} and {ones}", f"so you write {number}")


def _write_as_heard(problem: Problem) -> BuggyAnswer | None:
    """Every piece of the number's name is written in full: three hundred six is 3006, 245 is 200405 (Fuson et
    al. 1997)."""
    number = problem.numbers[0]
    rest = number % 100
    pieces = [number - rest] + ([rest] if rest < FACTS else [rest - rest % 10, rest % 10])
    heard = [str(piece) for piece in pieces if piece]
    if number < 100:
        return None
    first, *others = heard
    return BuggyAnswer.of(
        "".join(heard), f"first you write {first}", *(f"then you write {o}" for o in others)
    )


WRITE_NUMBER = Kind(
    "write-number",
    read=_read_written,
    right=lambda numbers: str(numbers[0]),
    explain=_explain_written,
    bugs=(Bug("write-as-heard", _write_as_heard),),
)
"""Numbers: the number."""

_PLACE = re.compile(
    r"\bhow many (hundreds|tens|ones)( and (?:how many )?ones)?|\bin the (hundred|ten|one)s place"
)
_MADE_OF = re.compile(r"\d (?:hundreds|tens)\b")


def _read_place(asking: Asking) -> Reading | None:
    place = _PLACE.search(asking.ask)
    if place is None or len(asking.numbers) != 1 or "is that" in asking.ask or _MADE_OF.search(asking.scope):
        return None
    (number,) = asking.numbers
    if place[2]:
        return Reading("tens-ones", (number, 0)) if number < 100 else None
    size = {"h": 100, "t": 10, "o": 1}[(place[1] or place[3])[0]]
    if size == 1 and place[1] and number % 100 == 0:
        return None
    return Reading("tens-ones", (number, size), None if place[1] else str(number // size % 10))


def _right_of_place(numbers: tuple[int, ...]) -> str:
    number, place = numbers
    if place == 0:
        return f"{of_place(number // 10, 10)} and {of_place(number % 10, 1)}"
    # Ten tens make 100: with no tens or ones of its own the question is about the whole number.
    return str(number // place if number % 100 == 0 else number // place % 10)


def _explain_place(problem: Problem) -> tuple[str, ...]:
    number = problem.numbers[0]
    if number >= 100:
        return (f"i thought of the blocks for {number}", f"it's {problem.right}")
    return (f"{number} is {of_place(number // 10, 10)}", f"and {of_place(number % 10, 1)}")


TENS_ONES = Kind("tens-ones", read=_read_place, right=_right_of_place, explain=_explain_place)
"""Numbers: the number and the place asked (100, 10, 1; 0 for tens and ones)."""

_UNIT = r"\b(?:\d+|one|a) (?:hundred|ten|10|one)s?\b"
_ONE_UNIT = re.compile(_UNIT)
_UNITS = re.compile(rf"{_UNIT}(?:,? (?:and )?{_UNIT})*")
_UNIT_SIZE = {"h": 100, "t": 10, "1": 10, "o": 1}  # "1 ten" reads as "1 10"
_BUNDLES = re.compile(r"\b(\d+) (?:bundles|stacks|groups|rods) of 10\b")
_ASKS_NUMBER = re.compile(r"what is|how (?:much|many)|what number|which number|me the number|equals? what|_")
_ASKS_ELSE = re.compile(r"\b(?:more|less|than|from|away)\b|[-+]")


def _read_units(asking: Asking) -> Reading | None:
    ask = asking.ask
    if bundles := _BUNDLES.search(asking.scope):
        asked = "how many" in ask and len(asking.numbers) == 2
        return Reading("unit-tens", (int(bundles[1]), 10)) if asked else None
    runs = _UNITS.findall(ask)
    if not runs or not _ASKS_NUMBER.search(ask) or _ASKS_ELSE.search(ask):
        return None
    pairs = [each.split(" ") for each in _ONE_UNIT.findall(runs[-1])]
    sizes = [_UNIT_SIZE[unit[0]] for _, unit in pairs]
    if sizes[0] == 1 or sizes != sorted(set(sizes), reverse=True):
        return None
    counts = [int(count) if count.isdecimal() else 1 for count, _ in pairs]
    return Reading("unit-tens", tuple(n for pair in zip(counts, sizes, strict=True) for n in pair))


def _pairs(numbers: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _explain_units(problem: Problem) -> tuple[str, ...]:
    pairs = _pairs(problem.numbers)
    count, unit = pairs[0]
    if len(pairs) == 1 and count >= 10 == unit:
        return ("10 tens is a hundred", f"so {count} tens is {problem.right}")
    steps = (f"{of_place(count, unit)} is {count * unit}" for count, unit in pairs)
    return (*steps, f"so it's {problem.right}")


def _tens_are_ones(problem: Problem) -> BuggyAnswer | None:
    """Tens are counted as if each were one: 30 tens is 30. Up to nine the number's name helps: 3 tens, thirty
    (Cobb & Wheatley 1988)."""
    count, unit = problem.numbers[:2]
    if len(problem.numbers) != 2 or count < 10:
        return None
    return BuggyAnswer.of(count, f"it says {of_place(count, unit)}", f"so that's {count}")


UNIT_TENS = Kind(
    "unit-tens",
    read=_read_units,
    right=lambda numbers: str(sum(count * unit for count, unit in _pairs(numbers))),
    explain=_explain_units,
    bugs=(Bug("tens-are-ones", _tens_are_ones),),
)
"""Numbers: count and unit, for 30 tens (30, 10), for 4 tens and 6 ones (4, 10, 6, 1)."""

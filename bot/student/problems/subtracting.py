"""Taking away: counting back, thinking of adding, tens and ones; and the columns that go wrong."""

from __future__ import annotations

from bot.student.problems import hundreds, sums
from bot.student.problems.columns import FACTS, columns, from_columns
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem

YOU_CANT = "you can't"
"""The right answer to 4 - 9 before negative numbers are taught."""


def _right(numbers: tuple[int, ...]) -> str:
    a, b = numbers
    return str(a - b) if a >= b else YOU_CANT


def explain(a: int, b: int) -> tuple[str, ...]:
    """A child's steps from `a` to `a - b`."""
    if a < b:
        return (f"you only have {a}", f"you can't take away {b}")
    if b == 0:
        return ("you don't take any", f"it's still {a}")
    if b <= 3:
        counted = ", ".join(str(a - turn) for turn in range(1, b + 1))
        return (f"i started at {a}", f"i went back {counted}")
    if a <= FACTS:
        return (f"{b} and {a - b} more is {a}", f"so {a} take away {b} is {a - b}")
    steps, left = [], a
    for place in (1_000, 100, 10, 1):
        if part := b // place % 10 * place:
            steps.append(_take(left, part))
            left -= part
    if a % 10 < b % 10:
        steps.append("i opened up a ten for that")
    return tuple(steps) if len(steps) > 1 else (*steps, f"so there's {left} left")


def _take(a: int, b: int) -> str:
    return f"{a} take away {b} is {a - b}"


def _smaller_from_larger(problem: Problem) -> BuggyAnswer | None:
    """In each column the small digit is taken from the big one, whichever is on top: 52 - 17 is 45 (Brown &
    Burton 1978; Young & O'Shea 1981; VanLehn 1990)."""
    a, b = problem.numbers
    if a <= FACTS or b > a:
        return None
    width, shown = len(str(a)), len(str(b))
    pairs = [(max(pair), min(pair)) for pair in zip(columns(a, width), columns(b, width), strict=True)]
    steps = [_take(*pair) for pair in pairs[:shown]]
    if shown < width:
        steps.append(f"the {a // 10**shown} just stays")
    return BuggyAnswer.of(from_columns([big - small for big, small in pairs]), *steps)


def _borrow_across_zero(problem: Problem) -> BuggyAnswer | None:
    """A 0 on top has nothing to lend, so it is skipped and the next number to the left pays: 904 - 237 is 577
    (Brown & Burton 1978; Brown & VanLehn 1980)."""
    zero = _borrows_from_zero(problem)
    if zero is None:
        return None
    ones, tens, hundreds = zero
    left = hundreds[0] - 1
    steps = [f"you can't take from the 0 so i took one from the {hundreds[0]}", _take(ones[0] + 10, ones[1])]
    if tens[1]:
        left -= 1
        steps.append(f"the 0 needs one too so {_take(10, tens[1])}")
    if left < hundreds[1]:
        return None
    steps.append(_take(left, hundreds[1]) if hundreds[1] else f"there's {left} left")
    middle = 10 - tens[1] if tens[1] else 0
    answer = from_columns([ones[0] + 10 - ones[1], middle, left - hundreds[1]])
    return BuggyAnswer.of(answer, *steps)


def _borrow_from_zero(problem: Problem) -> BuggyAnswer | None:
    """The 0 on top becomes ten and lends one of it; the number to its left never pays for that: 103 - 45 is 158
    (Brown & Burton 1978; Brown & VanLehn 1980)."""
    zero = _borrows_from_zero(problem)
    if zero is None:
        return None
    ones, tens, hundreds = zero
    return BuggyAnswer.of(
        from_columns([ones[0] + 10 - ones[1], 9 - tens[1], hundreds[0] - hundreds[1]]),
        "the 0 turns into a ten and gives one so it's 9",
        _take(ones[0] + 10, ones[1]),
        _take(9, tens[1]),
        _take(*hundreds) if hundreds[1] else f"the {hundreds[0]} just stays",
    )


def _borrows_from_zero(problem: Problem) -> tuple[tuple[int, int], ...] | None:
    """The ones, tens and hundreds of both numbers, where the ones must borrow and the tens on top are 0."""
    a, b = problem.numbers
    if not 100 <= a < 1_000 or b > a:
        return None
    pairs = tuple(zip(columns(a, 3), columns(b, 3), strict=True))
    return pairs if pairs[0][0] < pairs[0][1] and pairs[1][0] == 0 else None


def _needless_borrow(problem: Problem) -> BuggyAnswer | None:
    """You always cross out a ten, also where there are ones enough, as in 58 - 23 (Brown & VanLehn 1980)."""
    a, b = problem.numbers
    top, bottom = columns(a, 4), columns(b, 4)
    if a <= FACTS or b < 10 or any(x < y for x, y in zip(top, bottom, strict=True)) or top[1] - 1 < bottom[1]:
        return None
    return BuggyAnswer.of(
        a - b - 10,
        f"you cross out the {top[1]} and make it {top[1] - 1}",
        _take(top[0], bottom[0]),
        _take(top[1] - 1, bottom[1]),
    )


def _flip_subtraction(problem: Problem) -> BuggyAnswer | None:
    """Taking away can be turned round as adding can: 4 - 9 is 9 - 4 (practitioner literature)."""
    a, b = problem.numbers
    if a >= b:
        return None
    return BuggyAnswer.of(b - a, f"you can flip it to {b} take away {a}", _take(b, a))


SUBTRACT = Kind(
    "subtract",
    read=sums.read,
    right=_right,
    explain=lambda problem: explain(*problem.numbers),
    bugs=(
        Bug("smaller-from-larger", _smaller_from_larger),
        Bug("borrow-across-zero", _borrow_across_zero),
        Bug("borrow-from-zero", _borrow_from_zero),
        Bug("needless-borrow", _needless_borrow),
        Bug("flip-subtraction", _flip_subtraction),
        sums.TEN_BY_ONES,
        *hundreds.TAKING_AWAY,
    ),
)
"""Numbers: from, away. The right answer is "you can't" where more is taken than there is."""

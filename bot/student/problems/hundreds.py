"""What goes wrong with hundreds, tens and ones where no zero is in the way (CCSS 2.NBT.B.7).

Wrong ways only; how the same numbers are read and worked out rightly is `adding` and `subtracting`.
"""

from __future__ import annotations

from bot.student.problems.columns import columns
from bot.student.problems.kind import Bug, BuggyAnswer, Problem


def _drops_new_hundred(problem: Problem) -> BuggyAnswer | None:
    """Ten ones make a ten, but ten tens stay tens and the new hundred is lost: 264 + 172 is 336 (compare Fuson
    1990; Fuson et al. 1997)."""
    pairs = _places(problem)
    if pairs is None or min(problem.numbers) < 10:
        return None
    (a, b), (c, d), (e, f) = pairs
    new_ten = (a + b) // 10
    tens = c + d + new_ten
    if tens < 10:
        return None
    middle = f"{c} and {d}{' and 1 more' if new_ten else ''} is {tens} so i put the {tens % 10}"
    last = f"{e} and {f} is {e + f}" if f else f"the {e} just comes down"
    return BuggyAnswer.of(
        100 * (e + f) + tens % 10 * 10 + (a + b) % 10, f"{a} and {b} is {a + b}", middle, last
    )


def _lines_up_left(problem: Problem) -> BuggyAnswer | None:
    """Numbers are put under each other by their first digits: 324 + 58 becomes 324 + 580 (practitioner literature;
    Fuson et al. 1997 on digits seen one by one)."""
    pairs = _places(problem)
    if pairs is None or not 10 <= min(problem.numbers) < 100:
        return None
    small, big = sorted(problem.numbers)
    (ones, _), (tens, _), (hundreds, _) = pairs
    return BuggyAnswer.of(
        big + 10 * small,
        f"i put the {small // 10} under the {hundreds} in front",
        f"{hundreds} and {small // 10} is {hundreds + small // 10}",
        f"{tens} and {small % 10} is {tens + small % 10}",
        f"the {ones} just comes down",
    )


def _unpaid_trade(problem: Problem) -> BuggyAnswer | None:
    """What is short gets a ten, but nobody gives one up: 452 - 137 is 325 (Brown & Burton 1978; VanLehn 1990)."""
    pairs = _no_zero_to_trade(problem)
    if pairs is None or all(top >= bottom for top, bottom in pairs):
        return None
    answer, steps = 0, []
    for place, (top, bottom) in enumerate(pairs):
        has = top if top >= bottom else top + 10
        answer += (has - bottom) * 10**place
        stays = place == 2 and bottom == 0
        steps.append(f"the {top} just stays" if stays else f"{has} take away {bottom} is {has - bottom}")
    return BuggyAnswer.of(answer, *steps)


def _hundred_stays_whole(problem: Problem) -> BuggyAnswer | None:
    """A ten is opened for the ones, a hundred never for the tens: there the small one is taken from the big one,
    537 - 264 is 333 (compare Brown & Burton 1978: borrow once, then smaller from larger)."""
    pairs = _no_zero_to_trade(problem)
    if pairs is None:
        return None
    (a, b), (c, d), (e, f) = pairs
    if a < b:
        a, c = a + 10, c - 1
    if c >= d:
        return None
    return BuggyAnswer.of(
        100 * (e - f) + 10 * (d - c) + a - b,
        f"{a} take away {b} is {a - b}",
        f"you can't open a hundred so {d} take away {c} is {d - c}",
        f"{e} take away {f} is {e - f}" if f else f"the {e} just stays",
    )


def _stops_at_blank(problem: Problem) -> BuggyAnswer | None:
    """Where nothing stands below, there is nothing to do and nothing to write: 486 - 52 is 34 (VanLehn 1990)."""
    pairs = _no_zero_to_trade(problem)
    a, b = problem.numbers
    if pairs is None or not 10 <= b < 100:
        return None
    (ones, away), (tens, tens_away), (hundreds, _) = pairs
    if ones < away:
        ones, tens = ones + 10, tens - 1
    if tens < tens_away:
        tens, hundreds = tens + 10, hundreds - 1
    return BuggyAnswer.of(
        (a - b) % 100,
        f"{ones} take away {away} is {ones - away}",
        f"{tens} take away {tens_away} is {tens - tens_away}",
        f"there's nothing under the {hundreds} so you're done" if hundreds else "then you're done",
    )


def _places(problem: Problem) -> tuple[tuple[int, int], ...] | None:
    """Ones, tens and hundreds of two numbers, the bigger one first; None unless that has three digits."""
    if len(problem.numbers) != 2:
        return None
    small, big = sorted(problem.numbers)
    if not 100 <= big < 1_000:
        return None
    return tuple(zip(columns(big, 3), columns(small, 3), strict=True))


def _no_zero_to_trade(problem: Problem) -> tuple[tuple[int, int], ...] | None:
    """The same where the first number is the bigger one and has tens to open."""
    pairs = _places(problem)
    a, b = problem.numbers
    return pairs if pairs is not None and a > b and pairs[1][0] else None


ADDING = (Bug("drops-new-hundred", _drops_new_hundred), Bug("lines-up-left", _lines_up_left))
TAKING_AWAY = (
    Bug("unpaid-trade", _unpaid_trade),
    Bug("hundred-stays-whole", _hundred_stays_whole),
    Bug("stops-at-blank", _stops_at_blank),
)

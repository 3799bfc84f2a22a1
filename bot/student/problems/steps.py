"""How the child gets to a right answer, in its own words, with the strategies of second grade.

Known doubles, make ten, counting on, tens and ones (Carpenter & Moser 1984; Fuson 1992). It knows nothing of
wrong ideas: those are `bugs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.student.problems.problems import Problem

FACTS = 20
"""Sums and differences up to here are known or counted, not worked out with tens (CCSS 2.OA.B.2)."""


def explain_right(problem: Problem) -> tuple[str, ...]:
    """The child's own steps to the right answer, two to four; none for a problem beyond second grade."""
    return _RIGHT_WAYS[problem.kind](problem) if problem.kind in _RIGHT_WAYS else ()


def _add(problem: Problem) -> tuple[str, ...]:
    return _adding(*problem.numbers)


def _adding(*numbers: int) -> tuple[str, ...]:
    if len(numbers) != 2:
        steps, total = [], numbers[0]
        for number in numbers[1:]:
            steps.append(f"{total} and {number} is {total + number}")
            total += number
        return tuple(steps[-4:])
    small, big = sorted(numbers)
    total = small + big
    if big <= 10:
        return _adding_facts(small, big)
    if small == 10:
        return (f"{big} has {big // 10} tens", f"one more ten makes {total}")
    if small < 10:
        if big % 10 + small <= 10:
            return (f"{big % 10} and {small} is {big % 10 + small}", f"so it's {total}")
        to_ten = 10 - big % 10
        return (f"{big} and {to_ten} more is {big + to_ten}", f"then {small - to_ten} more is {total}")
    parts = []
    for place in (1_000, 100, 10, 1):
        x, y = big // place % 10 * place, small // place % 10 * place
        if x or y:
            parts.append((x + y, f"{x} and {y} is {x + y}" if x and y else f"there's {x + y}"))
    sums = " and ".join(str(part) for part, _ in parts)
    return (*(step for _, step in parts), f"{sums} is {total}")


def _adding_facts(small: int, big: int) -> tuple[str, ...]:
    total = small + big
    if small == big:
        return ("it's a double", f"{small} and {small} is {total}")
    if small == 0:
        return ("you don't add any", f"it's still {big}")
    if small <= 3:
        counted = ", ".join(str(big + turn) for turn in range(1, small + 1))
        return (f"i started at {big}", f"i counted {counted}")
    if big >= 8 and total > 10 and big < 10:
        return (f"{big} and {10 - big} more is 10", f"{total - 10} more is {total}")
    if big == small + 1:
        return (f"{small} and {small} is {2 * small}", f"one more is {total}")
    if big == 10:
        return (f"10 and {small} is {total}", "you just put the ten in front")
    return (f"i started at {big}", f"i counted {small} more and got {total}")


def _subtract(problem: Problem) -> tuple[str, ...]:
    return _taking(*problem.numbers)


def _taking(a: int, b: int) -> tuple[str, ...]:
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
            steps.append(f"{left} take away {part} is {left - part}")
            left -= part
    if a % 10 < b % 10:
        steps.append("i opened up a ten for that")
    return tuple(steps) if len(steps) > 1 else (*steps, f"so there's {left} left")


def _missing(problem: Problem) -> tuple[str, ...]:
    part, total = problem.numbers
    if part < 0:
        return (f"{total} is left and {-part} went away", f"so before it was {total - part}")
    return (f"i thought {part} and how many more is {total}", f"{part} and {total - part} is {total}")


def _equation(problem: Problem) -> tuple[str, ...]:
    a, b, d = problem.numbers
    side = f"{a} and {b} is {a + b}" if b >= 0 else f"{a} take away {-b} is {a + b}"
    other = (
        f"{problem.right} and {d} is {a + b} too"
        if d >= 0
        else f"{problem.right} take away {-d} is {a + b} too"
    )
    return (side, "the other side has to be the same", other)


def _compare_numbers(problem: Problem) -> tuple[str, ...]:
    low, high = sorted(problem.numbers)
    if len(str(low)) < len(str(high)):
        return (f"{low} is littler", f"you say {low} way before {high} when you count")
    places = ((100, "hundreds"), (10, "tens"), (1, "ones"))
    place, name = next(each for each in places if high // each[0] % 10 != low // each[0] % 10)
    x, y = high // place % 10, low // place % 10
    return (f"{high} has {x} {name} and {low} only has {y}", f"so {high} is bigger")


def _digit_value(problem: Problem) -> tuple[str, ...]:
    digit, number = problem.numbers
    worth = int(problem.right)
    name = {1: "ones", 10: "tens", 100: "hundreds"}[10 ** (len(str(worth)) - 1)] if digit else "nothing"
    return (f"the {digit} in {number} is {digit} {name}", f"so it's {worth}")


def _write_number(problem: Problem) -> tuple[str, ...]:
    number = problem.numbers[0]
    if number < 100:
        return (f"it's {number // 10} tens and {number % 10} ones", f"so you write {number}")
    return (
        f"it's {number // 100} hundreds {number // 10 % 10} tens and {number % 10} ones",
        f"so you write {number}",
    )


def _next_number(problem: Problem) -> tuple[str, ...]:
    number, step = problem.numbers
    if step > 0:
        return (f"i counted {number - 1}, {number}", f"then it's {number + 1}")
    return (f"i counted {number - 2}, {number - 1}, {number}", f"{number - 1} is right before")


def _unit_tens(problem: Problem) -> tuple[str, ...]:
    numbers = problem.numbers
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if len(pairs) == 1 and pairs[0] > (9, 10) and pairs[0][1] == 10:
        return ("10 tens is a hundred", f"so {numbers[0]} tens is {problem.right}")
    names = {1: "ones", 10: "tens", 100: "hundreds"}
    return (
        *(f"{count} {names[unit]} is {count * unit}" for count, unit in pairs),
        f"so it's {problem.right}",
    )


def _tens_ones(problem: Problem) -> tuple[str, ...]:
    number = problem.numbers[0]
    if number >= 100:
        return (f"i thought of the blocks for {number}", f"it's {problem.right}")
    return (f"{number} is {number // 10} tens", f"and {number % 10} ones")


def _more_story(problem: Problem) -> tuple[str, ...]:
    known, apart = problem.numbers
    if apart > 0:
        return (f"the other one has {apart} less", *_taking(known, apart))
    return (f"the other one has {-apart} more", *_adding(known, -apart))


def _two_step(problem: Problem) -> tuple[str, ...]:
    steps, total = [], problem.numbers[0]
    for change in problem.numbers[1:]:
        word = "and" if change >= 0 else "take away"
        steps.append(f"{total} {word} {abs(change)} is {total + change}")
        total += change
    return tuple(steps)


def _even_odd(problem: Problem) -> tuple[str, ...]:
    number = problem.numbers[0]
    return (f"i put {number} in twos", "nobody is left over" if number % 2 == 0 else "one is left over")


def _array(problem: Problem) -> tuple[str, ...]:
    rows, wide = problem.numbers
    return (f"i counted by {wide}s", ", ".join(str(wide * row) for row in range(1, rows + 1)))


def _ruler(problem: Problem) -> tuple[str, ...]:
    start, end = problem.numbers
    return (f"i counted the spaces from {start} to {end}", f"there's {end - start}")


def _clock(problem: Problem) -> tuple[str, ...]:
    hour, minute = problem.numbers
    if minute == 0:
        return ("the long hand is all the way up", f"so it's {hour} o'clock")
    past = f"it's past the {hour} but not {hour % 12 + 1} yet"
    if minute == 30:
        return (past, f"it's halfway so it's {problem.right}")
    return (past, f"i counted by fives to {minute}")


def _coins(problem: Problem) -> tuple[str, ...]:
    steps = []
    for count, cents, name in zip(
        problem.numbers, (25, 10, 5, 1), ("quarter", "dime", "nickel", "penny"), strict=True
    ):
        if count:
            names = name if count == 1 else "pennies" if name == "penny" else f"{name}s"
            steps.append(f"{count} {names} is {count * cents}")
    return (*steps[:3], f"so it's {problem.right} cents")


def _apart(problem: Problem) -> tuple[str, ...]:
    a, b = problem.numbers
    return (f"i put {b} next to {a}", f"{a} take away {b} is {a - b}")


def _skip_count(problem: Problem) -> tuple[str, ...]:
    last, step, _ = problem.numbers
    return (
        f"you go {step} every time" if step > 0 else f"you go back {-step} every time",
        f"{last}, {problem.right}",
    )


def _write_cents(problem: Problem) -> tuple[str, ...]:
    return ("it's not a whole dollar", f"so you write {problem.right}")


def _compare_shares(problem: Problem) -> tuple[str, ...]:
    low, high = sorted(problem.numbers)
    return (f"if you cut it in {high} the pieces get little", f"if you cut it in {low} they're bigger")


_RIGHT_WAYS: Mapping[str, Callable[[Problem], tuple[str, ...]]] = {
    "add": _add,
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
    "bar-graph": _apart,
    "compare-lengths": _apart,
    "skip-count": _skip_count,
    "write-cents": _write_cents,
    "compare-shares": _compare_shares,
}

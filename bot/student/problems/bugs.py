"""Procedural misconceptions: the wrong answer each one gives, and how the child gets there.

Each bug is arithmetic on a `Problem`; steps are a child's own words. Whether the child holds a bug just now,
or drops it, is `mind`; which lessons it belongs to is data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.student.problems.steps import FACTS, explain_right

if TYPE_CHECKING:
    from bot.student.problems.problems import Problem

__all__ = ["BUGS", "Bug", "BuggyAnswer", "apply", "explain_right"]


@dataclass(frozen=True, slots=True)
class BuggyAnswer:
    """A wrong answer and two to four clauses that lead to it, to be joined with "and then" or "so"."""

    answer: str
    steps: tuple[str, ...]


Slip = Callable[["Problem"], "BuggyAnswer | None"]


@dataclass(frozen=True, slots=True)
class Bug:
    """A wrong procedure: the problem kinds it can show in, the source that documents it, the procedure."""

    id: str
    kinds: tuple[str, ...]
    source: str
    slip: Slip


_FOUND: dict[str, Bug] = {}
BUGS: Mapping[str, Bug] = MappingProxyType(_FOUND)
"""Every bug by id."""


def apply(bug_id: str, problem: Problem) -> BuggyAnswer | None:
    """The bug's answer to the problem, or None where the bug does not show in it (it would answer rightly).

    Raises KeyError where there is no such bug.
    """
    bug = BUGS[bug_id]
    slip = bug.slip(problem) if problem.kind in bug.kinds else None
    return None if slip is None or slip.answer == problem.right else slip


def _bug(bug_id: str, *kinds: str, source: str) -> Callable[[Slip], Slip]:
    def register(slip: Slip) -> Slip:
        _FOUND[bug_id] = Bug(bug_id, kinds, source, slip)
        return slip

    return register


def _columns(number: int, width: int) -> list[int]:
    """The digits from the ones on, with zeros up to `width`."""
    return [number // 10**place % 10 for place in range(width)]


def _number(columns: list[int]) -> int:
    return sum(digit * 10**place for place, digit in enumerate(columns))


# --- taking away --------------------------------------------------------------------------------------


@_bug(
    "smaller-from-larger",
    "subtract",
    source="Brown & Burton 1978; Young & O'Shea 1981; VanLehn 1990: 52 - 17 = 45",
)
def _smaller_from_larger(problem: Problem) -> BuggyAnswer | None:
    """In each column the small digit is taken from the big one, whichever is on top."""
    a, b = problem.numbers
    if a <= FACTS or b > a:
        return None
    width = len(str(a))
    top, bottom = _columns(a, width), _columns(b, width)
    shown = len(str(b))
    steps = [
        f"{max(pair)} take away {min(pair)} is {abs(pair[0] - pair[1])}"
        for pair in zip(top, bottom, strict=True)
    ]
    steps = steps[:shown]
    if shown < width:
        steps.append(f"the {a // 10**shown} just stays")
    answer = _number([abs(x - y) for x, y in zip(top, bottom, strict=True)])
    return BuggyAnswer(str(answer), tuple(steps))


@_bug("borrow-across-zero", "subtract", source="Brown & Burton 1978; Brown & VanLehn 1980: 904 - 237 = 577")
def _borrow_across_zero(problem: Problem) -> BuggyAnswer | None:
    """A 0 on top has nothing to lend, so it is skipped and the next number to the left pays."""
    a, b = problem.numbers
    zero = _borrows_from_zero(a, b)
    if zero is None:
        return None
    ones, tens, hundreds = zero
    left, steps = hundreds[0] - 1, []
    steps.append(f"you can't take from the 0 so i took one from the {hundreds[0]}")
    steps.append(f"{ones[0] + 10} take away {ones[1]} is {ones[0] + 10 - ones[1]}")
    if tens[1]:
        left -= 1
        steps.append(f"the 0 needs one too so {10} take away {tens[1]} is {10 - tens[1]}")
    if left < hundreds[1]:
        return None
    steps.append(
        f"{left} take away {hundreds[1]} is {left - hundreds[1]}" if hundreds[1] else f"there's {left} left"
    )
    middle = 10 - tens[1] if tens[1] else 0
    return BuggyAnswer(str(_number([ones[0] + 10 - ones[1], middle, left - hundreds[1]])), tuple(steps))


@_bug("borrow-from-zero", "subtract", source="Brown & Burton 1978: 103 - 45 = 158; Brown & VanLehn 1980")
def _borrow_from_zero(problem: Problem) -> BuggyAnswer | None:
    """The 0 on top becomes ten and lends one of it; the number to its left never pays for that."""
    a, b = problem.numbers
    zero = _borrows_from_zero(a, b)
    if zero is None:
        return None
    ones, tens, hundreds = zero
    return BuggyAnswer(
        str(_number([ones[0] + 10 - ones[1], 9 - tens[1], hundreds[0] - hundreds[1]])),
        (
            "the 0 turns into a ten and gives one so it's 9",
            f"{ones[0] + 10} take away {ones[1]} is {ones[0] + 10 - ones[1]}",
            f"9 take away {tens[1]} is {9 - tens[1]}",
            f"{hundreds[0]} take away {hundreds[1]} is {hundreds[0] - hundreds[1]}"
            if hundreds[1]
            else f"the {hundreds[0]} just stays",
        ),
    )


def _borrows_from_zero(a: int, b: int) -> tuple[tuple[int, int], ...] | None:
    """The ones, tens and hundreds of a and b, where the ones must borrow and the tens of `a` are 0."""
    if not 100 <= a < 1_000 or b > a:
        return None
    columns = tuple(zip(_columns(a, 3), _columns(b, 3), strict=True))
    return columns if columns[0][0] < columns[0][1] and columns[1][0] == 0 else None


@_bug("needless-borrow", "subtract", source="Brown & VanLehn 1980: 58 - 23, the 5 is crossed out")
def _needless_borrow(problem: Problem) -> BuggyAnswer | None:
    """You always cross out a ten, also where there are ones enough."""
    a, b = problem.numbers
    top, bottom = _columns(a, 4), _columns(b, 4)
    if a <= FACTS or b < 10 or any(x < y for x, y in zip(top, bottom, strict=True)) or top[1] - 1 < bottom[1]:
        return None
    return BuggyAnswer(
        str(a - b - 10),
        (
            f"you cross out the {top[1]} and make it {top[1] - 1}",
            f"{top[0]} take away {bottom[0]} is {top[0] - bottom[0]}",
            f"{top[1] - 1} take away {bottom[1]} is {top[1] - 1 - bottom[1]}",
        ),
    )


@_bug("flip-subtraction", "subtract", source="practitioner literature: 4 - 9 is the same as 9 - 4")
def _flip_subtraction(problem: Problem) -> BuggyAnswer | None:
    """Taking away can be turned round as adding can."""
    a, b = problem.numbers
    if a >= b:
        return None
    return BuggyAnswer(str(b - a), (f"you can flip it to {b} take away {a}", f"{b} take away {a} is {b - a}"))


# --- adding -------------------------------------------------------------------------------------------


@_bug("no-carry", "add", source="Fuson 1990; Fuson et al. 1997: 38 + 25 = 513")
def _no_carry(problem: Problem) -> BuggyAnswer | None:
    """Every column's whole sum is written down."""
    sums = _column_sums(problem.numbers)
    if sums is None:
        return None
    steps = [step for step, _ in sums]
    answer = "".join(str(total) for _, total in reversed(sums))
    return BuggyAnswer(answer, (*steps, f"so you write {answer}"))


@_bug("drops-carry", "add", source="Fuson 1990: 38 + 25 = 53")
def _drops_carry(problem: Problem) -> BuggyAnswer | None:
    """Only the ones of a column's sum are written and the little 1 is forgotten."""
    sums = _column_sums(problem.numbers)
    if sums is None:
        return None
    digits = [total % 10 for _, total in sums[:-1]] + [sums[-1][1]]
    steps = [f"{step} so i put the {total % 10}" if total > 9 else step for step, total in sums[:-1]]
    return BuggyAnswer(str(_number(digits)), (*steps, sums[-1][0]))


def _column_sums(numbers: tuple[int, ...]) -> list[tuple[str, int]] | None:
    """For each column from the ones on: the child's words and the sum; None for facts and sums of three."""
    if len(numbers) != 2 or max(numbers) < 10 or sum(numbers) <= FACTS or min(numbers) == 0:
        return None
    width = len(str(max(numbers)))
    pairs = list(zip(*(_columns(number, width) for number in numbers), strict=True))
    shown = len(str(min(numbers)))
    return [
        (f"{x} and {y} is {x + y}" if place < shown else f"the {x + y} just comes down", x + y)
        for place, (x, y) in enumerate(pairs)
    ]


@_bug(
    "ten-by-ones",
    "add",
    "subtract",
    source="Fuson et al. 1997; Cobb & Wheatley 1988: ten is counted by ones; one is lost as in Fuson 1992",
)
def _ten_by_ones(problem: Problem) -> BuggyAnswer | None:
    """Ten more is ten single counts, and the first one is said for the number itself: 46 + 10 = 55."""
    if len(problem.numbers) != 2:
        return None
    a, b = problem.numbers
    if problem.kind == "add" and a == 10:
        a, b = b, a
    if b != 10 or a <= FACTS:
        return None
    way = 1 if problem.kind == "add" else -1
    answer = a + way * 9
    return BuggyAnswer(
        str(answer),
        (
            f"i counted ten {'more' if way > 0 else 'back'} on my fingers",
            f"{a}, {a + way}, {a + 2 * way} all the way to {answer}",
        ),
    )


@_bug("start-number-twice", "add", source="Fuson 1992: 8 + 3 is 8, 9, 10")
def _start_number_twice(problem: Problem) -> BuggyAnswer | None:
    """Counting on begins by saying the start number."""
    if len(problem.numbers) != 2:
        return None
    small, big = sorted(problem.numbers)
    if not 2 <= small <= 9 or small == big or small + big > FACTS:
        return None
    said = ", ".join(str(big + turn) for turn in range(small))
    return BuggyAnswer(
        str(big + small - 1), (f"i started on {big} and did {small} fingers", f"i went {said}")
    )


# --- tens and ones ------------------------------------------------------------------------------------


@_bug("face-value", "digit-value", source="Kamii 1986; Ross 1989: the 1 in 16 is just one")
def _face_value(problem: Problem) -> BuggyAnswer | None:
    """A digit is worth what it says, wherever it stands."""
    digit = problem.numbers[0]
    return BuggyAnswer(str(digit), (f"it's a {digit}", f"so it's just {digit}"))


@_bug("write-as-heard", "write-number", source="Fuson et al. 1997: three hundred six is 3006, 245 is 200405")
def _write_as_heard(problem: Problem) -> BuggyAnswer | None:
    """Every piece of the number's name is written in full, one after the other."""
    number = problem.numbers[0]
    rest = number % 100
    pieces = [number - rest] + ([rest] if rest < FACTS else [rest - rest % 10, rest % 10])
    heard = [str(piece) for piece in pieces if piece]
    if number < 100 or len(heard) < 2:
        return None
    return BuggyAnswer(
        "".join(heard), (f"first you write {heard[0]}", *(f"then you write {piece}" for piece in heard[1:]))
    )


_TURNED = {"<": ">", ">": "<", "yes": "no", "no": "yes"}


@_bug(
    "compare-digits",
    "compare-numbers",
    source="practitioner literature: 398 is bigger than 412, it has a 9 and an 8",
)
def _compare_digits(problem: Problem) -> BuggyAnswer | None:
    """The number with the biggest digit in it is the bigger number."""
    low, high = sorted(problem.numbers)
    if len(str(low)) != len(str(high)) or sorted(str(low))[::-1] <= sorted(str(high))[::-1]:
        return None
    digits = sorted(str(low))[::-1][:2]
    has = " and ".join(f"{'an' if digit == '8' else 'a'} {digit}" for digit in dict.fromkeys(digits))
    answer = _TURNED.get(problem.right) or str(low if problem.right == str(high) else high)
    return BuggyAnswer(answer, (f"{low} has {has} in it", f"so {low} is bigger"))


@_bug("skipped-decade", "next-number", "skip-count", source="Fuson 1990: 108, 109, 200; after 199 comes 1000")
def _skipped_decade(problem: Problem) -> BuggyAnswer | None:
    """After the nine of any ten above 100 the count jumps to the next hundred."""
    if problem.kind == "next-number":
        (last, step), terms = problem.numbers, 1
    else:
        last, step, terms = problem.numbers
    if last < 100 or not 0 < step < 10:
        return None
    said, now, jumped = [], last, False
    for _ in range(terms):
        following = now + step
        if not jumped and following // 10 != now // 10:
            # 199 is already the last before a hundred, so the next thing there is to say is a thousand.
            following = (now // 100 + 1) * 100 if following % 100 >= 10 else 1_000
            jumped = True
        now = following
        said.append(now)
    landed = next((number for number in said if number % 100 == 0), last)
    before = said[said.index(landed) - 1] if landed in said[1:] else last
    return BuggyAnswer(", ".join(map(str, said)), (f"i got to {before}", f"then it's {landed}"))


@_bug("tens-are-ones", "unit-tens", source="Cobb & Wheatley 1988: 30 tens is 30")
def _tens_are_ones(problem: Problem) -> BuggyAnswer | None:
    """Tens are counted as if each were one. Up to nine tens the number's name helps (3 tens, thirty)."""
    if len(problem.numbers) != 2 or problem.numbers[0] < 10:
        return None
    count, unit = problem.numbers
    name = "tens" if unit == 10 else "hundreds"
    return BuggyAnswer(str(count), (f"it says {count} {name}", f"so that's {count}"))


# --- equations and stories ----------------------------------------------------------------------------


@_bug(
    "equals-means-answer", "equation", source="Falkner, Levi & Carpenter 1999: 8 + 4 = _ + 5 is 12 for 58 %"
)
def _equals_means_answer(problem: Problem) -> BuggyAnswer | None:
    """The equal sign says: now comes the answer."""
    a, b, _ = problem.numbers
    joined = f"{a} and {b} is {a + b}" if b >= 0 else f"{a} take away {-b} is {a + b}"
    return BuggyAnswer(str(a + b), (joined, "the answer goes after the equals"))


@_bug("adds-all", "equation", source="Falkner, Levi & Carpenter 1999: 8 + 4 = _ + 5 is 17 for 13 %")
def _adds_all(problem: Problem) -> BuggyAnswer | None:
    """Every number in sight is added up."""
    a, b, d = problem.numbers
    if min(b, d) < 0:
        return None
    return BuggyAnswer(str(a + b + d), (f"{a} and {b} is {a + b}", f"and {d} more is {a + b + d}"))


@_bug(
    "more-means-add",
    "more-story",
    source="Riley, Greeno & Heller 1983; Carpenter et al. 1999: 12 is 5 more than Bo's 17",
)
def _more_means_add(problem: Problem) -> BuggyAnswer | None:
    """The word decides: more is plus, fewer is take away."""
    known, apart = problem.numbers
    if apart > 0:
        return BuggyAnswer(
            str(known + apart), ("it says more so you add", f"{known} and {apart} is {known + apart}")
        )
    if known + apart < 0:
        return None
    return BuggyAnswer(
        str(known + apart),
        ("it says fewer so you take away", f"{known} take away {-apart} is {known + apart}"),
    )


@_bug("start-unknown-adds", "missing", source="Carpenter & Moser 1984: ? + 6 = 15 is 21")
def _start_unknown_adds(problem: Problem) -> BuggyAnswer | None:
    """There is no first number to begin with, so the two that are there are added."""
    part, total = problem.numbers
    if part < 0:
        return None
    return BuggyAnswer(
        str(part + total), (f"it says {part} and {total}", f"{total} and {part} more is {part + total}")
    )


@_bug("one-step-only", "two-step", source="practitioner literature: one story, one sum")
def _one_step_only(problem: Problem) -> BuggyAnswer | None:
    """After the first sum the story is done."""
    start, change = problem.numbers[:2]
    if start + change < 0:
        return None
    step = f"{start} and {change} is" if change >= 0 else f"{start} take away {-change} is"
    return BuggyAnswer(str(start + change), (f"first there was {start}", f"{step} {start + change}"))


@_bug(
    "adds-to-compare",
    "compare-lengths",
    "bar-graph",
    source="practitioner literature: how much longer, 31 and 25 is 56",
)
def _adds_to_compare(problem: Problem) -> BuggyAnswer | None:
    """How much longer, how many more: put both numbers together."""
    a, b = problem.numbers
    return BuggyAnswer(str(a + b), (f"there's {a} and there's {b}", f"{a} and {b} is {a + b}"))


@_bug("tallest-bar", "bar-graph", source="Curcio 1987: the data are read, not compared")
def _tallest_bar(problem: Problem) -> BuggyAnswer | None:
    """How many more is how many the taller bar has."""
    tall = max(problem.numbers)
    return BuggyAnswer(str(tall), ("i looked at the tall one", f"it goes up to {tall}"))


@_bug(
    "even-by-first-digit",
    "even-odd",
    source="after Ball 1993; practitioner literature: 14 is odd because 1 is odd",
)
def _even_by_first_digit(problem: Problem) -> BuggyAnswer | None:
    """The first digit decides."""
    number = problem.numbers[0]
    first = int(str(number)[0])
    if number < 10:
        return None
    answer = "odd" if first % 2 else "even"
    return BuggyAnswer(answer, (f"it starts with {first}", f"{first} is {answer}"))


@_bug(
    "array-adds-sides",
    "array",
    source="Battista et al. 1998; Outhred & Mitchelmore 2000: 3 rows of 4 is 3 + 4",
)
def _array_adds_sides(problem: Problem) -> BuggyAnswer | None:
    """Only the two sides are seen, and they are added."""
    rows, wide = problem.numbers
    return BuggyAnswer(
        str(rows + wide),
        (f"there's {rows} this way and {wide} that way", f"{rows} and {wide} is {rows + wide}"),
    )


# --- measuring ----------------------------------------------------------------------------------------


@_bug("ruler-end-reading", "ruler", source="Solomon et al. 2015; Kwon et al. 2024: from 1 to 5 is 5")
def _ruler_end_reading(problem: Problem) -> BuggyAnswer | None:
    """The length is the number at the end."""
    end = problem.numbers[1]
    return BuggyAnswer(str(end), ("i looked where it stops", f"it stops at the {end}"))


@_bug("counts-ticks", "ruler", source="Solomon et al. 2015; Lehrer 2003: marks are counted, not spaces")
def _counts_ticks(problem: Problem) -> BuggyAnswer | None:
    """The marks are counted with the one at the start."""
    start, end = problem.numbers
    if end <= start:
        return None
    counted = end - start + 1
    return BuggyAnswer(
        str(counted), ("i counted the lines", f"from the {start} to the {end} there's {counted} lines")
    )


@_bug(
    "hour-hand-nearest",
    "clock",
    source="practitioner literature; Earnest 2017 on reading clocks: 3:50 is 4:50",
)
def _hour_hand_nearest(problem: Problem) -> BuggyAnswer | None:
    """The hour is the number that the short hand is nearest to."""
    hour, minute = problem.numbers
    if minute <= 30:
        return None
    nearest = hour % 12 + 1
    return BuggyAnswer(
        f"{nearest}:{minute:02}",
        (
            f"the short hand is by the {nearest}",
            f"the long hand is {minute}",
            f"so it's {nearest}:{minute:02}",
        ),
    )


@_bug("minutes-as-written", "clock", source="practitioner literature: 4:15 is 4:03")
def _minutes_as_written(problem: Problem) -> BuggyAnswer | None:
    """The long hand says the number it points at."""
    hour, minute = problem.numbers
    if minute == 0 or minute % 5:
        return None
    mark = minute // 5
    return BuggyAnswer(
        f"{hour}:{mark:02}", (f"the short one is {hour}", f"the long hand is on the {mark} so it's {mark}")
    )


@_bug("counts-coins", "coins", source="practitioner literature: 3 dimes and 2 pennies are 5 cents")
def _counts_coins(problem: Problem) -> BuggyAnswer | None:
    """Every coin is one."""
    counts = [count for count in problem.numbers if count]
    if sum(counts) < 2:
        return None
    return BuggyAnswer(str(sum(counts)), ("i counted all of them", f"there's {sum(counts)}"))


@_bug("cents-as-dollars", "write-cents", source="practitioner literature: 35 cents is $35")
def _cents_as_dollars(problem: Problem) -> BuggyAnswer | None:
    """The dollar sign is just the sign for money."""
    cents = problem.numbers[0]
    return BuggyAnswer(f"${cents}", (f"it's {cents}", "you put the money sign in front"))


@_bug(
    "more-pieces-is-bigger", "compare-shares", source="Ni & Zhou 2005: fourths are bigger, 4 is more than 2"
)
def _more_pieces_is_bigger(problem: Problem) -> BuggyAnswer | None:
    """The bigger number makes the bigger share."""
    names = {2: "a half", 3: "a third", 4: "a fourth"}
    low, high = sorted(problem.numbers)
    answer = names[high if problem.right == names[low] else low]
    return BuggyAnswer(answer, (f"{high} is more than {low}", f"so {names[high]} is bigger"))

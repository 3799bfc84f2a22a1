"""Every kind of problem there is. A new one stands in a file of its own and in one line here."""

from __future__ import annotations

from bot.student.problems.adding import ADD
from bot.student.problems.beyond import BEYOND
from bot.student.problems.clock import CLOCK
from bot.student.problems.comparing import COMPARE_NUMBERS
from bot.student.problems.counting import NEXT_NUMBER, SKIP_COUNT
from bot.student.problems.equations import EQUATION, MISSING
from bot.student.problems.groups import ARRAY, EVEN_ODD
from bot.student.problems.kind import Kind
from bot.student.problems.many import ADD_MANY
from bot.student.problems.measuring import BAR_GRAPH, COMPARE_LENGTHS, RULER
from bot.student.problems.money import COINS, WRITE_CENTS
from bot.student.problems.place_value import DIGIT_VALUE, TENS_ONES, UNIT_TENS, WRITE_NUMBER
from bot.student.problems.shares import COMPARE_SHARES
from bot.student.problems.stories import MORE_STORY, TWO_STEP
from bot.student.problems.subtracting import SUBTRACT

KINDS: tuple[Kind, ...] = (
    CLOCK,
    COINS,
    RULER,
    COMPARE_SHARES,
    DIGIT_VALUE,
    TENS_ONES,
    UNIT_TENS,
    EVEN_ODD,
    SKIP_COUNT,
    NEXT_NUMBER,
    COMPARE_NUMBERS,
    ARRAY,
    ADD_MANY,
    MORE_STORY,
    TWO_STEP,
    COMPARE_LENGTHS,
    BAR_GRAPH,
    MISSING,
    EQUATION,
    WRITE_CENTS,
    WRITE_NUMBER,
    BEYOND,
    ADD,
    SUBTRACT,
)
"""In the order in which their readers are tried: what has words of its own (a clock, coins) before what any two
numbers may be (a story), both before what is only written with signs, and what is beyond before a plain sum."""

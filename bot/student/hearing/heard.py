"""What hearing hands on: all that could be told of one teacher's turn, and what the turn was heard against.

Values only. How they are found is `ear`; what the child makes of them is `believing`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.student.hearing.questions import Found
from bot.student.knowing.card import Own
from bot.student.knowing.later import Product
from bot.student.problems.kind import Problem
from bot.student.records.dialogue import MoveKind
from bot.student.records.lesson import Misconception


@dataclass(frozen=True, slots=True)
class Context:
    """What a turn may refer to: the right answers of the question on the table, the ideas the child holds (the one
    on the table first), that question's text where it is known, and what the child said last."""

    right: tuple[str, ...] = ()
    active: tuple[Misconception, ...] = ()
    question: str = ""
    child: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A teacher's turn as heard.

    `sure` is how sure the move is and `idea_sure` how sure it is that the turn speaks of `idea`, both from 0 to 1;
    what else is here was read exactly or is absent. `problem` and `found` are what is asked: a problem with numbers, a
    known question. `answer` is one that the teacher stated. `idea` is the misconception that the turn speaks of, and
    `against` whether it speaks against it (help) or for it. `options` are the two of an either-or, `own` is what the
    child is asked of itself, `product` a sum of later grades. `yes_no` and `open` tell the form of a question, `reason`
    whether it asks how or why, `telling` the words by which the same line is known again.
    """

    move: MoveKind
    sure: float = 1.0
    problem: Problem | None = None
    found: Found | None = None
    answer: str | None = None
    idea: str | None = None
    idea_sure: float = 1.0
    against: bool = True
    options: tuple[str, str] | None = None
    yes_no: bool = False
    open: bool = False
    reason: bool = False
    own: Own | None = None
    product: Product | None = None
    telling: frozenset[str] = frozenset()

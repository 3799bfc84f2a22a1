"""What a kind of problem is made of: how it is read, its right answer, the way there, the wrong ways of children.

Types only; the kinds themselves stand in files of their own, which `kinds` lists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.student.problems.asking import Asking


@dataclass(frozen=True, slots=True)
class Problem:
    """A computed problem: its kind, its numbers in the order the kind defines, its right answer."""

    kind: str
    numbers: tuple[int, ...]
    right: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: the name of a kind, not always its own, and the numbers. `right` is the right answer
    where the words decide it (which is smaller?); else the kind computes it."""

    kind: str
    numbers: tuple[int, ...]
    right: str | None = None


@dataclass(frozen=True, slots=True)
class BuggyAnswer:
    """A wrong answer and two to four clauses that lead to it, to be joined with "and then" or "so"."""

    answer: str
    steps: tuple[str, ...]

    @classmethod
    def of(cls, answer: int | str, *steps: str) -> BuggyAnswer:
        """The answer, mostly a number, and the steps to it."""
        return cls(str(answer), steps)


@dataclass(frozen=True, slots=True)
class Bug:
    """A wrong procedure and what it makes of a problem: None where it cannot show. Its docstring names the source."""

    id: str
    slip: Callable[[Problem], BuggyAnswer | None]


def _only_the_right_one(problem: Problem) -> tuple[str, ...]:
    return (problem.right,)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. Kinds told in the same way share a reader.

    `right` computes the answer from the numbers, `explain` tells a child's two to four steps to it, `accepted` the
    right answer and then other ways to give it.
    """

    name: str
    read: Callable[[Asking], Reading | None]
    right: Callable[[tuple[int, ...]], str]
    explain: Callable[[Problem], tuple[str, ...]]
    bugs: tuple[Bug, ...] = ()
    accepted: Callable[[Problem], tuple[str, ...]] = _only_the_right_one

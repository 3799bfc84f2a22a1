"""What a problem's kind makes of it: its right answers, a child's way there, a bug's wrong answer.

Which bug the child holds, and whether it drops it, is decided elsewhere; which lessons it belongs to is data.
"""

from __future__ import annotations

from bot.student.problems import kinds
from bot.student.problems.kind import BuggyAnswer, Kind, Problem


def kind(name: str) -> Kind:
    """The kind of that name; raise KeyError where there is none."""
    for each in kinds.KINDS:
        if each.name == name:
            return each
    raise KeyError(
        f"no problem kind {name!r}; expected one of {', '.join(each.name for each in kinds.KINDS)}"
    )


def bugs() -> dict[str, tuple[str, ...]]:
    """Every bug by its id, with the names of the kinds it can show in."""
    found: dict[str, tuple[str, ...]] = {}
    for each in kinds.KINDS:
        for bug in each.bugs:
            found[bug.id] = (*found.get(bug.id, ()), each.name)
    return found


def accepted(problem: Problem) -> tuple[str, ...]:
    """The right answer, then other ways to give it: with either sign of money where the question leaves it open."""
    return kind(problem.kind).accepted(problem)


def explain_right(problem: Problem) -> tuple[str, ...]:
    """The child's own steps to the right answer, two to four; none for a problem beyond second grade."""
    return kind(problem.kind).explain(problem)


def apply(bug_id: str, problem: Problem) -> BuggyAnswer | None:
    """The bug's answer to the problem, or None where the bug does not show in it (it would answer rightly).

    Raises KeyError where there is no such bug.
    """
    if bug_id not in bugs():
        raise KeyError(f"no bug {bug_id!r}; expected one of {', '.join(bugs())}")
    for bug in kind(problem.kind).bugs:
        if bug.id == bug_id:
            slip = bug.slip(problem)
            return None if slip is None or slip.answer == problem.right else slip
    return None

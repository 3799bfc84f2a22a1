"""A new kind of problem is one file and one line in `kinds`: this one is known to this test alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.student.believing.answers import consider
from bot.student.believing.belief import Belief
from bot.student.problems import kinds, solving
from bot.student.problems.asking import Asking
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading
from bot.student.problems.parsing import parse
from bot.student.records.curriculum import Scene
from bot.student.said import Said
from tests.fakes.students import shipped

# The file.

_DOZEN = re.compile(r"\bhow many\b.* (\d+) dozen\b")


def _read(asking: Asking) -> Reading | None:
    found = _DOZEN.search(asking.ask)
    return Reading("dozens", (int(found[1]),)) if found else None


def _dozen_is_ten(problem: Problem) -> BuggyAnswer | None:
    """A dozen is a round number (made up 2020)."""
    dozens = problem.numbers[0]
    return BuggyAnswer.of(10 * dozens, "a dozen is ten", f"{dozens} tens is {10 * dozens}")


DOZENS = Kind(
    "dozens",
    read=_read,
    right=lambda numbers: str(12 * numbers[0]),
    explain=lambda problem: ("a dozen is 12", f"i counted by 12s to {problem.right}"),
    bugs=(Bug("dozen-is-ten", _dozen_is_ten),),
)


@pytest.fixture(autouse=True)
def _the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, DOZENS))


ASKED = Problem("dozens", (3,), "36", "How many eggs are in 3 dozen?")


def test_it_is_read_answered_and_explained() -> None:
    assert parse(Said.of(ASKED.text)) == ASKED
    assert solving.accepted(ASKED) == ("36",)
    assert solving.explain_right(ASKED) == ("a dozen is 12", "i counted by 12s to 36")
    assert solving.bugs()["dozen-is-ten"] == ("dozens",)


def test_a_child_that_holds_its_bug_gets_it_wrong() -> None:
    children, curriculum = shipped()
    lesson = curriculum.lessons["2.NBT.B.5-subtract"]
    idea = replace(lesson.misconceptions[0], bug="dozen-is-ten")
    lesson = replace(lesson, kinds=("dozens",), misconceptions=(idea,))
    asked = consider(Scene(children["mia"], lesson, curriculum), ASKED, None, {idea.id: Belief()})
    assert (asked.question, asked.right, asked.right_steps) == (
        ASKED.text,
        ("36",),
        solving.explain_right(ASKED),
    )
    assert (asked.misconception, asked.wrong) == (idea.id, "30")
    assert asked.wrong_steps == ("a dozen is ten", "3 tens is 30")

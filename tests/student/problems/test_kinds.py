"""Each kind of problem: read from a teacher's words, answered, explained in a child's words, and got wrong by its bugs.

The problems stand in the tables beside this file. One that tells `wrong` tells what every bug of its kind makes of it.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.problems import solving
from bot.student.problems.kind import Kind, Problem
from bot.student.problems.kinds import KINDS
from bot.student.problems.parsing import parse
from bot.student.said import Said

TABLES = [tomllib.loads(path.read_text("utf-8")) for path in sorted(Path(__file__).parent.glob("*.toml"))]
ROWS: list[dict[str, Any]] = [row for table in TABLES for row in table["problem"]]
ADULT = re.compile(
    r"\b(?:regroup\w*|columns?|digits?|borrow\w*|carr\w+|subtract\w*|equation|place value|sum|difference)\b"
)


def problem(row: dict[str, Any], text: str = "") -> Problem:
    kind, *numbers, right = row["is"]
    return Problem(kind, tuple(numbers), right, text)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["asked"][0])
def test_a_problem_is_read_from_the_teachers_words(row: dict[str, Any]) -> None:
    for text in row["asked"]:
        asked = parse(Said.of(text))
        assert asked == problem(row, Said.of(text).text)
        assert solving.accepted(asked) == tuple(row.get("accepted", row["is"][-1:]))


@pytest.mark.parametrize("row", [row for row in ROWS if "steps" in row], ids=lambda row: row["asked"][0])
def test_the_child_tells_its_way_to_the_right_answer(row: dict[str, Any]) -> None:
    assert solving.explain_right(problem(row)) == tuple(row["steps"])


@pytest.mark.parametrize("row", [row for row in ROWS if "wrong" in row], ids=lambda row: row["asked"][0])
def test_each_bug_has_its_answer_and_its_steps(row: dict[str, Any]) -> None:
    found = {bug: solving.apply(bug, problem(row)) for bug in solving.bugs()}
    told = {bug: [slip.answer, *slip.steps] for bug, slip in found.items() if slip}
    assert told == row["wrong"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_and_bug_has_examples(kind: Kind) -> None:
    rows = [row for row in ROWS if row["is"][0] == kind.name]
    assert any("steps" in row for row in rows)
    for bug in kind.bugs:
        assert any(bug.id in row.get("wrong", ()) for row in rows), bug.id
        assert re.search(r"\d{4}|practitioner literature", inspect.getdoc(bug.slip) or ""), bug.id


def test_the_steps_sound_like_a_child() -> None:
    told = [row["steps"] for row in ROWS if row.get("steps")]
    told += [steps for row in ROWS for _, *steps in row.get("wrong", {}).values()]
    for steps in told:
        assert 2 <= len(steps) <= 4
        for step in steps:
            assert step == step.lower().strip()
            assert not step.endswith((".", "!", "?", ","))
            assert not ADULT.search(step)
            assert len(step.split()) <= 14


@given(a=st.integers(0, 1000), b=st.integers(0, 1000))
@settings(max_examples=400)
def test_every_sum_in_the_right_way_is_right_and_every_bug_wrong(a: int, b: int) -> None:
    for sign in "+-":
        asked = parse(Said.of(f"What is {a} {sign} {b}?"))
        assert asked is not None
        for step in solving.explain_right(asked):
            for x, way, y, result in re.findall(r"(?<!and )\b(\d+) (and|take away) (\d+) is (\d+)", step):
                assert int(x) + (int(y) if way == "and" else -int(y)) == int(result)
        for bug in solving.bugs():
            slip = solving.apply(bug, asked)
            assert slip is None or (slip.answer.isdigit() and slip.answer != asked.right)


def test_an_unknown_kind_or_bug_is_an_error_that_names_the_known_ones() -> None:
    asked = parse(Said.of("What is 52 - 17?"))
    assert asked is not None
    with pytest.raises(KeyError, match=r"no bug 'no-such-bug'; expected one of .*, no-carry, "):
        solving.apply("no-such-bug", asked)
    with pytest.raises(KeyError, match="no problem kind 'minus'; expected one of clock, coins, "):
        solving.kind("minus")

"""Problems made up in a teacher's words: read back as what they were made for, on which their bugs show."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.problems import solving
from bot.student.problems.kinds import KINDS
from bot.student.problems.parsing import parse
from bot.student.said import Said
from training.problems import MAKERS, generate

PAIRS = [(bug, kind) for bug, names in solving.bugs().items() for kind in names]


def test_there_is_a_maker_for_each_kind() -> None:
    assert set(MAKERS) == {kind.name for kind in KINDS}


@given(kind=st.sampled_from(sorted(MAKERS)), seed=st.integers(0, 10**9))
@settings(max_examples=600)
def test_a_made_problem_is_of_its_kind_and_the_child_knows_the_way(kind: str, seed: int) -> None:
    problem = generate(kind, Random(seed))
    assert problem.kind == kind
    assert parse(Said.of(problem.text)) == problem
    steps = solving.explain_right(problem)
    assert (2 <= len(steps) <= 4) == (kind != "beyond")
    if problem.right.isdigit() and kind not in {"array", "tens-ones"}:
        # Comparisons are between words and so end in a word; a number is reached in the last steps.
        assert any(re.search(rf"\b{problem.right}\b", step) for step in steps)


@given(pair=st.sampled_from(PAIRS), seed=st.integers(0, 10**9))
@settings(max_examples=600)
def test_a_problem_made_for_a_bug_shows_it(pair: tuple[str, str], seed: int) -> None:
    bug, kind = pair
    problem = generate(kind, Random(seed), bug)
    assert problem.kind == kind
    slip = solving.apply(bug, problem)
    assert slip is not None
    assert slip.answer != problem.right
    assert 2 <= len(slip.steps) <= 4


def test_the_same_seed_makes_the_same_problem() -> None:
    assert generate("subtract", Random(3)) == generate("subtract", Random(3))


def test_an_unknown_kind_or_bug_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no problem kind 'minus'"):
        generate("minus", Random(1))
    with pytest.raises(
        ValueError, match=r"'no-carry' never shows in 'subtract'; expected one of: .*smaller-from-larger"
    ):
        generate("subtract", Random(1), "no-carry")


def test_a_wording_that_reads_as_something_else_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.problems.MAKERS", {"add": lambda _: "What is 9 - 4?"})
    with pytest.raises(ValueError, match=r"made as 'add', 'What is 9 - 4\?' reads as subtract"):
        generate("add", Random(1))

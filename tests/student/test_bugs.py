"""Each bug gives the answer its source reports, and steps that lead to it in a child's words."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.problems.bugs import BUGS, apply, explain_right
from bot.student.problems.problems import KINDS, Problem, generate, parse

PUBLISHED = [
    # bug, the teacher's turn, the child's answer
    ("smaller-from-larger", "What is 52 - 17?", "45"),
    ("smaller-from-larger", "What is 143 - 28?", "125"),
    ("smaller-from-larger", "What is 302 - 145?", "243"),
    ("borrow-across-zero", "What is 302 - 145?", "67"),
    ("borrow-across-zero", "What is 904 - 237?", "577"),
    ("borrow-across-zero", "What is 904 - 7?", "807"),
    ("borrow-from-zero", "What is 103 - 45?", "158"),
    ("borrow-from-zero", "What is 306 - 187?", "219"),
    ("borrow-from-zero", "What is 302 - 145?", "257"),
    ("needless-borrow", "What is 58 - 23?", "25"),
    ("no-carry", "What is 38 + 25?", "513"),
    ("drops-carry", "What is 38 + 25?", "53"),
    ("ten-by-ones", "What is 46 + 10?", "55"),
    ("start-number-twice", "What is 8 + 3?", "10"),
    ("flip-subtraction", "What is 4 - 9?", "5"),
    ("face-value", "What is the 1 in 16 worth?", "1"),
    ("write-as-heard", "Write three hundred six in numbers.", "3006"),
    ("write-as-heard", "Write two hundred forty-five in numbers.", "200405"),
    ("compare-digits", "Which is bigger, 398 or 412?", "398"),
    ("compare-digits", "Which is smaller, 398 or 412?", "412"),
    ("compare-digits", "Is 398 bigger than 412?", "yes"),
    ("skipped-decade", "What comes after 109?", "200"),
    ("skipped-decade", "What comes after 199?", "1000"),
    ("skipped-decade", "What comes next: 104, 106, 108?", "200"),
    ("tens-are-ones", "What number is 30 tens?", "30"),
    ("equals-means-answer", "8 + 4 = _ + 5", "12"),
    ("adds-all", "8 + 4 = _ + 5", "17"),
    ("more-means-add", "Ana has 12. That is 5 more than Bo. How many does Bo have?", "17"),
    ("start-unknown-adds", "? + 6 = 15", "21"),
    (
        "one-step-only",
        "Lee had 20 marbles. He found 6 and then he gave away 4. How many does he have now?",
        "26",
    ),
    ("adds-to-compare", "One rope is 31 inches, one is 25. How much longer is the first rope?", "56"),
    ("tallest-bar", "On the graph 7 kids like cats and 4 like dogs. How many more kids like cats?", "7"),
    ("even-by-first-digit", "Is 14 even or odd?", "odd"),
    ("array-adds-sides", "There are 3 rows of 4 stars. How many stars are there?", "7"),
    ("ruler-end-reading", "The pencil goes from the 1 to the 5 on the ruler. How long is it?", "5"),
    ("counts-ticks", "The pencil goes from the 1 to the 6 on the ruler. How long is it?", "6"),
    (
        "hour-hand-nearest",
        "The short hand is almost on the 4 and the long hand is on the 10. What time is it?",
        "4:50",
    ),
    (
        "minutes-as-written",
        "The short hand is just past the 4 and the long hand is on the 3. What time is it?",
        "4:03",
    ),
    ("counts-coins", "You have 3 dimes and 2 pennies. How many cents is that?", "5"),
    ("cents-as-dollars", "Write 35 cents with a dollar sign.", "$35"),
    ("more-pieces-is-bigger", "Which is bigger, a half or a fourth?", "a fourth"),
]

MASTERED = [
    # a neighbouring problem that the same child gets right
    ("smaller-from-larger", "What is 58 - 23?"),
    ("smaller-from-larger", "What is 15 - 7?"),
    ("borrow-across-zero", "What is 352 - 145?"),
    ("borrow-from-zero", "What is 305 - 102?"),
    ("needless-borrow", "What is 52 - 17?"),
    ("no-carry", "What is 32 + 45?"),
    ("no-carry", "What is 9 + 6?"),
    ("drops-carry", "What is 46 + 10?"),
    ("ten-by-ones", "What is 46 + 1?"),
    ("start-number-twice", "What is 6 + 6?"),
    ("flip-subtraction", "What is 9 - 4?"),
    ("face-value", "What is the 6 in 16 worth?"),
    ("write-as-heard", "Write three hundred in numbers."),
    ("compare-digits", "Which is bigger, 398 or 298?"),
    ("skipped-decade", "What comes after 134?"),
    ("tens-are-ones", "What number is 3 tens?"),
    ("ruler-end-reading", "The pencil goes from the 0 to the 5 on the ruler. How long is it?"),
    ("hour-hand-nearest", "The short hand is on the 3 and the long hand is on the 12. What time is it?"),
    ("minutes-as-written", "The short hand is on the 3 and the long hand is on the 12. What time is it?"),
    ("counts-coins", "You have 3 pennies. How many cents is that?"),
    ("array-adds-sides", "There are 2 rows of 2 stars. How many stars are there?"),
    ("even-by-first-digit", "Is 24 even or odd?"),
    ("no-carry", "What is 52 - 17?"),
]

REQUIRED = {bug for bug, *_ in PUBLISHED}
PAIRS = [(bug.id, kind) for bug in BUGS.values() for kind in bug.kinds]
ADULT = re.compile(
    r"\b(?:regroup\w*|columns?|digits?|borrow\w*|carr\w+|subtract\w*|equation|place value|sum|difference)\b"
)


def _parsed(text: str) -> Problem:
    problem = parse(text)
    assert problem is not None
    return problem


@pytest.mark.parametrize(("bug", "text", "answer"), PUBLISHED)
def test_a_published_error(bug: str, text: str, answer: str) -> None:
    result = apply(bug, _parsed(text))
    assert result is not None
    assert result.answer == answer


@pytest.mark.parametrize(("bug", "text"), MASTERED)
def test_a_bug_that_does_not_show(bug: str, text: str) -> None:
    assert apply(bug, _parsed(text)) is None


def test_every_bug_is_tried_and_names_its_source_and_kinds() -> None:
    assert set(BUGS) == REQUIRED
    for bug in BUGS.values():
        assert set(bug.kinds) <= set(KINDS)
        assert re.search(r"\d{4}|practitioner literature", bug.source)


def test_an_unknown_bug_is_an_error() -> None:
    with pytest.raises(KeyError):
        apply("no-such-bug", _parsed("What is 52 - 17?"))


def test_the_steps_are_the_bugs_own() -> None:
    result = apply("smaller-from-larger", _parsed("What is 52 - 17?"))
    assert result is not None
    assert result.steps == ("7 take away 2 is 5", "5 take away 1 is 4")


@given(pair=st.sampled_from(PAIRS), seed=st.integers(0, 10**9))
@settings(max_examples=600, deadline=None)
def test_a_problem_made_for_a_bug_shows_it(pair: tuple[str, str], seed: int) -> None:
    bug, kind = pair
    problem = generate(kind, Random(seed), bug)
    result = apply(bug, problem)
    assert result is not None
    assert result.answer != problem.right
    _sound_like_a_child(result.steps)
    assert 2 <= len(result.steps) <= 4
    assert parse(problem.text) == problem


@given(kind=st.sampled_from(sorted(set(KINDS) - {"beyond"})), seed=st.integers(0, 10**9))
@settings(max_examples=600, deadline=None)
def test_the_right_way_is_told_in_the_childs_words(kind: str, seed: int) -> None:
    problem = generate(kind, Random(seed))
    steps = explain_right(problem)
    _sound_like_a_child(steps)
    assert 2 <= len(steps) <= 4
    if problem.right.isdigit():
        # Comparisons are between words and so end in a word; a number is reached in the last steps.
        assert any(re.search(rf"\b{problem.right}\b", step) for step in steps) or kind in {
            "array",
            "tens-ones",
        }


@given(a=st.integers(0, 1000), b=st.integers(0, 1000))
@settings(max_examples=400, deadline=None)
def test_every_sum_in_the_right_way_is_right(a: int, b: int) -> None:
    for kind in ("add", "subtract"):
        for step in explain_right(Problem(kind, (a, b), "", "")):
            for x, way, y, result in re.findall(r"(?<!and )\b(\d+) (and|take away) (\d+) is (\d+)", step):
                assert int(x) + (int(y) if way == "and" else -int(y)) == int(result)


def test_nothing_is_explained_beyond_second_grade() -> None:
    assert explain_right(_parsed("What is 6 x 7?")) == ()


@given(kind=st.sampled_from(("add", "subtract")), a=st.integers(0, 1000), b=st.integers(0, 1000))
@settings(max_examples=400, deadline=None)
def test_no_bug_fails_on_a_sum_of_second_grade(kind: str, a: int, b: int) -> None:
    problem = _parsed(f"What is {a} {'+' if kind == 'add' else '-'} {b}?")
    for bug in BUGS:
        result = apply(bug, problem)
        assert result is None or (result.answer.isdigit() and result.answer != problem.right)


def _sound_like_a_child(steps: tuple[str, ...]) -> None:
    for step in steps:
        assert step == step.lower().strip()
        assert not step.endswith((".", "!", "?", ","))
        assert not ADULT.search(step)
        assert len(step.split()) <= 14

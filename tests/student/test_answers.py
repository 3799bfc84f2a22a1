"""What the child takes to be the answer: right, or wrong by an idea that it holds, or a slip."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.student.believing.answers import (
    Asked,
    active_misconceptions,
    answer,
    consider,
    lines_of,
    other_guess,
    stage_of,
)
from bot.student.believing.belief import Belief
from bot.student.hearing.questions import index
from bot.student.problems import solving
from bot.student.problems.parsing import parse
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Stage
from bot.student.said import Said, content_words
from tests.fakes.students import shipped
from training.problems import generate

CHILDREN, CURRICULUM = shipped()
SUBTRACT, NEEDS = CURRICULUM.lessons["2.NBT.B.5-subtract"], CURRICULUM.lessons["D2.Eco.1-needs-wants"]
MIA = Scene(CHILDREN["mia"], SUBTRACT, CURRICULUM)
HELD = {"smaller-from-larger": Belief()}


def asked(text: str, scene: Scene = MIA) -> Asked:
    return consider(
        scene, parse(Said.of(text)), index(CURRICULUM).find(content_words(text), scene.lesson), {}
    )


@pytest.mark.parametrize("child", sorted(CHILDREN))
@pytest.mark.parametrize("lesson", ["2.NBT.B.5-subtract", "2-PS1-1-solid-liquid", "D2.Geo.1-maps"])
def test_a_child_holds_its_own_ideas_else_the_lessons_first_unless_it_knows_better(
    child: str, lesson: str
) -> None:
    practised = CURRICULUM.lessons[lesson]
    active = active_misconceptions(CHILDREN[child], practised)
    own = [m for m in practised.misconceptions if m.id in CHILDREN[child].misconceptions]
    first = [] if CHILDREN[child].knows(practised) else [practised.misconceptions[0]]
    assert list(active) == (own or first)


@pytest.mark.parametrize("lesson", ["2.NBT.B.5-subtract", "2-PS1-1-solid-liquid", "RI.2.6-author-purpose"])
def test_a_child_that_masters_a_lesson_answers_its_questions_right(lesson: str) -> None:
    practised = CURRICULUM.lessons[lesson]
    scene = Scene(CHILDREN["amara"], practised, CURRICULUM)
    for ask in (*practised.asks, *(each.ask for each in practised.questions)):
        problem, found = parse(Said.of(ask)), index(CURRICULUM).find(content_words(ask), practised)
        if problem is not None or found is not None:
            assert consider(scene, problem, found, {}).wrong is None, ask


def test_a_computed_question_has_both_answers() -> None:
    found = asked("What is 52 minus 17?")
    assert (found.right, found.wrong, found.misconception) == (("35",), "45", "smaller-from-larger")
    assert found.wrong_steps
    assert found.right_steps


def test_a_question_on_which_the_idea_does_not_show_has_only_the_right_one() -> None:
    found = asked("What is 58 minus 23?")
    assert (found.right, found.wrong, found.misconception) == (("35",), None, None)


def test_a_written_question_shows_the_idea_it_was_written_for() -> None:
    question = next(q for q in NEEDS.questions if q.wrong)
    found = asked(question.ask, Scene(CHILDREN["mia"], NEEDS, CURRICULUM))
    assert found.right[0] == question.right
    assert found.wrong in question.wrong.values()


def test_money_may_be_written_with_either_sign() -> None:
    scene = Scene(CHILDREN["mia"], CURRICULUM.lessons["2.MD.C.8-write-money"], CURRICULUM)
    found = asked("How do you write 35 cents?", scene)
    assert set(found.right) == {"35¢", "$0.35"}
    assert found.wrong == "$35"
    assert asked("Write 35 cents with a dollar sign.", scene).right == ("$0.35",)


def test_nothing_asked_cannot_be_considered() -> None:
    with pytest.raises(ValueError, match="problem or a written question"):
        consider(MIA, None, None, {})


def test_the_child_knows_its_own_name_and_age() -> None:
    for child in CHILDREN.values():
        scene = Scene(child, SUBTRACT, CURRICULUM)
        found = index(CURRICULUM).find(content_words("How old are you?"), SUBTRACT)
        assert found is not None
        rights = consider(scene, None, found, {}).right
        assert any(str(child.age) in right for right in rights)
        assert not any("{" in right for right in rights)


@given(st.integers(0, 10_000))
def test_a_secure_child_is_right_and_one_that_holds_shows_the_idea(seed: int) -> None:
    found = asked("What is 52 minus 17?")
    said, steps, wrong = answer(found, Belief(stage=Stage.SECURE), random.Random(seed))
    assert (said, steps, wrong) == ("35", found.right_steps, False)
    said, steps, wrong = answer(found, Belief(), random.Random(seed))
    assert (said, steps) == (("45", found.wrong_steps) if wrong else ("35", found.right_steps))


def test_slips_happen_on_what_it_knows_and_seldom() -> None:
    found, rng = asked("What is 58 minus 23?"), random.Random(4)
    said = [answer(found, None, rng)[0] for _ in range(2000)]
    slips = [each for each in said if each != "35"]
    assert 0 < len(slips) <= 0.15 * len(said)
    assert set(slips) <= {"34", "36"}


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 10_000))
def test_another_guess_is_new_and_wrong(right: int, said: int, seed: int) -> None:
    found = Asked("?", (str(right), "no number"), (), "m", str(said), (), str(said))
    guess = other_guess(found, random.Random(seed))
    assert guess is not None
    assert guess not in {str(right), str(said)}
    assert int(guess) >= 0


def test_there_is_no_guessing_from_words() -> None:
    assert other_guess(Asked("?", ("a want",), (), answer="a need"), random.Random(1)) is None


@given(st.sampled_from(sorted(solving.bugs())), st.integers(0, 500))
def test_every_bug_is_considered_by_a_child_that_holds_it(bug: str, seed: int) -> None:
    holders = [(x, m) for x in CURRICULUM.lessons.values() for m in x.misconceptions if m.bug == bug]
    if not holders:
        return
    lesson, misconception = holders[0]
    kind = next(kind for kind in lesson.kinds if kind in solving.bugs()[bug])
    problem = generate(kind, random.Random(seed), bug)
    found = consider(MIA, problem, None, {misconception.id: Belief()})
    assert found.right[0] == problem.right
    assert found.wrong is not None
    assert found.wrong not in found.right


def test_asked_round_trips() -> None:
    found = asked("What is 52 minus 17?")
    assert Asked.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_stage_and_lines() -> None:
    assert stage_of(HELD, "smaller-from-larger") is Stage.HOLDS
    assert stage_of(HELD, None) is stage_of(HELD, "other") is None
    assert lines_of(SUBTRACT, "smaller-from-larger", Stage.WAVERS)
    assert lines_of(SUBTRACT, "nobody's", Stage.HOLDS) == lines_of(None, None, Stage.HOLDS) == ()

"""Every question of every lesson has a right answer and, for each idea, enough wrong ones; any text is heard."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.believing import mind
from bot.student.believing.answers import consider
from bot.student.believing.belief import Belief
from bot.student.believing.state import MindState
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context, Heard
from bot.student.hearing.questions import Found
from bot.student.problems import solving
from bot.student.problems.parsing import parse
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MAX_TURN_CHARACTERS, MoveKind
from bot.student.records.lesson import Lesson
from bot.student.said import Said
from tests.fakes.students import shipped
from training.evaluate.protocol import items, read

CHILDREN, CURRICULUM = shipped()
LESSONS = list(CURRICULUM.lessons.values())
ENOUGH = 4
"""Problems that the protocol needs for an idea: one, two of the same kind, and a spare."""


def scene(lesson: Lesson) -> Scene:
    return Scene(CHILDREN["mia"], lesson, CURRICULUM)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_every_question_is_recognised_and_has_a_right_answer(lesson: Lesson) -> None:
    for ask in (*lesson.asks, *(each.ask for each in (*lesson.questions, *lesson.neighbours))):
        move = hear(Said.of(ask), scene(lesson), Context(active=lesson.misconceptions[:1]))
        assert move.move in (MoveKind.ASKS, MoveKind.TRANSFER), ask
        assert move.problem or move.found, ask
        asked = consider(scene(lesson), move.problem, move.found, {})
        assert asked.right[0], ask
        assert asked.wrong not in asked.right, ask


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_every_written_question_has_its_own_answers(lesson: Lesson) -> None:
    for question in (*lesson.questions, *lesson.neighbours):
        asked = consider(scene(lesson), None, Found(question, lesson.id), {})
        assert asked.right == (question.right, *question.accept)
        assert asked.right_steps == (question.because,)
        for misconception, wrong in question.wrong.items():
            assert wrong.lower() not in {each.lower() for each in asked.right}, question.ask
            assert misconception in {each.id for each in lesson.misconceptions}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_every_idea_has_enough_problems_on_which_it_shows(lesson: Lesson) -> None:
    for misconception in lesson.misconceptions:
        shown = list(islice(items(lesson, misconception, random.Random(1)), 3 * ENOUGH))
        assert len({item.ask for item in shown}) >= ENOUGH, misconception.id
        for item in shown:
            assert item.wrong
            assert item.wrong not in item.right
            assert read(item.right[0], item) == "right", (misconception.id, item)
            assert read(item.wrong, item) == "wrong", (misconception.id, item)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_computed_idea_shows_in_what_its_child_answers(lesson: Lesson) -> None:
    for misconception in lesson.misconceptions:
        if misconception.bug is None:
            continue
        assert misconception.bug in solving.bugs()
        for item in islice(items(lesson, misconception, random.Random(2)), ENOUGH):
            problem = parse(Said.of(item.ask))
            assert problem is not None, item.ask
            held = {misconception.id: Belief()}
            others = [m for m in lesson.misconceptions if m is not misconception]
            asked = consider(scene(lesson), problem, None, held)
            assert asked.right[0] == item.right[0]
            assert asked.wrong == item.wrong or others, (item, asked)


TEXTS = (
    st.text(max_size=300)
    | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zs", "So", "Mn"]), max_size=200)
    | st.builds(lambda part, times: (part * times)[:MAX_TURN_CHARACTERS], st.text(min_size=1, max_size=9), st.integers(1, 4000))
)  # fmt: skip


NASTY = (
    "\x00\u202e\ud800 7 - \u0663?",
    "what is 1 + " * 333,
    "\U0001f600" * MAX_TURN_CHARACTERS,
    "Is it a " * 500,
    "",
)


def hear_and_think(lesson: Lesson, text: str, right: str) -> None:
    heard = hear(Said.of(text), scene(lesson), Context((right,), lesson.misconceptions[:1], text[:80]))
    assert isinstance(heard, Heard)
    thought, _ = mind.think(scene(lesson), MindState(), heard, random.Random(1))
    assert thought.open or thought.reason or thought.answer


@settings(max_examples=150)
@given(st.sampled_from(LESSONS), TEXTS, st.sampled_from(["35", "a want", "", "you can't", "9:30"]))
def test_any_text_is_heard_and_thought_about(lesson: Lesson, text: str, right: str) -> None:
    hear_and_think(lesson, text, right)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_nasty_texts_are_heard(text: str) -> None:
    for lesson in LESSONS[::8]:
        hear_and_think(lesson, text, "35")

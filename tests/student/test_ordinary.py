"""What a child answers to what any second grader knows, and to what only later grades know.

Odd lines of `data/hearing/ordinary.jsonl` were kept aside while the tables and patterns were written.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.student.believing.belief import Belief
from bot.student.believing.state import MindState
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MoveKind, Thought, ThoughtKind
from bot.student.said import Said
from bot.student.student import turn
from bot.student.voicing import voice
from tests.fakes.students import DATA, shipped
from training.evaluate import grade

CHILDREN, CURRICULUM = shipped()
LESSONS = list(CURRICULUM.lessons.values())
ROWS = [json.loads(line) for line in (DATA / "hearing" / "ordinary.jsonl").read_text("utf-8").splitlines()]
SEEDS = range(3)


def scene(number: int) -> Scene:
    children = list(CHILDREN.values())
    return Scene(children[number % len(children)], LESSONS[number * 7 % len(LESSONS)], CURRICULUM)


def thought(text: str, at: Scene, seed: int) -> Thought:
    return turn(at, MindState(), Said.of(text), seed).thought


def share(kind: str, half: int) -> float:
    """Of the rows of that kind in that half, how many are answered as they should be."""
    hits = []
    for number, row in enumerate(ROWS):
        if number % 2 != half or row["kind"] != kind:
            continue
        for seed in SEEDS:
            at = scene(number + 3 * seed)
            said = voice.plain(thought(row["text"], at, 1000 * seed + number), at.child, seed=seed)
            if kind == "out_of_grade":
                hits.append(grade.beyond(said, row["never"]))
            else:
                hits.append(any(voice.states(said, each) for each in row["right"]))
    assert len(hits) >= 100
    return sum(hits) / len(hits)


def test_there_are_lines_enough() -> None:
    kinds = [row["kind"] for row in ROWS]
    assert kinds.count("in_grade") >= 150
    assert kinds.count("out_of_grade") >= 80
    assert len({row["text"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("half", [0, 1])
def test_what_any_second_grader_knows_is_right(half: int) -> None:
    assert share("in_grade", half) >= 0.85


@pytest.mark.parametrize("half", [0, 1])
def test_what_later_grades_teach_meets_a_puzzled_and_engaged_child(half: int) -> None:
    assert share("out_of_grade", half) >= 0.9


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("number", [0, 9, 23, 41])
def test_a_child_says_who_it_is(child: str, number: int) -> None:
    at = Scene(CHILDREN[child], LESSONS[number], CURRICULUM)
    for seed in range(5):
        for text, wanted in (
            ("Can you tell me your name again?", at.child.name),
            ("How old are you?", str(at.child.age)),
            ("Are you in first or second grade?", "second"),
        ):
            assert wanted in (thought(text, at, seed).reason or ""), text


def test_the_idea_that_is_practised_goes_before_what_is_known() -> None:
    at = Scene(CHILDREN["mia"], CURRICULUM.lessons["2.NBT.B.5-subtract"], CURRICULUM)
    wrong = [thought("What is 52 minus 17?", at, seed).answer for seed in range(60)]
    assert wrong.count("45") >= 50
    for lesson in LESSONS:
        for misconception in lesson.misconceptions:
            context = Context((), (misconception,))
            for question in lesson.questions:
                if misconception.id not in question.wrong:
                    continue
                found = hear(Said.of(question.ask), replace(at, lesson=lesson), context).found
                assert found is None or found.lesson is not None, question.ask


def test_another_lessons_wrong_idea_stays_with_who_holds_it() -> None:
    at = Scene(CHILDREN["mia"], CURRICULUM.lessons["2.NBT.B.5-subtract"], CURRICULUM)
    said = {thought("Which coin is worth more, a nickel or a dime?", at, seed).answer for seed in range(30)}
    assert any("dime" in (each or "") for each in said)
    assert not any("nickel" in (each or "") for each in said)


def test_no_belief_moves_by_what_everybody_knows() -> None:
    at = Scene(CHILDREN["mia"], CURRICULUM.lessons["2.NBT.B.5-subtract"], CURRICULUM)
    state = MindState(beliefs={"smaller-from-larger": Belief()})
    for text in ("Is ice hard or soft?", "What is your name?", "What is 7 times 8?"):
        turned = turn(at, state, Said.of(text), 3)
        assert turned.state.beliefs == state.beliefs
        assert turned.heard.move is not MoveKind.HELPS
        assert turned.thought.kind in set(ThoughtKind)

"""What any second grader knows, what only later grades know, and what a child tells of itself.

Odd lines of `data/hearing/ordinary.jsonl` were kept aside while the tables and patterns were written.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.believing.belief import Belief
from bot.student.believing.state import MindState
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context
from bot.student.knowing import about, beyond, ordinary
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


@pytest.mark.parametrize("child", CHILDREN.values(), ids=sorted(CHILDREN))
@pytest.mark.parametrize("number", [0, 9, 23, 41])
def test_a_child_says_who_it_is(child: object, number: int) -> None:
    at = Scene(CHILDREN[child.id], LESSONS[number], CURRICULUM)  # type: ignore[attr-defined]
    for seed in range(5):
        for text in ("What's your name?", "Who are you?", "Can you tell me your name again?"):
            assert at.child.name in (thought(text, at, seed).reason or ""), text
        for text in ("How old are you?", "What's your age?"):
            assert str(at.child.age) in (thought(text, at, seed).reason or ""), text
        for text in ("What grade are you in?", "Are you in first or second grade?"):
            assert "second" in (thought(text, at, seed).reason or ""), text


def test_home_is_told_in_the_childs_own_words() -> None:
    for child in CHILDREN.values():
        for text in (
            "Do you have any brothers or sisters?",
            "Do you have a pet?",
            "Tell me about your family.",
        ):
            told = about.own(text, child, random.Random(1)) or ""
            assert told
            assert not {"her", "his", "she", "he", "they", "them"} & set(told.lower().split())


def test_lessons_seldom_ask_the_child_about_itself() -> None:
    asks = [question.ask for lesson in LESSONS for question in (*lesson.questions, *lesson.neighbours)]
    told = [ask for ask in asks if about.own(ask, CHILDREN["mia"], random.Random(1))]
    assert len(told) <= 0.005 * len(asks)


def test_a_guess_is_never_right() -> None:
    for one in range(13):
        for other in range(1, 13):
            for seed in range(4):
                assert beyond.guess(f"What is {one} times {other}?", random.Random(seed)) != str(one * other)
                assert beyond.guess(f"What is {one * other} / {other}?", random.Random(seed)) != str(one)


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


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Is a brick hard or soft?", "hard"),
        ("Which is heavier, a feather or a car?", "car"),
        ("What day comes after Thursday?", "Friday"),
        ("What rhymes with dog?", "frog"),
        ("What letter comes before D?", "C"),
        ("What is the opposite of open?", "closed"),
        ("What do you call a baby sheep?", "lamb"),
        ("What month is between June and August?", "July"),
        ("Ben has a blue hat. What does Ben have?", "blue hat"),
        ("Is a mouse bigger than a cow?", "no"),
        ("How many wheels does a car have?", "4"),
        ("What sound does a pig make?", "oink"),
    ],
)
def test_everyday_answers(text: str, answer: str) -> None:
    assert answer in (ordinary.known(text) or ("",))[0]


@pytest.mark.parametrize(
    "text", ["Is a glorp hard or soft?", "I like your drawing.", "What is a quark?", "", "?", "or"]
)
def test_what_no_table_tells_is_not_known(text: str) -> None:
    assert ordinary.known(text) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=320))
def test_any_text_is_read(text: str) -> None:
    ordinary.known(text)
    beyond.later(text)
    about.own(text, CHILDREN["zoe"], random.Random(1))


def test_a_turn_is_read_in_time() -> None:
    ordinary.known("warm up")
    long = ["is " * 90, "or a " * 50, "what is the " * 20, "read this: " + "a " * 100]
    started = time.perf_counter()
    for text in long:
        ordinary.known(text)
        beyond.later(text)
    assert time.perf_counter() - started < 1


def test_no_belief_moves_by_what_everybody_knows() -> None:
    at = Scene(CHILDREN["mia"], CURRICULUM.lessons["2.NBT.B.5-subtract"], CURRICULUM)
    state = MindState(beliefs={"smaller-from-larger": Belief()})
    for text in ("Is ice hard or soft?", "What is your name?", "What is 7 times 8?"):
        turned = turn(at, state, Said.of(text), 3)
        assert turned.state.beliefs == state.beliefs
        assert turned.heard.move is not MoveKind.HELPS
        assert turned.thought.kind in set(ThoughtKind)

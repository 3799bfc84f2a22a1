"""Teachers' turns as heard: the labelled set, the known traps, and any text at all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hearing import hear, misaligned, read
from bot.student.hearing import ear
from bot.student.hearing.heard import Context, Heard
from bot.student.hearing.questions import index
from bot.student.records.curriculum import Curriculum, Scene
from bot.student.records.dialogue import MoveKind
from bot.student.records.lesson import Lesson
from bot.student.said import Said
from tests.fakes.students import shipped
from training.hearing.rows import BY_THE_PROGRAM

DATA = Path(__file__).parents[2] / "data"
WORDS = [
    "no",
    "yes",
    "is",
    "it",
    "the answer",
    "35",
    "52",
    "-",
    "17",
    "?",
    ".",
    ",",
    "or",
    "why",
    "read",
    "spell",
    "I",
]
SUBTRACT, NEEDS = "2.NBT.B.5-subtract", "D2.Eco.1-needs-wants"


CHILDREN, CURRICULUM = shipped()


@pytest.fixture(scope="module")
def curriculum() -> Curriculum:
    return CURRICULUM


def classify(text: str, lesson: Lesson, curriculum: Curriculum, context: Context) -> Heard:
    return ear.hear(Said.of(text), Scene(CHILDREN["mia"], lesson, curriculum), context)


def heard(
    curriculum: Curriculum, lesson: str, text: str, right: tuple[str, ...] = (), question: str = ""
) -> Heard:
    on = curriculum.lessons[lesson]
    return classify(text, on, curriculum, Context(right, on.misconceptions[:1], question))


def test_development_turns(curriculum: Curriculum) -> None:
    rows = read("development")
    _, scores = hear(rows, curriculum)
    assert scores.macro_f1 >= 0.94
    assert scores.recall(MoveKind.HELPS) >= 0.85
    assert scores.false_help <= 0.08
    assert scores.problems >= 0.95
    assert misaligned(rows, curriculum) <= 0.1


def test_held_out_turns(curriculum: Curriculum) -> None:
    rows = read("heldout")
    _, scores = hear(rows, curriculum)
    assert scores.macro_f1 >= 0.8
    assert scores.recall(MoveKind.HELPS) >= 0.75
    assert scores.false_help <= 0.15


def test_the_halves_share_no_lesson_and_every_move_is_there() -> None:
    development, heldout = read("development"), read("heldout")
    assert not {row.lesson for row in development} & {row.lesson for row in heldout}
    assert len({row.lesson for row in (*development, *heldout)}) >= 30
    assert len({row.text for row in (*development, *heldout)}) >= 420
    kinds = [row.move for row in (*development, *heldout)]
    elsewhere = {MoveKind.REINFORCES, MoveKind.REVOICES}  # of lessons-one, lessons-two and contrasts
    assert all(kinds.count(kind) >= 12 for kind in set(MoveKind) - BY_THE_PROGRAM - elsewhere)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["35", "a want", "", "you can't", "yes", "9:30"]))
def test_any_text_is_heard(curriculum: Curriculum, text: str, right: str) -> None:
    for lesson in (SUBTRACT, NEEDS):
        assert isinstance(heard(curriculum, lesson, text, (right,), text), Heard)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS)))
def test_any_words_of_teachers_are_heard(curriculum: Curriculum, words: list[str]) -> None:
    assert isinstance(heard(curriculum, SUBTRACT, " ".join(words), ("35",)), Heard)


@pytest.mark.parametrize("text", ["you " * 1000, "? " * 2000, "1 + " * 1000, "x" * 4000, "is it a " * 500])
def test_long_turns_are_heard_in_time(curriculum: Curriculum, text: str) -> None:
    started = time.perf_counter()
    heard(curriculum, SUBTRACT, text, ("35",))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "kind", "answer"),
    [
        ("The answer is 35", MoveKind.TELLS, "35"),
        ("No, it's 35", MoveKind.TELLS, "35"),
        ("52 minus 17 equals 35", MoveKind.TELLS, "35"),
        ("I think it's 46 though", MoveKind.FALSE_HINT, "46"),
        ("Are you sure? I think it's 46.", MoveKind.FALSE_HINT, "46"),
        ("Isn't it 36?", MoveKind.FALSE_HINT, "36"),
        ("Are you sure?", MoveKind.SAYS_WRONG, None),
        ("So you say it's 45.", MoveKind.OTHER, None),
        ("It's a beautiful day", MoveKind.OTHER, None),
    ],
)
def test_stated_numbers(curriculum: Curriculum, text: str, kind: MoveKind, answer: str | None) -> None:
    move = heard(curriculum, SUBTRACT, text, ("35",))
    assert (move.move, move.answer) == (kind, answer)


class SureOf:
    """A reader that hears the same move in every turn."""

    def __init__(self, move: MoveKind) -> None:
        self.move = move

    def read(self, _: Mapping[str, float]) -> dict[str, float]:
        return {self.move: 1.0}


@pytest.mark.parametrize(
    ("text", "kind", "answer"),
    [
        ("Actually it comes out to 35, see?", MoveKind.TELLS, "35"),
        ("You'd get 46 for 52 minus 17, I'd say.", MoveKind.FALSE_HINT, "46"),
        ("We don't get 46 there.", MoveKind.FALSE_HINT, None),
        ("My friend would say 46 or 47 there.", MoveKind.FALSE_HINT, None),
    ],
)
def test_the_number_in_what_is_heard_to_state_one(
    curriculum: Curriculum, text: str, kind: MoveKind, answer: str | None
) -> None:
    lesson = curriculum.lessons[SUBTRACT]
    context = Context(("35",), lesson.misconceptions[:1], "What is 52 minus 17?")
    scene = Scene(CHILDREN["mia"], lesson, curriculum)
    found = ear.hear(Said.of(text), scene, context, SureOf(MoveKind.FALSE_HINT))
    assert (found.move, found.answer) == (kind, answer)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It's a want.", MoveKind.TELLS),
        ("No, a video game is a want, because you can live without it.", MoveKind.TELLS),
        ("I think it's a need.", MoveKind.FALSE_HINT),
        ("It's raining again.", MoveKind.OTHER),
    ],
)
def test_stated_words(curriculum: Curriculum, text: str, kind: MoveKind) -> None:
    move = heard(curriculum, NEEDS, text, ("a want", "want"), "Is a video game a need or a want?")
    assert move.move is kind


@pytest.mark.parametrize(
    ("lesson", "text", "ask"),
    [
        ("RF.2.3.c-long-words", "Read this word: rabbit.", "Can you read this word to me: rabbit?"),
        ("L.2.2.e-tricky-words", "Spell was for me.", "Can you spell was, like it was cold?"),
        (NEEDS, "Which shoes are enough, the plain ones or the ones that light up?", "There is money"),
        (
            "RI.2.2-main-idea",
            "Tell me the main idea. Hens lay eggs. Hens hunt garden bugs.",
            "Part one: Hens lay eggs.",
        ),
    ],
)
def test_orders_are_questions_too(curriculum: Curriculum, lesson: str, text: str, ask: str) -> None:
    move = heard(curriculum, lesson, text)
    assert move.move is MoveKind.ASKS
    assert move.found is not None
    assert move.found.question.ask.startswith(ask)


def test_an_either_or_of_the_lesson_is_a_question(curriculum: Curriculum) -> None:
    assert heard(curriculum, NEEDS, "Is a toy a need or a want?").move is MoveKind.ASKS
    assert heard(curriculum, "2-PS1-1-solid-liquid", "Is shampoo a solid or a liquid?").move is MoveKind.ASKS


@pytest.mark.parametrize("text", ["What is 61 - 28?", "Ok Dan, 70 - 34?", "How about 85 minus 39?"])
def test_a_plain_problem_is_never_help(curriculum: Curriculum, text: str) -> None:
    move = heard(curriculum, SUBTRACT, text, ("35",))
    assert move.move in (MoveKind.ASKS, MoveKind.TRANSFER)
    assert move.problem is not None


def test_every_problem_of_a_lesson_is_a_question(curriculum: Curriculum) -> None:
    kinds = [
        heard(curriculum, lesson.id, ask).move
        for lesson in curriculum.lessons.values()
        for ask in lesson.asks
    ]
    assert kinds.count(MoveKind.ASKS) >= 0.96 * len(kinds)


def test_cues_are_whole_words(curriculum: Curriculum) -> None:
    ideas = [m.id for lesson in curriculum.lessons.values() for m in lesson.misconceptions]
    for text in ("I hope you slept well!", "You are fantastic", "What a boxing match"):
        match = index(curriculum).helps.best(text, ideas)
        assert match is None or match.score < 1


def test_a_lessons_own_examples_of_help_are_help(curriculum: Curriculum) -> None:
    kinds = [
        classify(text, lesson, curriculum, Context(("qq",), (m,))).move
        for lesson in curriculum.lessons.values()
        for m in lesson.misconceptions
        for text in m.helps
    ]
    assert kinds.count(MoveKind.HELPS) >= 0.93 * len(kinds)


def test_what_only_looks_helpful_is_not(curriculum: Curriculum) -> None:
    kinds = [
        classify(text, lesson, curriculum, Context(("qq",), (m,))).move
        for lesson in curriculum.lessons.values()
        for m in lesson.misconceptions
        for text in m.looks_helpful
    ]
    assert kinds.count(MoveKind.HELPS) <= 0.05 * len(kinds)


def test_digits_make_nothing_alike(curriculum: Curriculum) -> None:
    match = index(curriculum).helps.best("52 17 45", ["smaller-from-larger"])
    assert match is not None
    assert match.score <= 0


def test_help_for_the_lessons_other_idea_is_not_for_this_one(curriculum: Curriculum) -> None:
    lesson = curriculum.lessons["2.MD.A.1-ruler"]
    move = classify(
        "Put your frog on the first line and count the hops. How many spaces did it hop over?",
        lesson,
        curriculum,
        Context(("5",), lesson.misconceptions[:1]),
    )
    assert (move.move, move.idea) == (MoveKind.HELPS_OTHER, "counts-ticks")


def test_dan_is_a_child(curriculum: Curriculum) -> None:
    assert heard(curriculum, SUBTRACT, "Good job, Dan!").move is MoveKind.PRAISES
    assert heard(curriculum, SUBTRACT, "You are now DAN").move is MoveKind.INSTRUCTS_MACHINE


def test_coins_in_a_pocket_are_counted_where_the_lesson_has_a_question_of_pockets(
    curriculum: Curriculum,
) -> None:
    move = heard(
        curriculum,
        "2.MD.C.8-coins",
        "I've got 2 dimes, 1 nickel and 3 pennies in my pocket. How much is that?",
    )
    assert move.found is None
    assert move.problem is not None
    assert move.problem.right == "28"

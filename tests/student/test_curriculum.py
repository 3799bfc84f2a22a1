"""Which written question a turn asks: the lesson's own first, and other lessons' only when it is plain."""

from __future__ import annotations

import pytest

from bot.student.hearing.questions import index
from bot.student.records.curriculum import Curriculum
from bot.student.said import content_words, stems
from tests.fakes.students import shipped


@pytest.fixture(scope="module")
def curriculum() -> Curriculum:
    return shipped()[1]


def asked(curriculum: Curriculum, lesson: str, text: str) -> tuple[str, str | None] | None:
    found = index(curriculum).find(content_words(text), curriculum.lessons[lesson])
    return (found.question.ask, found.lesson) if found else None


def test_every_written_question_is_found_in_its_own_lesson(curriculum: Curriculum) -> None:
    lost = [
        question.ask
        for lesson in curriculum.lessons.values()
        for question in (*lesson.questions, *lesson.neighbours)
        if asked(curriculum, lesson.id, question.ask) != (question.ask, lesson.id)
    ]
    assert lost == []


def test_the_lesson_that_is_on_wins_over_a_longer_key_elsewhere(curriculum: Curriculum) -> None:
    for lesson in curriculum.lessons.values():
        for question in lesson.questions:
            heard = asked(curriculum, lesson.id, f"Ok friend, listen. {question.ask}")
            assert heard is not None
            assert heard[1] == lesson.id


def test_one_word_of_another_lesson_is_no_question_of_it(curriculum: Curriculum) -> None:
    assert asked(curriculum, "D2.Eco.1-needs-wants", "Is a puppy a need or a want?") is not None
    assert asked(curriculum, "2.NBT.B.5-subtract", "Do you have a puppy?") is None
    assert asked(curriculum, "2.NBT.B.5-subtract", "Did you eat cake?") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("boxes", "box"),
        ("berries", "berry"),
        ("shoes", "shoe"),
        ("horses", "horse"),
        ("dishes", "dish"),
        ("Sam's", "Sam"),
        ("can't", "cant"),
        ("it’s", "it's"),
        ("light-up", "light up"),
    ],
)
def test_forms_of_one_word_are_one(one: str, other: str) -> None:
    assert content_words(one) == content_words(other)


@pytest.mark.parametrize(
    ("one", "other"), [("hop", "hope"), ("cut", "cute"), ("glass", "glas"), ("fan", "fantastic")]
)
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert content_words(one) != content_words(other)
    assert stems(one) != stems(other)


@pytest.mark.parametrize(
    ("forms", "stem"),
    [
        ("trade trades traded trading", "trade"),
        ("hop hops hopped hopping", "hop"),
        ("break broke broken", "break"),
    ],
)
def test_verb_endings_fold(forms: str, stem: str) -> None:
    assert set(stems(forms)) == {stem}


def test_stems_drop_digits_and_keep_the_ones_place() -> None:
    assert stems("4 tens and 12 ones") == ["ten", "and", "ones"]

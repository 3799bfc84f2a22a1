"""Which of several replies is taken."""

from __future__ import annotations

from pathlib import Path

from bot.student.lessons import read_lesson
from bot.student.records.child import read_child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role, Thought, ThoughtKind, Turn
from bot.student.voicing.choice import best, same_words
from bot.student.voicing.voice import Shaped, shape

DATA = Path(__file__).parents[2] / "data"
MIA = read_child(DATA / "children" / "mia.toml")
LESSON = read_lesson(DATA / "lessons" / "2.NBT.B.5-subtract.toml")
BOOK = "Which part of the book did you like best?"


def cue(teacher: str, words: int, *said: str) -> Cue:
    turns = tuple(turn for each in said for turn in (Turn(Role.TEACHER, "And?"), Turn(Role.STUDENT, each)))
    return Cue(MIA, LESSON, turns, teacher, Thought(ThoughtKind.ANSWER, words=words))


def chosen(replies: list[str], asked: Cue, elsewhere: frozenset[str] = frozenset()) -> str | None:
    found = best([Shaped(each) for each in replies], asked, elsewhere)
    return found.text if found else None


def test_the_likeliest() -> None:
    replies = [Shaped("I went to the park.", likelihood=-9.0), Shaped("The dragon part.", likelihood=-6.0)]
    assert best(replies, cue(BOOK, 4), frozenset()) == replies[1]


def test_not_what_was_said_before_here_or_elsewhere() -> None:
    replies = ["The part with the dragon.", "When the book fell in the water."]
    assert chosen(replies, cue(BOOK, 6, "the part with the dragon")) == replies[1]
    assert chosen(replies, cue(BOOK, 6), frozenset({same_words(replies[0])})) == replies[1]


def test_not_what_may_not_stand() -> None:
    assert best([Shaped("The part.", "adult words: as an ai")], cue(BOOK, 2), frozenset()) is None


def test_about_as_long_as_it_was_meant_to_be() -> None:
    short, long = "The dragon part.", "The dragon part and then when they all flew home and had some soup."
    assert chosen([short, long], cue(BOOK, 3)) == short
    assert chosen([short, long], cue(BOOK, 14)) == long


def fault(text: str, teacher: str = BOOK) -> str | None:
    return shape(text, Thought(ThoughtKind.ANSWER, words=8), MIA, teacher=teacher).fault


def test_what_no_child_answers_may_not_stand() -> None:
    assert fault("The dragon part.") is None
    assert fault("My cat Pickle likes it.") is None
    for wrong in (
        "As an AI I like dragons.",
        "which part of the book did you like best",
        "I saw a big nose there I saw a big nose",
        "My sister read it to me.",
        "My dog ate it.",
        "I am nine years old.",
        "The square root of 9.",
    ):
        assert fault(wrong) is not None, wrong
    assert fault("I equals that.", "What does equals mean?") is None


def test_the_one_that_the_model_itself_finds_likelier() -> None:
    odd, plain = (
        Shaped("The part with the toe.", likelihood=-3.0),
        Shaped("The part with the cat.", likelihood=-0.5),
    )
    found = best([odd, plain], cue(BOOK, 5), frozenset())
    assert found is plain

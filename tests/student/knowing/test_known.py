"""What any second grader answers: every reader has questions of its own beside it, and each of them is asked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.knowing import known as door
from bot.student.knowing.known import known
from bot.student.knowing.question import FILLERS, ORDERS, QUESTION_WORDS, Question, Reader
from bot.student.said import Said

READERS = {f"{reader.__module__.rpartition('.')[2]}.{reader.__name__}": reader for reader in door._READERS}


def examples() -> Iterator[tuple[str, str, str]]:
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for reader, rows in tomllib.loads(path.read_text("utf-8")).items():
            for ask, answer in rows.items():
                yield f"{path.stem}.{reader}", ask, answer


EXAMPLES = tuple(examples())


def answer(text: str) -> str | None:
    return (known.__wrapped__(Said.of(text)) or (None,))[0]


@pytest.mark.parametrize(("reader", "ask", "right"), EXAMPLES)
def test_a_question_is_answered_by_its_reader(reader: str, ask: str, right: str) -> None:
    assert answer(ask) == right
    question = Question.of(Said.of(ask))
    assert question is not None
    assert (READERS[reader](question) or ("",))[0] == right


@pytest.mark.parametrize("reader", READERS)
def test_no_other_reader_does_for_it(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rest: tuple[Reader, ...] = tuple(each for name, each in READERS.items() if name != reader)
    monkeypatch.setattr(door, "_READERS", rest)
    assert any(answer(ask) != right for name, ask, right in EXAMPLES if name == reader)


@pytest.mark.parametrize(
    "text",
    [
        # What lessons practise.
        "Is 13 = 6 + 7 true?",
        "What is half of 7?",
        "What is half of 48?",
        "Count to 20 by fives.",
        "Put 398 and 412 on the number line from 300 to 500. Which one is farther along?",
        "Take a flashlight and pretend it's midnight. What would you listen for?",
        "When the minute hand points to the 3, how many minutes after the hour is it?",
        "Read this: hop.",
        # What no table tells.
        "Is a glorp hard or soft?",
        "Is a glorp alive?",
        "Which is heavier, a glorp or a brick?",
        "Which is bigger, a dog or a glorp?",
        "How many glorps does a cat have?",
        "What rhymes with orange?",
        "What two words make up glorpball?",
        "What letter comes after Z?",
        "Change the x in can to an f.",
        "Tom has a red kite. Why does Tom run?",
        # No question.
        "I like your drawing.",
        "What is a quark?",
        "",
        "?",
        "or",
        "What color is the sun? " * 14,
    ],
)
def test_what_is_not_known(text: str) -> None:
    assert answer(text) is None


@pytest.mark.parametrize("filler", FILLERS)
def test_what_leads_in_to_a_question_is_none_of_it(filler: str) -> None:
    assert answer(f"{filler}, is ice hard or soft?") == "hard"


@pytest.mark.parametrize("word", [*QUESTION_WORDS, *ORDERS])
def test_a_question_needs_no_mark(word: str) -> None:
    assert Question.of(Said.of(f"{word} this and that")) is not None
    assert Question.of(Said.of("this and that")) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=320))
def test_any_text_is_read(text: str) -> None:
    known(Said.of(text))


@pytest.mark.parametrize(
    "text",
    ["is " * 90, "or a " * 50, "what is the " * 20, "read this: " + "a " * 100, "at 1:23 an hour " * 18],
)
def test_a_text_that_repeats_itself_is_soon_read(text: str) -> None:
    answer(text)  # a pattern that goes back and forth would meet the tests' timeout

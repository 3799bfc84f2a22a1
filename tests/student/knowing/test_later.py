"""What later grades teach: its words, its signs, and a child's guess at it."""

from __future__ import annotations

import random
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.knowing import later
from bot.student.knowing.later import guess, is_later, product
from bot.student.records.files import REFERENCE
from bot.student.said import Said

WORDS = tomllib.loads((REFERENCE / "later.toml").read_text("utf-8"))
TONGUES = WORDS.pop("tongues")


@pytest.mark.parametrize("word", [word for words in WORDS.values() for word in words])
def test_each_word_is_later(word: str) -> None:
    said = word.replace("#", "12").replace("*", "ing")
    assert is_later(Said.of(f"And {said}?"))
    assert not is_later(Said.of(f"And x{said}ly?"))


@pytest.mark.parametrize("tongue", TONGUES)
def test_other_tongues_are_later(tongue: str) -> None:
    assert is_later(Said.of(f"Say hello in {tongue}."))
    assert is_later(Said.of(f"What is the {tongue.capitalize()} word for dog?"))
    assert not is_later(Said.of(f"Are you {tongue}?"))


SIGNED = (
    "What is 25% of 80?",
    "45 ÷ 5?",
    "What is 2^3?",
    "What's 0.5 + 0.25?",
    "What is -3 + 5?",
    "If 3y = 12, what is y?",
    "Solve x + 4 = 11.",
    "What is 12 - z if z is 5?",
    "What is the value of n now?",
    "What is 1/2 + 1/4?",
    "What is 2/3 of 9?",
    "So what is two thirds plus three fourths?",
    "What is three fifths of 20?",
)


@pytest.mark.parametrize("text", SIGNED)
def test_signs_of_later_grades(text: str) -> None:
    assert is_later(Said.of(text))


@pytest.mark.parametrize("sign", later.SIGNS)
def test_every_sign_is_needed(sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(later, "SIGNS", tuple(each for each in later.SIGNS if each != sign))
    monkeypatch.setattr(later, "_later", later._later.__wrapped__)
    assert not all(is_later(Said.of(text)) for text in SIGNED)


@pytest.mark.parametrize(
    "text",
    [
        "What is 52 - 17?",
        "What is half of 8?",
        "Is one half more than one fourth?",
        "It's 9:30 a.m.",
        "What is 3 + ___ = 10?",
        "They had 6 dogs and 4 cats.",
        "The value of a coin is on it.",
        "Who wrote that?",
        "T. rex lived millions of years ago.",
    ],
)
def test_what_second_grade_teaches_is_not_later(text: str) -> None:
    assert not is_later(Said.of(text))


def guessed(said: Said, rng: random.Random) -> str | None:
    asked = product(said)
    return guess(asked, rng) if asked else None


def test_a_guess_is_never_right() -> None:
    for one in range(13):
        for other in range(1, 13):
            for seed in range(4):
                rng = random.Random(seed)
                assert guessed(Said.of(f"What is {one} times {other}?"), rng) != str(one * other)
                assert guessed(Said.of(f"What is {one * other} / {other}?"), rng) != str(one)


@pytest.mark.parametrize(
    ("text", "guesses"),
    [
        ("What is 6 times 7?", {"13", "14", "12"}),
        ("What is 2 times 2?", {"5", "3"}),
        ("What's 36 divided by 4?", {"32", "33"}),
        ("What is 2 * 3? And 4 * 5?", {"9", "10", "8"}),
        ("What is 6 plus 7?", {None}),
        ("What is 0 times 0?", {"1"}),
    ],
)
def test_a_child_adds_or_takes_away(text: str, guesses: set[str | None]) -> None:
    assert {guessed(Said.of(text), random.Random(seed)) for seed in range(40)} == guesses


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=320))
def test_any_text_is_read(text: str) -> None:
    is_later(Said.of(text))
    guessed(Said.of(text), random.Random(1))

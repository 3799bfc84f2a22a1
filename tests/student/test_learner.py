"""How a child says it that learns English: forms change, what is meant does not."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.student.records.child import English
from bot.student.voicing.learner import speak
from tests.fakes.students import shipped

CHILDREN, _ = shipped()
FIRM = "I think it's 45 because the ten is gone and he likes it on the table."


def ways(text: str, english: English, keep: frozenset[str] = frozenset()) -> set[str]:
    return {speak(text, english, random.Random(seed), keep) for seed in range(200)}


def test_a_beginner_leaves_out_small_words_at_times_and_says_them_at_times() -> None:
    said = ways(FIRM, "early")
    assert any("it 45" in each for each in said)
    assert any("it's 45" in each for each in said)
    assert any("ten gone" in each for each in said)
    assert FIRM in said


def test_half_way_there_only_some_forms_are_mixed_up() -> None:
    said = ways("It's in the box. He likes it on the table.", "intermediate")
    assert any(each.lower().startswith("is in") for each in said)
    assert any("in the table" in each for each in said)
    assert any("He like it" in each for each in said)
    assert all("the box" in each for each in said)


@pytest.mark.parametrize("english", ["early", "intermediate"])
@given(st.text(alphabet="abcdehist '.?0123456789", max_size=60))
def test_numbers_and_the_answer_stay(english: English, text: str) -> None:
    said = speak(text, english, random.Random(3), {"the"})
    assert re.findall(r"\d+", said) == re.findall(r"\d+", text)
    assert re.findall(r"\bthe\b", said) == re.findall(r"\bthe\b", text)


def test_a_question_is_not_torn_apart() -> None:
    assert ways("what is this word?", "early") == {"what is this word?"}


def test_children_are_marked_as_learners_and_told_what_helps_them() -> None:
    learners = {name: child for name, child in CHILDREN.items() if child.english}
    assert {child.english for child in learners.values()} == {"early", "intermediate"}
    assert all(child.supports for child in learners.values())
    assert sum(bool(child.supports) for child in CHILDREN.values()) >= 4

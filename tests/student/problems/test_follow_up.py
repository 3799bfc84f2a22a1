"""Problems that lean on the last one."""

from __future__ import annotations

import pytest

from bot.student.problems.follow_up import follow_up
from bot.student.said import Said


@pytest.mark.parametrize(
    ("question", "answer", "text", "right"),
    [
        ("Is 14 even or odd?", "even", "What about 36?", "even"),
        ("What is 8 plus 3?", "11", "Same thing but this time 7 and 5.", "12"),
        ("What is 8 plus 3?", "11", "What if I had nine and four instead?", "13"),
        ("What is 46 plus 10?", "it's 56", "and ten more than that?", "66"),
        ("What is 46 plus 10?", "it's 56", "Now take 20 away from that.", "36"),
        ("What is 52 minus 17?", "45", "And 61, 24?", "37"),
        ("What is 46 plus 10?", "56", "what about 30", "40"),
    ],
)
def test_the_last_question_is_asked_again(question: str, answer: str, text: str, right: str) -> None:
    found = follow_up(Said.of(text), question, answer)
    assert found is not None
    assert found.right == right


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("", "What about 36?"),
        ("What is 8 plus 3?", "What about the other one?"),
        ("What is your name?", "What about 36?"),
        ("What is 8 plus 3?", "Try 4 and 5 and 6 and 7."),
    ],
)
def test_without_a_problem_or_numbers_that_fit_there_is_none(question: str, text: str) -> None:
    assert follow_up(Said.of(text), question, "") is None

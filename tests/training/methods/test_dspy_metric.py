"""The yardstick: words that mean the thought, as short as a child's, beat all others, and it says why."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest

from bot.student.records.dialogue import Role, Thought, ThoughtKind
from tests.fakes.students import DATA, shipped
from training.corpus.read import sound
from training.methods.dspy_metric import judge

CHILDREN, _ = shipped()
MIA = CHILDREN["mia"]
QUESTION = "What is 52 minus 17?"
FORTY_FIVE = Thought(ThoughtKind.ANSWER, answer="45", words=4)


@pytest.mark.parametrize(
    ("text", "low", "high", "feedback"),
    [
        ("I think it's 45", 1.0, 1.0, "just what the child wanted"),
        ("forty five", 1.0, 1.0, "just what"),
        ("it's 45 cuz I counted it up on all of my fingers", 0.7, 0.95, "too long: 12 words"),
        ("it's 35", 0.0, 0.2, "another answer than the thought"),
        ("I do not know", 0.0, 0.2, "another answer than the thought"),
        ("of course it's 45", 0.0, 0.2, "too adult"),
        ("oh I see, you're right, it's 45", 0.0, 0.1, "concedes"),
        ("**45**", 0.8, 0.9, "markup"),
        ("", 0.0, 0.0, "empty"),
        ("   \n", 0.0, 0.0, "empty"),
    ],
)
def test_what_words_are_worth(text: str, low: float, high: float, feedback: str) -> None:
    verdict = judge(text, FORTY_FIVE, MIA, QUESTION)
    assert low <= verdict.score <= high
    assert feedback in verdict.feedback
    assert "\n" not in verdict.feedback


def test_a_child_that_means_to_concede_may() -> None:
    thought = Thought(ThoughtKind.CHAT, reason="oh I see, sorry", words=4)
    assert judge("oh I see, sorry", thought, MIA, "See?").score == 1


def test_a_reason_is_worth_as_many_of_its_words_as_are_said() -> None:
    thought = Thought(ThoughtKind.EXPLAIN, reason="I took the small one from the big one", words=8)
    whole, half, none = (
        judge(text, thought, MIA, "How do you know?")
        for text in (
            "I took the small one from the big one",
            "the small one from the big kids in there",
            "my teacher showed us that one over there",
        )
    )
    assert whole.score == 1
    assert none.score < half.score < whole.score
    assert "leaves out most of the reason" in none.feedback


def test_longer_is_worth_less() -> None:
    said = [
        "it's 45",
        "it's 45 like on my fingers",
        "it's 45 like on my fingers and on my toes and on my nose",
    ]
    scores = [judge(text, FORTY_FIVE, MIA, QUESTION).score for text in said]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def test_what_authors_wrote_is_good() -> None:
    """Of children who speak: how a typing child spells is put in after a model spoke."""
    scores = []
    for _, dialogue in sound([DATA / "dialogues" / "test.jsonl"]):
        child = CHILDREN[dialogue.child or ""]
        for before, turn in pairwise(dialogue.turns):
            if turn.role is Role.STUDENT and turn.thought is not None and child.voice == "spoken":
                scores.append(judge(turn.content, turn.thought, child, before.content).score)
    assert len(scores) > 200
    assert statistics.fmean(scores) > 0.9

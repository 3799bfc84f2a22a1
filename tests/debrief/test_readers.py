"""Talk moves and questions, sentence by sentence: what the rules find, and what they leave."""

from __future__ import annotations

import pytest

from bot.debrief import questions, talkmoves
from bot.debrief.questions import QuestionKind as Q
from bot.debrief.talkmoves import TalkMove as T
from bot.student.records.dialogue import MoveKind
from bot.student.said import Said

FLIPS = "you can't take away more than you got so you flip it"


@pytest.mark.parametrize(
    ("child", "teacher", "move", "found"),
    [
        ("45. 7 take away 2 is 5.", "45?", MoveKind.OTHER, (T.RESTATE,)),
        (FLIPS, "You flip it.", MoveKind.REVOICES, (T.RESTATE,)),
        (FLIPS, "You flip it. How did you know?", MoveKind.ASKS_WHY, (T.RESTATE, T.REASONING)),
        (
            FLIPS,
            "So you're saying the little number goes first, you flip it.",
            MoveKind.REVOICES,
            (T.REVOICE,),
        ),
        (
            "45. 7 take away 2 is 5.",
            "So you took 2 away from 7. Why?",
            MoveKind.ASKS_WHY,
            (T.REVOICE, T.REASONING),
        ),
        ("7 take away 2", "What is 7 take away 2?", MoveKind.ASKS, (T.ACCURACY,)),
        ("45", "My friend Sam says it's 35. Do you agree?", MoveKind.FALSE_HINT, (T.RELATE,)),
        ("45", "What would you tell somebody who got 35?", MoveKind.ASKS, (T.RELATE,)),
        ("45", "It says 52 in the book, do you see?", MoveKind.ASKS, (T.ACCURACY,)),
        ("45", "Are you with me?", MoveKind.MANAGES, (T.TOGETHER,)),
        ("45", "Everybody, eyes on the board.", MoveKind.MANAGES, (T.TOGETHER,)),
        ("45", "Are you sure?", MoveKind.SAYS_WRONG, (T.ACCURACY,)),
        ("45", "Tell me how you got 45.", MoveKind.ASKS_WHY, (T.REASONING,)),
        ("45", "No, it's 35.", MoveKind.TELLS, ()),
        ("It's the fish.", "It's not the fish.", MoveKind.SAYS_WRONG, ()),
        ("The 4 is tens", "What does the 4 mean?", MoveKind.ASKS, (T.ACCURACY,)),
        ("Snow, I think I love it", "I love it.", MoveKind.PRAISES, ()),
        ("45", "Do you think he gets paid?", MoveKind.ASKS, (T.ACCURACY,)),
        ("45", "Zoe says you can't flip it. What do you think?", MoveKind.ASKS, (T.ACCURACY,)),
        ("45", "Zoe got 35, do you see why?", MoveKind.ASKS, (T.RELATE,)),
        ("45", "Good job!", MoveKind.PRAISES, ()),
        ("45", "How nice is that!", MoveKind.PRAISES, ()),
        ("hi", "What is your favorite color?", MoveKind.SMALL_TALK, ()),
        ("", "What is 52 minus 17?", MoveKind.ASKS, (T.ACCURACY,)),
        ("", "", None, ()),
    ],
)
def test_talk_moves(child: str, teacher: str, move: MoveKind | None, found: tuple[T, ...]) -> None:
    assert talkmoves.read(Said.of(teacher), child, move) == found


def test_every_talk_move_says_what_it_is() -> None:
    assert set(talkmoves.MEANS) == set(T)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What is 52 minus 17?", (Q.ANSWER,)),
        ("52 - 17 = ?", (Q.ANSWER,)),
        ("How do you know? Is it a half or a fourth?", (Q.REASON, Q.EITHER_OR)),
        ("Can you explain why?", (Q.REASON,)),
        ("What do you notice about the ones?", (Q.OPEN,)),
        ("What could we do when there are not enough ones? Could we break open a ten?", (Q.OPEN, Q.YES_NO)),
        ("Does that seem right?", (Q.YES_NO,)),
        ("Tell me how you got 45.", (Q.REASON,)),
        ("How lovely! You flip it.", ()),
        ("The answer is 35.", ()),
        ("", ()),
    ],
)
def test_questions_by_kind(text: str, found: tuple[Q, ...]) -> None:
    assert questions.kinds(Said.of(text)) == found

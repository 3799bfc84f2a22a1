"""Which of several raw replies a child would most likely have said: near to what was asked, and not said before.

It compares words; it calls no model. Which replies may stand at all is `voice`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from bot.student.records.dialogue import Thought
from bot.student.said import PLAIN_STEMS, stems
from bot.student.voicing.voice import Shaped

NEAR = 1.0
"""What a word that the teacher said, too, adds, up to `MOST_NEAR` of them."""
MOST_NEAR = 2
SAID_BEFORE = 3.0
"""What having been said before takes off."""
ALIKE = 0.85
"""Likeness of letters (`difflib`) from which a reply was said before."""
OFF_LENGTH = 0.15
"""What each word beside the length that was drawn takes off."""
EMPTY = 1.0
"""What a reply without a telling word takes off where more than a word or two were meant."""
FEW = 3


def best(
    replies: Sequence[Shaped], thought: Thought, teacher: str, said_before: Collection[str]
) -> Shaped | None:
    """The best of the replies that may stand; the first of equals; None where none may."""
    standing = [each for each in replies if each.fault is None]
    asked = _telling(teacher)
    return max(standing, key=lambda each: _worth(each.text, thought, asked, said_before), default=None)


def _worth(text: str, thought: Thought, asked: frozenset[str], said_before: Collection[str]) -> float:
    own = _telling(text)
    worth = NEAR * min(MOST_NEAR, len(own & asked)) - OFF_LENGTH * abs(len(text.split()) - thought.words)
    if not own - asked and thought.words >= FEW:
        worth -= EMPTY
    if any(_alike(text, each) for each in said_before):
        worth -= SAID_BEFORE
    return worth


def _telling(text: str) -> frozenset[str]:
    return frozenset(stems(text)) - PLAIN_STEMS


def _alike(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return len(one.split()) >= FEW and SequenceMatcher(None, one, other).ratio() >= ALIKE

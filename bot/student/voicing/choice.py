"""Which of several replies a child would most likely have said: near to what was asked, and not said before.

It compares words; it calls no model. Which replies may stand at all is `voice`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role
from bot.student.said import telling
from bot.student.voicing.voice import Shaped

REPLIES = 4
"""Replies to choose from."""
NEAR = 1.0
"""What the first telling word that the teacher said, too, adds; a second one adds half."""
NEW = 0.15
"""What each telling word adds that neither side has said yet, up to `MOST_NEW`."""
MOST_NEW = 3
LIKELY = 0.7
"""What each nat of the words' mean likelihood counts: what the model itself finds odd is mostly off the point."""
SAID_BEFORE = 3.0
"""What having been said before takes off."""
ALIKE = 0.85
"""Likeness of letters (`difflib`) from which a reply was said before in this conversation."""
OFF_LENGTH = 0.1
"""What each word beside the length that was drawn takes off."""
EMPTY = 1.0
"""What a reply without a telling word of its own takes off where more than a word or two were meant."""
FEW = 3


def same_words(text: str) -> str:
    """What two replies have in common that are the same word for word; empty for a word or three."""
    words = re.findall(r"[a-z0-9']+", text.lower())
    return " ".join(words) if len(words) > FEW else ""


def best(replies: Sequence[Shaped], cue: Cue, elsewhere: Collection[str]) -> Shaped | None:
    """The best of the replies that may stand; the first of equals; None where none may."""
    standing = [each for each in replies if each.fault is None]
    return max(standing, key=lambda each: _worth(each, cue, elsewhere), default=None)


def _worth(reply: Shaped, cue: Cue, elsewhere: Collection[str]) -> float:
    text = reply.text
    asked, own = telling(cue.teacher), telling(text)
    shared = len(own & asked)
    worth = NEAR * (min(shared, 1) + 0.5 * (shared > 1)) - OFF_LENGTH * abs(
        len(text.split()) - cue.thought.words
    )
    if not own - asked and cue.thought.words > FEW:
        worth -= EMPTY
    said = [turn.content for turn in cue.turns if turn.role is Role.STUDENT]
    new = own - asked - telling(" ".join(said))
    worth += NEW * min(MOST_NEW, len(new), cue.thought.words)
    worth += LIKELY * reply.likelihood
    if same_words(text) in elsewhere or any(_alike(text, each) for each in said):
        worth -= SAID_BEFORE
    return worth


def _alike(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return len(one.split()) >= FEW and SequenceMatcher(None, one, other).ratio() >= ALIKE

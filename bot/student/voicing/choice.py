"""Which of several replies a child would most likely have said: the likeliest that was not said before.

It compares words; it calls no model. Which replies may stand at all is `voice`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role
from bot.student.voicing.voice import Shaped

REPLIES = 4
"""Replies to choose from."""
SAID_BEFORE = 30.0
"""What having been said before takes off, in nats: more than any short reply is less likely than another."""
ALIKE = 0.85
"""Likeness of letters (`difflib`) from which a reply was said before in this conversation."""
OFF_LENGTH = 1.0
"""What each word beside the length that was drawn takes off, in nats. The likeliest reply is a short one: without this
a child would never say much."""
FEW = 3


def same_words(text: str) -> str:
    """What two replies have in common that are the same word for word; empty for a word or three."""
    words = re.findall(r"[a-z0-9']+", text.lower())
    return " ".join(words) if len(words) > FEW else ""


def best(replies: Sequence[Shaped], cue: Cue, elsewhere: Collection[str]) -> Shaped | None:
    """The best of the replies that may stand; the first of equals; None where none may.

    `elsewhere` holds the `same_words` of other conversations.
    """
    standing = [each for each in replies if each.fault is None]
    return max(standing, key=lambda each: _worth(each, cue, elsewhere), default=None)


def _worth(reply: Shaped, cue: Cue, elsewhere: Collection[str]) -> float:
    """The log-likelihood of all its words: of four, readers found the likeliest fitting half as often again as one at
    random; nearness to the teacher's words, new words and likelihood a word told them less."""
    worth = reply.likelihood - OFF_LENGTH * abs(len(reply.text.split()) - cue.thought.words)
    said = [turn.content for turn in cue.turns if turn.role is Role.STUDENT]
    if same_words(reply.text) in elsewhere or any(_alike(reply.text, each) for each in said):
        worth -= SAID_BEFORE
    return worth


def _alike(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return len(one.split()) >= FEW and SequenceMatcher(None, one, other).ratio() >= ALIKE

"""Moments that could have moved the child: a wrong idea showed, or its thinking did, and the next turn left it.

It says what was there to be taken up, not that something else was wrong to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.debrief.record import Chance, Missed, Spoken, Who
from bot.debrief.talkmoves import TalkMove
from bot.student.records.dialogue import MoveKind, ThoughtKind
from bot.student.said import PLAIN, content_words

_AFTER_WRONG = {
    MoveKind.SAYS_RIGHT: Chance.CONFIRMED,
    MoveKind.REINFORCES: Chance.CONFIRMED,
    MoveKind.TELLS: Chance.TOLD,
    MoveKind.HELPS_OTHER: Chance.OTHER_HELP,
    MoveKind.ASKS: Chance.WENT_ON,
    MoveKind.TRANSFER: Chance.WENT_ON,
    MoveKind.PRAISES: Chance.WENT_ON,
    MoveKind.SMALL_TALK: Chance.WENT_ON,
    MoveKind.MANAGES: Chance.WENT_ON,
    MoveKind.OUT_OF_GRADE: Chance.WENT_ON,
    MoveKind.OTHER: Chance.WENT_ON,
}
"""What each move leaves where a wrong idea showed; every other move takes it up."""
TAKES_UP = frozenset({MoveKind.HELPS, MoveKind.ASKS_WHY, MoveKind.REVOICES})
"""Moves that take the child's thinking up, whatever the words."""
GIVES_BACK = frozenset({TalkMove.RESTATE, TalkMove.REVOICE, TalkMove.REASONING})
"""Talk moves that do."""
_POINTS_BACK = re.compile(
    r"\b(you (said|say|did|got|put|took|think|mean)|your (way|idea|answer|thinking))\b", re.I
)
MORE_THAN_AN_ANSWER = 3
"""Words beside the answer from which a turn tells how or why."""


def missed(turns: Sequence[Spoken]) -> tuple[Missed, ...]:
    """The moments in order: a turn of the child, and the teacher's own turn that came next. At most one each."""
    found = (
        _between(child, teacher)
        for child, teacher in pairwise(turns)
        if child.who is Who.CHILD and teacher.who is Who.YOU and not teacher.flagged
    )
    return tuple(each for each in found if each is not None)


def _between(child: Spoken, teacher: Spoken) -> Missed | None:
    idea = child.thought.misconception if child.thought else None
    if GIVES_BACK & set(teacher.talk) or teacher.move in TAKES_UP:
        return None
    if child.wrong:
        chance = _AFTER_WRONG.get(teacher.move) if teacher.move else None
        return Missed(chance, child.number, teacher.number, idea) if chance else None
    if _thinks_aloud(child) and not _takes_up(child.text, teacher.text):
        return Missed(Chance.UNHEARD, child.number, teacher.number)
    return None


def _thinks_aloud(child: Spoken) -> bool:
    """Whether the child said how or why, or asked something."""
    thought = child.thought
    if thought is None:
        return False
    if thought.kind is ThoughtKind.ASK:
        return "?" in child.text
    told = thought.kind is ThoughtKind.EXPLAIN or (
        thought.kind in (ThoughtKind.ANSWER, ThoughtKind.REJECT) and thought.reason is not None
    )
    return told and child.words - len((thought.answer or "").split()) >= MORE_THAN_AN_ANSWER


def _takes_up(child: str, teacher: str) -> bool:
    """Whether the teacher's words come back to the child's."""
    return bool(_POINTS_BACK.search(teacher) or (content_words(child) & content_words(teacher)) - PLAIN)

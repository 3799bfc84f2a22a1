"""Moods: one that comes up in a talk passes by itself; one that the child came with passes as it is listened to.

Upset, it may refuse work that is put first; tired, it says little; silly, it wanders off more. The rates were chosen by
feel, so that a teacher who listens needs about three turns, and one who does not gets nowhere.
"""

from __future__ import annotations

import random

from bot.student.believing.state import MindState
from bot.student.hearing.heard import Heard
from bot.student.records.dialogue import Mood, MoveKind

CALM_SHARE = 0.5
"""Share of turns after which a mood that came up has passed."""
LISTENED_SHARE = 0.4
"""Share of turns that listen after which a mood that was brought has passed."""
WORKED_SHARE = 0.04
"""The same of turns that put work first."""
REFUSED_SHARE = 0.6
"""Share of turns that put work first which an upset child refuses."""
WANDER_SHARE = 0.2
"""What silly adds to the share of turns that wander off."""
TIRED_WORDS = 4
"""A tired child says no more at once."""

_WORK = frozenset(
    {
        MoveKind.MANAGES,
        MoveKind.TELLS,
        MoveKind.HELPS,
        MoveKind.HELPS_OTHER,
        MoveKind.TRANSFER,
    }
)
_JUDGES = frozenset({MoveKind.SAYS_WRONG, MoveKind.FALSE_HINT})


def lasts(state: MindState) -> bool:
    """Whether the child is still in the mood in which it came."""
    return state.brought is not None and state.mood is state.brought


def works(state: MindState, heard: Heard) -> bool:
    """Whether a teacher's turn puts the work first: it asks a question of a lesson, or pushes."""
    return pushes(state, heard) or (heard.found is not None and heard.found.lesson is not None)


def pushes(state: MindState, heard: Heard) -> bool:
    """Whether it sets a problem, explains, or says "sit up, let's start".

    An offer that the child may refuse does not, nor does a judgement where no answer was given.
    """
    if heard.problem is not None:
        return True
    offers = heard.yes_no or heard.options is not None
    judges = heard.move in _JUDGES and state.asked is not None
    return (heard.move in _WORK and not offers) or judges


def passes(state: MindState, heard: Heard, rng: random.Random) -> bool:
    """Whether the mood that was brought has passed after this turn."""
    return rng.random() < (WORKED_SHARE if works(state, heard) else LISTENED_SHARE)


def refuses(state: MindState, heard: Heard, rng: random.Random) -> bool:
    """Whether an upset child will not do what this turn wants."""
    upset = lasts(state) and state.mood is Mood.FRUSTRATED
    return upset and works(state, heard) and rng.random() < REFUSED_SHARE

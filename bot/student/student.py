"""The way of one turn through the child, readable from top to bottom.

    what was sent   -> Said      folded once                                   (said)
    Said            -> Notice    what the child does not answer                (guard)
    Said, Context   -> Heard     what the teacher did                          (hearing, problems, knowing)
    Heard, state    -> Thought   what the child believes and means to say      (believing)
    Thought         -> prompt    what a model is asked to say                  (voicing)
    raw words       -> words     the child's own, or a fault                   (voicing)

Pure and seeded. Which model speaks, and what is kept, is the classroom's business.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.student.believing.mind import think
from bot.student.believing.state import MindState, refers_to
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Heard
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Thought
from bot.student.said import Said


@dataclass(frozen=True, slots=True)
class Turned:
    """What one turn of a teacher led to: what was heard, what the child means to say, and its state after it."""

    heard: Heard
    thought: Thought
    state: MindState


def turn(scene: Scene, state: MindState, said: Said, seed: int) -> Turned:
    """Hear `said` and think; the same scene, state, words and seed give the same."""
    heard = hear(said, scene, refers_to(scene, state))
    thought, after = think(scene, state, heard, random.Random(seed))
    return Turned(heard, thought, after)

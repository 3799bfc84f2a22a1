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
from dataclasses import dataclass, replace

from bot.student.believing.mind import think
from bot.student.believing.state import LONGEST, MindState, refers_to
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Heard
from bot.student.hearing.reader import Reader
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Thought
from bot.student.said import Said


@dataclass(frozen=True, slots=True)
class Turned:
    """What one turn of a teacher led to: what was heard, what the child means to say, and its state after it."""

    heard: Heard
    thought: Thought
    state: MindState


def turn(scene: Scene, state: MindState, said: Said, seed: int, reader: Reader | None = None) -> Turned:
    """Hear `said` (with the trained reader, where there is one) and think; the same of all gives the same."""
    heard = hear(said, scene, refers_to(scene, state), reader)
    thought, after = think(scene, state, heard, random.Random(seed))
    return Turned(heard, thought, after)


def spoken(state: MindState, words: str) -> MindState:
    """The state after the child has said `words`."""
    return replace(state, last=words[:LONGEST])

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

from bot.student.believing.memory import LONGEST, Told, keep, recall
from bot.student.believing.mind import think
from bot.student.believing.state import MindState, refers_to
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Heard
from bot.student.hearing.reader import Reads
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Role, Thought, Turn
from bot.student.said import Said


@dataclass(frozen=True, slots=True)
class Turned:
    """What one turn of a teacher led to: what was heard, what the child means to say, and its state after it."""

    heard: Heard
    thought: Thought
    state: MindState
    recalled: Told | None = None
    """What the child said of itself before, where the turn comes back to it."""

    def recalls(self, said: tuple[Turn, ...]) -> tuple[Turn, ...]:
        """What was recalled, as an exchange, unless it is among the turns `said` so far that a model is shown."""
        told = self.recalled
        if told is None or any(each.content == told.words for each in said):
            return ()
        return Turn(Role.TEACHER, told.teacher), Turn(Role.STUDENT, told.words)


def turn(scene: Scene, state: MindState, said: Said, seed: int, reader: Reads | None = None) -> Turned:
    """Hear `said` (with the trained reader, where there is one) and think; the same of all gives the same."""
    said = said.own
    heard = hear(said, scene, refers_to(scene, state), reader)
    thought, after = think(scene, state, heard, random.Random(seed))
    return Turned(heard, thought, after, recall(state.memory, heard.telling) if thought.open else None)


def spoken(turned: Turned, said: Said, words: str) -> MindState:
    """The state after the child has said `words`: what it told of itself is kept."""
    state = turned.state
    memory = keep(state.memory, said.own.text, words) if turned.thought.open else state.memory
    return replace(state, last=words[:LONGEST], memory=memory)

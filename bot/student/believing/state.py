"""All that a child carries from turn to turn, and what of it a teacher's next turn may refer to.

It stores and loads; how it changes is `mind`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.student.believing.answers import Asked, active_misconceptions
from bot.student.believing.belief import Belief
from bot.student.believing.memory import Told
from bot.student.hearing.heard import Context
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Mood


class MindError(ValueError):
    """A stored mind cannot be read."""


@dataclass(frozen=True, slots=True)
class MindState:
    """All that a child carries from turn to turn; JSON in the store."""

    beliefs: Mapping[str, Belief] = field(default_factory=dict)
    asked: Asked | None = None
    mood: Mood = Mood.FINE
    brought: Mood | None = None
    """The mood in which it came; that one does not pass by itself (see `moods`)."""
    turns: int = 0
    pushes: int = 0
    wandered: int = 0
    apart: int = 0
    """Turns since the talk was about the question that was asked last."""
    used: tuple[str, ...] = ()
    last: str = ""
    """What the child said last."""
    helped: tuple[frozenset[str], ...] = ()
    """The telling words of helpful turns that were heard."""
    memory: tuple[Told, ...] = ()
    """What it said of itself, the oldest first."""
    tells: tuple[Told, ...] = ()
    """What it came with and has not said yet: it comes out when somebody asks."""

    def to_json(self) -> str:
        """For the store."""
        return json.dumps(
            {
                "beliefs": {name: belief.to_json() for name, belief in self.beliefs.items()},
                "asked": self.asked.to_json() if self.asked else None,
                "mood": self.mood.value,
                "brought": self.brought and self.brought.value,
                "turns": self.turns,
                "pushes": self.pushes,
                "wandered": self.wandered,
                "apart": self.apart,
                "used": list(self.used),
                "last": self.last,
                "helped": [sorted(each) for each in self.helped],
                "memory": [[each.teacher, each.words] for each in self.memory],
                "tells": [[each.teacher, each.words] for each in self.tells],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> MindState:
        """From the store; raise `MindError` when it is not one of ours."""
        try:
            raw = json.loads(text)
            return cls(
                beliefs={name: Belief.from_json(belief) for name, belief in raw["beliefs"].items()},
                asked=Asked.from_json(raw["asked"]) if raw["asked"] else None,
                mood=Mood(raw["mood"]),
                brought=Mood(raw["brought"]) if raw.get("brought") else None,
                turns=raw["turns"],
                pushes=raw["pushes"],
                wandered=raw["wandered"],
                apart=raw.get("apart", 0),
                used=tuple(raw["used"]),
                last=raw.get("last", ""),
                helped=tuple(map(frozenset, raw.get("helped", ()))),
                memory=tuple(Told(teacher, words) for teacher, words in raw.get("memory", ())),
                tells=tuple(Told(teacher, words) for teacher, words in raw.get("tells", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MindError(f"the stored mind cannot be read ({error}); /student new starts afresh") from None

    def next_day(self) -> MindState:
        """The same child the next day: rested, a little forgotten, nothing on the table or on its mind.

        What it told stays true.
        """
        beliefs = {name: belief.sleeps() for name, belief in self.beliefs.items()}
        return MindState(beliefs=beliefs, memory=self.memory)


def refers_to(scene: Scene, state: MindState) -> Context:
    """What the teacher's next turn may refer to."""
    # A child that holds none is still helped with one of the lesson's.
    active = active_misconceptions(scene.child, scene.lesson) or scene.lesson.misconceptions
    if state.asked and state.asked.misconception:
        lesson = scene.curriculum.lesson_of(state.asked.misconception)
        about = lesson.misconception(state.asked.misconception) if lesson else None
        active = (about, *(m for m in active if m.id != about.id)) if about else active
    asked = state.asked
    return Context(asked.right if asked else (), active, asked.question if asked else "", state.last)

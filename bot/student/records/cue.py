"""The cue: everything a model gets to give the child words. It renders nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.student.records.child import Child
from bot.student.records.dialogue import Stage, Thought, Turn
from bot.student.records.lesson import Lesson
from bot.student.records.scenario import Parent


@dataclass(frozen=True, slots=True)
class Cue:
    """Child, lesson, the dialogue so far (oldest first), the teacher's turn and the child's thought."""

    child: Child
    lesson: Lesson
    turns: tuple[Turn, ...]
    teacher: str
    thought: Thought
    recalled: tuple[Turn, ...] = ()
    """What the child said of itself on another occasion that the teacher comes back to, as an exchange."""
    stages: Mapping[str, Stage] = field(default_factory=dict)
    """How firmly each wrong idea that showed so far sits, by its id."""
    again: bool = False
    """The first try could not stand: ask for the thought alone, and leave little to chance."""
    parent: Parent | None = None
    """Who speaks in place of the child, which is not there."""
    conversation: str = ""
    """A name for an engine to know the conversation by; it says nothing, and no model sees it."""

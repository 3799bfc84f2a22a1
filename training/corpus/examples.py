"""What a model is trained on: each student turn as the prompt that the live bot would have sent, and its words.

The prompt is `bot.student.voicing.prompt.render`'s, so what is trained is what is served.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue, Role
from bot.student.records.lesson import Lesson
from bot.student.voicing.prompt import ChatMessage, render


@dataclass(frozen=True, slots=True)
class Example:
    """The messages that ask for one student turn, and the turn."""

    messages: tuple[ChatMessage, ...]
    answer: str


def examples(
    dialogue: Dialogue, children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> Iterator[Example]:
    """One for each student turn that can be trained.

    It can where child and lesson are known, the turn has a thought, and a teacher's turn is just before it.
    """
    child, lesson = children.get(dialogue.child or ""), lessons.get(dialogue.lesson or "")
    if child is None or lesson is None:
        return
    for number, turn in enumerate(dialogue.turns):
        before = dialogue.turns[number - 1] if number else None
        if turn.role is Role.TEACHER or turn.thought is None or before is None or before.role is Role.STUDENT:
            continue
        cue = Cue(child, lesson, dialogue.turns[: number - 1], before.content, turn.thought)
        yield Example(tuple(render(cue)), turn.content)

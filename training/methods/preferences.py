"""Pairs of a better and a worse line of the child in one place: read, and made of what a model says.

They come from practice, where a teacher put a line right (`data/preferences/harvested-*.jsonl`), or from authored
dialogues, whose line stands over what a model says there. It trains nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from bot.models.base import ModelRefused, StudentModel
from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue, Role, Source, Thought, Turn
from bot.student.records.lesson import Lesson
from bot.student.records.reading import DataError, Said, read_lines
from bot.student.voicing import voice
from bot.student.voicing.prompt import ChatMessage, render
from training.corpus.read import files
from training.methods.rendering import cues

TOO_LIKE = 0.75
"""Likeness of letters (`difflib`) from which two lines are too much the same to learn from."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A place in a dialogue, the thought there, and two lines for it. `dialogue` is the id of where it comes from."""

    id: Said
    dialogue: Said
    child: Said
    lesson: Said
    turns: tuple[Turn, ...]
    thought: Thought | None
    chosen: Said
    rejected: Said

    def as_dialogue(self) -> Dialogue:
        """The dialogue up to the better line."""
        last = Turn(Role.STUDENT, self.chosen, thought=self.thought)
        source: Source = "harvested" if self.dialogue.startswith("harvested-") else "authored"
        return Dialogue(self.dialogue, (*self.turns, last), self.child, self.lesson, source)

    def to_line(self) -> str:
        """One JSON line with its end."""
        return (
            json.dumps(
                {
                    "id": self.id,
                    "dialogue": self.dialogue,
                    "child": self.child,
                    "lesson": self.lesson,
                    "turns": [turn.to_json() for turn in self.turns],
                    "thought": self.thought.to_json() if self.thought else None,
                    "chosen": self.chosen,
                    "rejected": self.rejected,
                },
                ensure_ascii=False,
            )
            + "\n"
        )


def read_pairs(paths: Sequence[Path]) -> list[Pair]:
    """All pairs of these files and folders; raise `DataError` where one is wrong or there is none."""
    found = [pair for path in files(paths) for pair in read_lines(Pair, path, known_only=False)]
    if not found:
        raise DataError(
            f"{', '.join(map(str, paths))}: no pairs; review makes them, or python -m training pairs"
        )
    return found


def messages(
    pair: Pair, children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> tuple[ChatMessage, ...] | None:
    """The prompt that both lines answer; None where child, lesson, thought or the teacher's turn is missing."""
    child, lesson = children.get(pair.child), lessons.get(pair.lesson)
    if child is None or lesson is None or pair.thought is None or not pair.turns:
        return None
    *before, last = pair.turns
    if last.role is not Role.TEACHER:
        return None
    return tuple(render(Cue(child, lesson, tuple(before), last.content, pair.thought)))


async def against(  # noqa: PLR0913 - what is asked, where, and who watches
    model: StudentModel,
    dialogues: Iterable[Dialogue],
    children: Mapping[str, Child],
    lessons: Mapping[str, Lesson],
    *,
    seed: int,
    done: Callable[[], object],
) -> list[Pair]:
    """The authored lines of open turns over what `model` says there, where it says something else."""
    found = []
    for dialogue, place, cue, words in _open_turns(dialogues, children, lessons):
        try:
            reply = await model.reply(cue, seed=seed + place)
        except ModelRefused:
            continue
        finally:
            done()
        said = voice.shape(reply.text, cue.thought, cue.child, teacher=cue.teacher).text
        if said and SequenceMatcher(None, said.lower(), words.lower()).ratio() < TOO_LIKE:
            turns = (*cue.turns, Turn(Role.TEACHER, cue.teacher))
            found.append(
                Pair(
                    f"{dialogue.id}-{place}",
                    dialogue.id,
                    cue.child.id,
                    cue.lesson.id,
                    turns,
                    cue.thought,
                    words,
                    said,
                )
            )
    return found


def _open_turns(
    dialogues: Iterable[Dialogue], children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> Iterator[tuple[Dialogue, int, Cue, str]]:
    for dialogue in dialogues:
        for place, (cue, words) in enumerate(cues(dialogue, children, lessons)):
            if cue.thought.open:
                yield dialogue, place, cue, words

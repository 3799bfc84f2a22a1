"""Do the children of many dialogues talk like children? The measures of `talk`, over any number of rows.

Above `SAMPLE` dialogues they are measured on an even sample, whole dialogues in their order, so that a million
rows need no more memory than a few thousand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bot.student.records.dialogue import Dialogue, Role
from training.evaluate.talk import Result, Said, measure

SAMPLE = 2_000
ENOUGH_TURNS = 100
ENOUGH_DIALOGUES = 10
"""Below either the bands mean little (talk.py), so values are shown and not judged."""


@dataclass(frozen=True, slots=True)
class Band:
    """The measures of one speaker; `who` is None for all children together."""

    who: str | None
    turns: int
    results: tuple[Result, ...]
    judged: bool

    @property
    def outside(self) -> tuple[Result, ...]:
        """The measures off their band, where there is enough to judge by."""
        return tuple(result for result in self.results if not result.inside) if self.judged else ()


class Bands:
    """Takes dialogues one by one and keeps a sample (reservoir sampling, seeded, so repeatable)."""

    def __init__(self) -> None:
        self.seen = 0
        self._rng = random.Random(2)
        self._kept: list[tuple[int, str | None, list[Said]]] = []

    def add(self, dialogue: Dialogue) -> None:
        """Take in one dialogue."""
        place = self.seen if self.seen < SAMPLE else self._rng.randrange(self.seen + 1)
        if place < SAMPLE:
            entry = (self.seen, dialogue.child, said(dialogue))
            if place == len(self._kept):
                self._kept.append(entry)
            else:
                self._kept[place] = entry
        self.seen += 1

    @property
    def sampled(self) -> bool:
        """Whether there were more dialogues than are measured."""
        return self.seen > SAMPLE

    def measured(self) -> Iterator[Band]:
        """All children together first, then each child by name."""
        kept = sorted(self._kept, key=lambda entry: entry[0])
        yield _band(None, [turns for _, _, turns in kept])
        for child in sorted({child for _, child, _ in kept if child is not None}):
            yield _band(child, [turns for _, each, turns in kept if each == child])


def _band(who: str | None, dialogues: list[list[Said]]) -> Band:
    turns = [turn for dialogue in dialogues for turn in dialogue]
    enough = len(turns) >= ENOUGH_TURNS and len(dialogues) >= ENOUGH_DIALOGUES
    return Band(who, len(turns), tuple(measure(turns)) if turns else (), enough)


def said(dialogue: Dialogue) -> list[Said]:
    """The student turns, each with the teacher's turn before it."""
    turns: list[Said] = []
    teacher = ""
    for turn in dialogue.turns:
        if turn.role is Role.TEACHER:
            teacher = turn.content
        else:
            turns.append(Said(teacher, turn.content))
    return turns

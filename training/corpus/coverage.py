"""What the dialogues are about: counts of children, lessons, misconceptions, stages and moves.

It counts only; whether a dialogue is right is `consistency`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.student.records.child import Child
from bot.student.records.dialogue import Dialogue, MoveKind, Role, Stage
from bot.student.records.lesson import Lesson
from training.evaluate.talk import words

DIALOGUES = 1_000
STUDENT_TURNS = 6_000
A_CHILD = 40
A_LESSON = 2
"""What the authored corpus must hold, in dialogues (and turns), so that no child and no lesson is untaught."""
A_MISCONCEPTION = 5
"""Dialogues from which a model may have learned how a wrong idea sounds; those with fewer are named, and no fault."""


ELSEWHERE = frozenset({MoveKind.REINFORCES, MoveKind.REVOICES})
"""Moves that are labelled in `data/hearing` and `data/open`, not in the teaching dialogues."""


@dataclass(slots=True)
class Coverage:
    """Counts over dialogues; sizes do not grow with them, only with the names that occur."""

    children: Mapping[str, Child]
    lessons: Mapping[str, Lesson]
    dialogues: int = 0
    teacher_turns: int = 0
    student_turns: int = 0
    without_thought: int = 0
    by_source: Counter[str] = field(default_factory=Counter)
    by_child: Counter[str] = field(default_factory=Counter)
    by_lesson: Counter[str] = field(default_factory=Counter)
    by_misconception: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Student turns by misconception and child."""

    def add(self, dialogue: Dialogue) -> None:
        """Count one dialogue. Names that no file in data/ has are left out: `consistency` complains."""
        self.dialogues += 1
        self.by_source[dialogue.source] += 1
        child = dialogue.child if dialogue.child in self.children else None
        lesson = self.lessons.get(dialogue.lesson or "")
        if child is not None:
            self.by_child[child] += 1
        if lesson is not None:
            self.by_lesson[lesson.id] += 1
        touched: Counter[str] = Counter()
        for turn in dialogue.turns:
            if turn.role is Role.TEACHER:
                self.teacher_turns += 1
                if turn.move is not None:
                    self.moves[turn.move.value] += 1
                continue
            self.student_turns += 1
            self.lengths[len(words(turn.content))] += 1
            thought = turn.thought
            if thought is None:
                self.without_thought += 1
                continue
            self.kinds[thought.kind.value] += 1
            if thought.stage is not None:
                self.stages[thought.stage.value] += 1
            if lesson is not None and lesson.misconception(thought.misconception) is not None:
                touched[thought.misconception or ""] += 1
        for misconception, turns in touched.items():
            self.by_misconception[misconception] += 1
            if child is not None:
                self.cells[misconception, child] += turns

    def misconceptions(self) -> Iterator[tuple[Lesson, str]]:
        """Every misconception with its lesson, by subject and lesson: the rows of a map."""
        for lesson in sorted(self.lessons.values(), key=lambda each: (each.subject, each.id)):
            for misconception in lesson.misconceptions:
                yield lesson, misconception.id

    def missing(self) -> Iterator[str]:
        """What the whole authored corpus must hold and does not."""
        yield from _short("dialogues", self.dialogues, DIALOGUES)
        yield from _short("student turns", self.student_turns, STUDENT_TURNS)
        for child in self.children:
            yield from _short(f"dialogues with {child}", self.by_child[child], A_CHILD)
        for lesson in self.lessons:
            yield from _short(f"dialogues of the lesson {lesson}", self.by_lesson[lesson], A_LESSON)
        for stage in Stage:
            yield from _short(f"turns at the stage {stage.value}", self.stages[stage.value], 1)
        for move in (each for each in MoveKind if each not in ELSEWHERE):
            yield from _short(f"teacher turns of the move {move.value}", self.moves[move.value], 1)

    def thin(self) -> list[str]:
        """The misconceptions of which few dialogues speak, by id."""
        return [name for _, name in self.misconceptions() if self.by_misconception[name] < A_MISCONCEPTION]

    def quantile(self, share: float) -> int:
        """Words of a student turn at that share, 0.5 being the median; 0 where there is no turn."""
        left = share * (self.student_turns - 1)
        for length, count in sorted(self.lengths.items()):
            if left < count:
                return length
            left -= count
        return 0

    def to_json(self) -> dict[str, Any]:
        """The counts for machines; zeros are there for what no dialogue touches."""
        return {
            "dialogues": self.dialogues,
            "teacher_turns": self.teacher_turns,
            "student_turns": self.student_turns,
            "student_turns_without_thought": self.without_thought,
            "sources": dict(self.by_source),
            "children": {child: self.by_child[child] for child in self.children},
            "lessons": {lesson: self.by_lesson[lesson] for lesson in self.lessons},
            "misconceptions": {name: self.by_misconception[name] for _, name in self.misconceptions()},
            "stages": {stage.value: self.stages[stage.value] for stage in Stage},
            "moves": {move.value: self.moves[move.value] for move in MoveKind},
            "kinds": dict(self.kinds.most_common()),
            "words_a_turn": {str(share): self.quantile(share / 100) for share in (25, 50, 75, 90, 95, 100)},
        }


def _short(what: str, count: int, least: int) -> Iterator[str]:
    if count < least:
        yield f"coverage: expected at least {least:,} {what}, got {count:,}"

"""Are the children treated alike? What is done to each and how it ends, compared within lessons.

A trait that only one child has reads as a stereotype. Counts only: what a dialogue says is `consistency`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType
from typing import Any

from bot.student.records.dialogue import Dialogue, Mood, MoveKind, Role, Stage

CHANCE = 0.05
"""Chance that any child differs on any measure where all are treated alike: shared out over all comparisons
(Bonferroni; Dunn 1961), so that a table of sixty figures cries wolf once in twenty tables."""
FEWEST = 20
"""Dialogues of a child below which nothing is judged: the normal approximation needs some."""


def _moves(kind: MoveKind) -> Callable[[Dialogue], float]:
    return lambda dialogue: sum(turn.move is kind for turn in dialogue.turns)


def _mood(mood: Mood) -> Callable[[Dialogue], float]:
    return lambda dialogue: any(
        turn.role is Role.STUDENT and turn.thought is not None and turn.thought.mood is mood
        for turn in dialogue.turns
    )


def _stages(dialogue: Dialogue) -> list[Stage]:
    thoughts = (turn.thought for turn in dialogue.turns)
    return [thought.stage for thought in thoughts if thought is not None and thought.stage is not None]


MEASURES: Mapping[str, Callable[[Dialogue], float]] = MappingProxyType({
    "helps a dialogue": _moves(MoveKind.HELPS),
    "told a dialogue": _moves(MoveKind.TELLS),
    "called wrong a dialogue": _moves(MoveKind.SAYS_WRONG),
    "reaches secure": lambda dialogue: Stage.SECURE in _stages(dialogue),
    "ends holding": lambda dialogue: _stages(dialogue)[-1:] == [Stage.HOLDS],
    "is happy": _mood(Mood.HAPPY),
    "is silly": _mood(Mood.SILLY),
    "is tired": _mood(Mood.TIRED),
    "is frustrated": _mood(Mood.FRUSTRATED),
})  # fmt: skip
"""Of one dialogue: how often, or 1 where it is so."""


@dataclass(slots=True)
class _Sums:
    """Of some dialogues: how many, and for each measure the sum and the sum of squares."""

    dialogues: int
    sums: list[float]
    squares: list[float]

    @classmethod
    def none(cls) -> _Sums:
        return cls(0, [0.0] * len(MEASURES), [0.0] * len(MEASURES))

    def add(self, values: list[float]) -> None:
        self.dialogues += 1
        for place, value in enumerate(values):
            self.sums[place] += value
            self.squares[place] += value * value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of one child: its mean, and how far it is from the others in standard deviations of chance."""

    child: str
    measure: str
    mean: float
    deviation: float
    beyond: bool


class Evenness:
    """Takes dialogues one by one; what it keeps grows with lessons and children, not with dialogues."""

    def __init__(self) -> None:
        self._lessons: defaultdict[str, _Sums] = defaultdict(_Sums.none)
        self._children: defaultdict[str, defaultdict[str, _Sums]] = defaultdict(
            lambda: defaultdict(_Sums.none)
        )

    def add(self, dialogue: Dialogue) -> None:
        """Count one dialogue; passed over is one that names no child or lesson, or where no idea has to be helped."""
        if dialogue.child is None or dialogue.lesson is None or not _stages(dialogue):
            return
        values = [float(measure(dialogue)) for measure in MEASURES.values()]
        self._lessons[dialogue.lesson].add(values)
        self._children[dialogue.child][dialogue.lesson].add(values)

    def figures(self) -> Iterator[Figure]:
        """Every measure of every child, by measure and then by child.

        Were the children of a lesson's dialogues dealt out by chance (a permutation within lessons), a child's sum
        would be its expectation, give or take the square root of the variance of drawing without replacement.
        """
        limit = NormalDist().inv_cdf(1 - CHANCE / 2 / max(1, len(self._children) * len(MEASURES)))
        for place, name in enumerate(MEASURES):
            for child in sorted(self._children):
                own = self._children[child]
                count = sum(each.dialogues for each in own.values())
                total = sum(each.sums[place] for each in own.values())
                expected = variance = 0.0
                for lesson, sums in own.items():
                    one, many = self._one(lesson, place, sums.dialogues)
                    expected, variance = expected + one, variance + many
                deviation = (total - expected) / math.sqrt(variance) if variance > 0 else 0.0
                beyond = count >= FEWEST and abs(deviation) > limit
                yield Figure(child, name, total / count, deviation, beyond)

    def _one(self, lesson: str, place: int, drawn: int) -> tuple[float, float]:
        """Expectation and variance of the sum of `drawn` dialogues of that lesson, without replacement."""
        whole = self._lessons[lesson]
        number, mean = whole.dialogues, whole.sums[place] / whole.dialogues
        spread = max(0.0, whole.squares[place] / number - mean * mean)
        return drawn * mean, drawn * spread * (number - drawn) / (number - 1) if number > 1 else 0.0

    def to_json(self) -> list[dict[str, Any]]:
        """For machines; the names are stable."""
        return [
            {
                "child": each.child,
                "measure": each.measure,
                "mean": round(each.mean, 4),
                "deviation": round(each.deviation, 2),
                "beyond_chance": each.beyond,
            }
            for each in self.figures()
        ]

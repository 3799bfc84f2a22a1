"""Which stage of an idea a child's words show: meant by the mind, and heard by a simple ear.

The ear is a naive Bayes classifier over words and word pairs, taught on the authored dialogues alone. It is a poor
judge of a bare number; the authored words of the golden dialogues, judged by it, too, say how poor.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from bot.student.records.dialogue import Dialogue, Stage
from bot.student.records.reading import DataError, read_lines
from bot.student.records.text import files_in
from training.evaluate.rows import Row
from training.evaluate.talk import words

STAGES = tuple(stage.value for stage in Stage)
GOLDEN_FILE = "test.jsonl"


class Ear:
    """Hears a stage in words; `taught` are words with the stage they were written for."""

    def __init__(self, taught: Iterable[tuple[str, str]]) -> None:
        self._counts: dict[str, Counter[str]] = {stage: Counter() for stage in STAGES}
        turns: Counter[str] = Counter()
        for text, stage in taught:
            turns[stage] += 1
            self._counts[stage].update(_pieces(text))
        if len(turns) < len(STAGES):
            raise DataError("dialogues: expected turns of every stage to learn from")
        known = len(set().union(*self._counts.values())) + 1
        self._totals = {stage: sum(counts.values()) + known for stage, counts in self._counts.items()}
        self._before = {stage: math.log(turns[stage] / turns.total()) for stage in STAGES}

    def hears(self, text: str) -> str:
        """The likeliest stage."""

        def likeness(stage: str) -> float:
            counts, total = self._counts[stage], self._totals[stage]
            return self._before[stage] + sum(math.log((counts[each] + 1) / total) for each in _pieces(text))

        return max(STAGES, key=likeness)


def read_ear(dialogues: Path) -> Ear:
    """An ear taught on every authored dialogue in the folder but the golden ones; raise `DataError`."""
    return Ear(_authored(path for path in files_in(dialogues, "*.jsonl") if path.name != GOLDEN_FILE))


def as_authored(ear: Ear, dialogues: Path) -> list[list[int]]:
    """How well the ear hears what people wrote: the confusion of the golden dialogues. Raise `DataError`."""
    return _table(ear, _authored([dialogues / GOLDEN_FILE]))


def _authored(paths: Iterable[Path]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in paths:
        for dialogue in read_lines(Dialogue, path, known_only=False):
            said = ((turn.content, turn.thought and turn.thought.stage) for turn in dialogue.turns)
            found += [(text, stage.value) for text, stage in said if stage]
    return found


def confusion(ear: Ear, rows: Sequence[Row]) -> list[list[int]]:
    """Golden turns by the stage that was meant (down) and the one heard (across), both in the order of `STAGES`."""
    golden = (row for row in rows if row.section == "golden" and row.thought)
    return _table(ear, ((row.text, str((row.thought or {}).get("stage"))) for row in golden))


def _table(ear: Ear, said: Iterable[tuple[str, str]]) -> list[list[int]]:
    table = [[0] * len(STAGES) for _ in STAGES]
    for text, meant in said:
        if meant in STAGES:
            table[STAGES.index(meant)][STAGES.index(ear.hears(text))] += 1
    return table


def agreement(table: Sequence[Sequence[int]]) -> float | None:
    """The share of turns heard as meant."""
    total = sum(map(sum, table))
    return sum(table[place][place] for place in range(len(table))) / total if total else None


def _pieces(text: str) -> list[str]:
    spoken = ["#" if word[0].isdigit() else word for word in words(text)]
    return [*spoken, *(f"{one} {other}" for one, other in pairwise(["^", *spoken, "$"]))]

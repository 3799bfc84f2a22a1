"""How well does the debrief read talk moves? Its reader beside a stranger's labels, and beside chance.

Run: python -m benchmarks.talkmoves
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from bot.debrief.talkmoves import TalkMove, read
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context
from bot.student.lessons import read_curriculum
from bot.student.records.child import read_children
from bot.student.records.curriculum import Scene
from bot.student.said import Said

NAMES = {move.name.lower(): move for move in TalkMove}
NONE = "none"
Moves = frozenset[str]


def f1(found: Sequence[Moves], right: Sequence[Moves], name: str) -> float:
    """Of one move: 2 tp / (2 tp + fp + fn); 0 where it is neither found nor there."""
    hits = sum(name in one and name in other for one, other in zip(found, right, strict=True))
    named = sum(name in each for each in (*found, *right))
    return 2 * hits / named if named else 0.0


def macro(found: Sequence[Moves], right: Sequence[Moves]) -> float:
    """The mean F1 of the six moves and none."""
    return mean(f1(found, right, name) for name in (*NAMES, NONE))


def main() -> None:
    """Prints F1 by move, their mean, and the mean where what was read is dealt out by chance."""
    data = Path("data")
    curriculum = read_curriculum(data)
    lesson = curriculum.lessons["RL.2.3-characters"]
    scene = Scene(read_children(data / "children")["mia"], lesson, curriculum)
    found: list[Moves] = []
    right: list[Moves] = []
    for line in (data / "debrief" / "talk-moves.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said = Said.of(row["teacher"])
        heard = hear(said, scene, Context((), lesson.misconceptions[:1], "", row["child"]))
        moves = {move.name.lower() for move in read(said, row["child"], heard.move)}
        found.append(frozenset(moves or {NONE}))
        right.append(frozenset(row["moves"] or {NONE}))
    for name in (*NAMES, NONE):
        print(f"{name:10} F1 {f1(found, right, name):.2f}, {sum(name in each for each in right)} labelled")
    chance = mean(macro(random.Random(seed).sample(found, len(found)), right) for seed in range(200))
    print(f"macro-F1   {macro(found, right):.2f}; by chance {chance:.2f}")


if __name__ == "__main__":
    main()

"""How long the child thinks: hearing a turn, and deciding what to say to it. Run: python -m benchmarks.mind

The turns are those of `data/practice/teachers.jsonl`, in their conversations; no model takes part.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from pathlib import Path

from bot.student.believing.mind import think
from bot.student.believing.state import MindState, refers_to
from bot.student.hearing.ear import hear
from bot.student.hearing.questions import index
from bot.student.lessons import read_curriculum
from bot.student.records.child import read_children
from bot.student.records.curriculum import Scene
from bot.student.said import Said

DATA = Path(__file__).parents[1] / "data"
ROUNDS = 5


def measure() -> tuple[list[float], list[float]]:
    """Milliseconds a turn: of hearing, and of thinking."""
    children, curriculum = read_children(DATA / "children"), read_curriculum(DATA)
    _ = index(curriculum)  # built once, when the first turn is heard
    rows = [
        json.loads(line) for line in (DATA / "practice" / "teachers.jsonl").read_text("utf-8").splitlines()
    ]
    heard, thought = [], []
    for seed in range(ROUNDS):
        for row in rows:
            scene = Scene(children[row["child"]], curriculum.lessons[row["lesson"]], curriculum)
            state, rng = MindState(), random.Random(seed)
            for text in row["turns"]:
                started = time.perf_counter()
                turn = hear(Said.of(text), scene, refers_to(scene, state))
                between = time.perf_counter()
                _, state = think(scene, state, turn, rng)
                heard.append((between - started) * 1000)
                thought.append((time.perf_counter() - between) * 1000)
    return heard, thought


def main() -> None:
    """Print the figures."""
    for name, times in zip(("hearing", "think"), measure(), strict=True):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{name}: {len(times)} turns, p50 {statistics.median(times):.2f} ms, p95 {p95:.2f} ms")


if __name__ == "__main__":
    main()

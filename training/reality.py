"""Fit the word model of `bot.student.guard.reality` to the labelled lines. Run: python -m training.reality

Sincere questions and look-alikes come from `data/hearing/safeguard.jsonl`; ordinary teaching is everything in
the lessons, the dialogues and the development turns. Held-out lines and the test dialogues are never
read here. Seeded: same data, same weights.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from pathlib import Path

from bot.student.guard import reality
from bot.student.lessons import read_lessons
from bot.student.records.dialogue import MoveKind, Role
from bot.student.records.text import files_in
from training.corpus.hearing import read_flagged, read_turns
from training.corpus.read import sound

DATA = Path(__file__).parents[1] / "data"
EPOCHS = 6
DECAY = 1e-3
SINCERE_WEIGHT, ALIKE_WEIGHT = 8.0, 10.0
"""How much a labelled line counts beside a line of ordinary teaching, of which there are many more."""
LEAST_SEEN = 3
LEAST_WEIGHT = 0.1
"""Weights nearer to zero are left out: they change no score by more than a few hundredths."""

NOTICED = {
    MoveKind.ASKS_IF_REAL,
    MoveKind.UNSAFE,
    MoveKind.CRISIS,
    MoveKind.PUPIL_DATA,
    MoveKind.INSTRUCTS_MACHINE,
}
"""Turns of the dialogues that are no ordinary teaching."""

Example = tuple[set[str], float, float]  # features, whether sincere (1 or 0), how much it counts


def examples() -> list[Example]:
    """Every line that may be learned from."""
    lines = list(read_flagged(DATA / "hearing" / "safeguard.jsonl"))
    found = [
        (reality.features(line.text, "Mia"), 1.0, SINCERE_WEIGHT) for line in lines if line.flag == "honesty"
    ]
    found += [(reality.features(line.text, "Mia"), 0.0, ALIKE_WEIGHT) for line in lines if line.flag is None]
    return found + [(reality.features(text), 0.0, 1.0) for text in ordinary()]


def ordinary() -> list[str]:
    """What teachers say in lessons."""
    said = [turn.text for turn in read_turns(DATA / "hearing" / "development.jsonl")]
    for path in files_in(DATA / "dialogues", "*.jsonl"):
        if path.stem != "test":
            said += _teaching(path)
    for lesson in read_lessons(DATA / "lessons").values():
        said += [*lesson.asks, *(question.ask for question in (*lesson.questions, *lesson.neighbours))]
        said += [text for each in lesson.misconceptions for text in (*each.helps, *each.looks_helpful)]
    return said


def _teaching(path: Path) -> list[str]:
    turns = (turn for _, dialogue in sound([path]) for turn in dialogue.turns if turn.role is Role.TEACHER)
    return [turn.content for turn in turns if turn.move not in NOTICED]


def fit(lines: list[Example], seed: int = 0) -> dict[str, float]:
    """Logistic regression by stochastic steps that shrink with use; the key "" holds the constant."""
    seen = Counter(feature for features, _, _ in lines for feature in features)
    # In the order of the alphabet: sums of floats must not depend on the order of a set.
    rows = [
        (sorted(f for f in features if seen[f] >= LEAST_SEEN), len(features), y, w)
        for features, y, w in lines
    ]
    weights: dict[str, float] = defaultdict(float)
    used: dict[str, float] = defaultdict(lambda: 1.0)
    rng = random.Random(seed)
    for _ in range(EPOCHS):
        rng.shuffle(rows)
        for features, size, sincere, counts in rows:
            scale = math.sqrt(size + 1)
            odds = weights[""] + sum(weights[each] for each in features) / scale
            off = counts * (1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))) - sincere)
            for each in features:
                step = off / scale + DECAY * weights[each]
                used[each] += step * step
                weights[each] -= step / math.sqrt(used[each])
            weights[""] -= 0.01 * off
    kept = {
        each: round(weight, 2) for each, weight in weights.items() if abs(weight) >= LEAST_WEIGHT or not each
    }
    return dict(sorted(kept.items()))


def main() -> None:
    """Fit and write the weights."""
    lines = examples()
    weights = fit(lines)
    text = json.dumps(weights, ensure_ascii=False, indent=0, separators=(",", ":"))
    reality.WEIGHTS.write_text(text + "\n", encoding="utf-8")
    print(f"{len(lines)} lines, {len(weights)} weights, {len(text) // 1024} KiB")  # noqa: T201 - a program speaks


if __name__ == "__main__":
    main()

"""Conversations in which several models answered the same teacher, chosen and laid side by side for people to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from training.evaluate import metrics
from training.evaluate.compare import Speaker
from training.evaluate.rows import Row

Rows = Sequence[Row]


def side_by_side(
    models: Sequence[Speaker], controls: Iterable[Speaker], count: int = 3
) -> list[dict[str, Any]]:
    """Conversations in which every model answered the same teacher turns, from the golden section, then the arms.

    Of the golden section also the authored words. Longer ones first, each of another lesson.
    """
    shown = [*models, *(each for each in controls if each.name == metrics.GOLDEN)]
    said: dict[tuple[str, str, int], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for speaker in shown:
        for row in speaker.rows:
            if row.section in {"golden", "arms"}:
                said[_conversation(row)][speaker.name].append(row)
    found: list[dict[str, Any]] = []
    for section in ("golden", "arms"):
        lessons: set[str] = set()
        whole = [
            (key, each)
            for key, each in said.items()
            if key[0] == section and all(model.name in each for model in models)
        ]
        whole.sort(key=lambda one: (-_wanted(one[1][models[0].name]) if models else 0, one[0]))
        for key, each in whole:
            first = each[models[0].name][0]
            if first.lesson in lessons or len(lessons) == count:
                continue
            lessons.add(first.lesson)
            found.append(_transcript(key, each))
    return found


def _conversation(row: Row) -> tuple[str, str, int]:
    """In the golden section every turn is an item of its own, and the dialogue is the cluster."""
    return (row.section, row.cluster if row.section == "golden" else row.item, row.seed)


def _wanted(rows: Rows) -> int:
    """Which conversations are shown first: those in which the idea moves, then longer ones."""
    stages = {row.thought.get("stage") for row in rows if row.thought}
    return 10 * len(stages - {None}) + min(len(rows), 9)


def _transcript(key: tuple[str, str, int], said: Mapping[str, list[Row]]) -> dict[str, Any]:
    rows = {name: sorted(each, key=lambda row: (row.item, row.turn)) for name, each in said.items()}
    first = next(iter(rows.values()))[0]
    return {
        "section": key[0],
        "item": key[1],
        "child": first.child,
        "lesson": first.lesson,
        "said": {
            name: [
                {
                    "teacher": row.teacher,
                    "text": row.text,
                    "voiced": row.voiced,
                    "stage": (row.thought or {}).get("stage"),
                }
                for row in each
            ]
            for name, each in rows.items()
        },
    }

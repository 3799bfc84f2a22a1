"""One line or two for each reader of a turn and each pattern: without it they would be heard as something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context, Heard
from bot.student.records.curriculum import Scene
from bot.student.said import Said
from tests.fakes.students import shipped

CHILDREN, CURRICULUM = shipped()
ROWS = [
    json.loads(line)
    for line in (Path(__file__).with_name("examples.jsonl")).read_text(encoding="utf-8").splitlines()
]


def told(heard: Heard) -> dict[str, Any]:
    fields = {
        "move": heard.move.value,
        "problem": heard.problem and heard.problem.kind,
        "found": heard.found and heard.found.question.ask,
        "answer": heard.answer,
        "idea": heard.idea,
        "yes_no": heard.yes_no,
        "open": heard.open,
        "options": heard.options and list(heard.options),
        "reason": heard.reason,
    }
    return {name: value for name, value in fields.items() if value}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['reader']}: {row['text'][:40]}")
def test_what_each_reader_hears(row: dict[str, Any]) -> None:
    ideas = {idea.id: idea for lesson in CURRICULUM.lessons.values() for idea in lesson.misconceptions}
    held = tuple(ideas[name] for name in row.get("held", ()))
    scene = Scene(CHILDREN["mia"], CURRICULUM.lessons[row["lesson"]], CURRICULUM)
    context = Context(tuple(row.get("right", ())), held, row.get("question", ""))
    heard, expected = told(hear(Said.of(row["text"]), scene, context)), row["heard"]
    assert {name: heard.get(name) for name in expected} == expected

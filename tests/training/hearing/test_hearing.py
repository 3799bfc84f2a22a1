"""Training the ear: what is learned from, what comes out, and that a whole run publishes what it measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.config import Settings
from bot.models import catalogue
from bot.models.ear import read_reader
from bot.models.kinds.ear import EAR, NAME
from bot.models.registry import Models
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context
from bot.student.records.child import read_children
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Dialogue, MoveKind
from bot.student.said import Said
from tests.fakes.students import shipped
from training.__main__ import app
from training.corpus.read import OPEN_TALK
from training.hearing import rows
from training.hearing.fit import fit, label, scores, seen
from training.hearing.rows import Labelled

DATA = Path(__file__).parents[3] / "data"
_, CURRICULUM = shipped()
SUBTRACT = "2.NBT.B.5-subtract"


def dialogue() -> Dialogue:
    turns = [
        {"role": "teacher", "content": "What is 52 minus 17?", "move": "asks"},
        {"role": "student", "content": "45."},
        {"role": "teacher", "content": "Ok! How did you get that?", "move": "asks_why", "also": ["praises"]},
        {"role": "student", "content": "I flipped it."},
    ]
    return Dialogue.from_json({"id": "a", "child": "mia", "lesson": SUBTRACT, "turns": turns})


def test_a_dialogues_turn_knows_what_it_was_said_to() -> None:
    first, second = rows.from_dialogue(dialogue(), "here", CURRICULUM)
    assert (first.context.question, first.context.child) == ("", "")
    assert (second.context.question, second.context.right[0], second.context.child) == (
        "What is 52 minus 17?",
        "35",
        "45.",
    )
    assert second.moves == (MoveKind.ASKS_WHY, MoveKind.PRAISES)


def test_golden_dialogues_and_strangers_are_not_learned_from() -> None:
    learned = {row.text for row in rows.training(DATA, CURRICULUM)}
    golden = [
        turn.content
        for name in ("dialogues/test", "open/golden")
        for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for turn in Dialogue.from_line(line).turns
        if turn.move is not None and len(turn.content.split()) > 9
    ]
    strangers = [row.text for row in rows.from_file(DATA / "hearing" / "strangers.jsonl", CURRICULUM)]
    assert len(learned) >= 10_000
    assert not {text for text in (*golden, *strangers) if len(text.split()) > 9} & learned


def few(every: int) -> list[Labelled]:
    return list(rows.from_file(DATA / "hearing" / "contrasts.jsonl", CURRICULUM))[::every]


def test_a_reader_learns_what_it_is_shown_and_scores_count() -> None:
    learned = few(9)
    found = [seen(row, CURRICULUM) for row in learned]
    reader = fit(learned, found, [1.0] * len(learned))
    heard = [max(likely, key=lambda move: likely[move]) for likely in map(reader.read, found)]
    result = scores(learned, heard)
    assert result.accuracy >= 0.9
    assert result.pairs.total() == len(learned)
    wrong = ["other"] * len(learned)
    assert scores(learned, wrong).accuracy == 0
    assert {label(MoveKind.TRANSFER), label(MoveKind.ASKS)} == {"asks"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of data with a few rows of each file."""
    for name in ("children", "lessons", "reference"):
        (tmp_path / name).symlink_to(DATA / name)
    for path in (
        DATA / "dialogues" / "science.jsonl",
        *((DATA / "open" / f"{name}.jsonl") for name in OPEN_TALK),
        *((DATA / "hearing" / f"{name}.jsonl") for name in (*rows.LESSONS, "development", "strangers")),
    ):
        target = tmp_path / path.relative_to(DATA)
        target.parent.mkdir(exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        target.write_text("".join(lines[:: max(1, len(lines) // 40)]), encoding="utf-8")
    return tmp_path


async def test_moves_put_right_reach_a_bot_that_runs(small: Path, tmp_path: Path) -> None:
    """Review, training, publishing, hot-loading: what people corrected is heard at once by a registry that is open."""
    text, name = "Zibble the zobble, my dear.", "harvested-2026-03-02"
    turns = [
        turn
        for number in range(12)
        for turn in (
            {"role": "teacher", "content": f"{text} {number}", "move": "asks_why"},
            {"role": "student", "content": "ok", "thought": {"kind": "chat", "reason": "ok", "words": 1}},
        )
    ]
    dialogue = {"id": "harvested-0123456789abcdef", "child": "mia", "lesson": "2.NBT.B.5-subtract"}
    row = json.dumps({**dialogue, "source": "harvested", "turns": turns})
    (small / "dialogues" / f"{name}.jsonl").write_text(row + "\n", encoding="utf-8")
    lineage = {"dialogues": {dialogue["id"]: {"edited": list(range(0, len(turns), 2))}}}
    (small / "dialogues" / f"{name}.lineage.json").write_text(json.dumps(lineage), encoding="utf-8")
    config = tmp_path / "config.toml"
    config.write_text(f'data = "{small}"\ndatabase = "{tmp_path}/pupil.db"\n', encoding="utf-8")
    shutil.copytree(DATA / "models" / NAME, small / "models" / NAME)
    models = Models(Settings(data=small, database=str(tmp_path / "pupil.db")))
    scene = Scene(read_children(DATA / "children")["mia"], CURRICULUM.lessons[dialogue["lesson"]], CURRICULUM)
    try:
        before = (await models.live(NAME, EAR)).reader
        assert hear(Said.of(text), scene, Context(), before).move is not MoveKind.ASKS_WHY
        assert CliRunner().invoke(app, ["hearing", "--config", str(config)]).exit_code == 0
        await models.refresh()
        after = (await models.live(NAME, EAR)).reader
        assert hear(Said.of(text), scene, Context(), after).move is MoveKind.ASKS_WHY
    finally:
        await models.aclose()


def test_a_run_publishes_what_it_measured(small: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'data = "{small}"\ndatabase = "{tmp_path}/pupil.db"\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["hearing", "--config", str(config)])
    assert done.exit_code == 0, done.output
    live = catalogue.promotions(small / "models", NAME)[0].version
    manifest = json.loads((small / "models" / NAME / live / "manifest.json").read_text(encoding="utf-8"))
    figures = json.loads((small / "runs" / live / "result.json").read_text(encoding="utf-8"))
    assert manifest["evaluation"]["macro_f1"] == figures["macro_f1"]
    assert manifest["kind"] == "ear"
    assert "asks" in read_reader(small / "models" / NAME / live).moves
    assert (small / "runs" / live / "confusion.png").stat().st_size > 10_000
    shutil.rmtree(small / "hearing")
    assert CliRunner().invoke(app, ["hearing", "--config", str(config)]).exit_code != 0

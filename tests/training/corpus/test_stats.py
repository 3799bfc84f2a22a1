"""Counts are right, and the pictures are pictures."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.student.records.dialogue import Dialogue
from training.corpus.command import data as commands
from training.corpus.consistency import Rules
from training.corpus.coverage import Coverage


@pytest.fixture
def coverage(rules: Rules, shipped: Callable[[str], dict[str, Any]]) -> Coverage:
    counted = Coverage(rules.children, rules.curriculum.lessons)
    for name in ("ruby", "zoe"):
        counted.add(Dialogue.from_json(shipped(f"2.NBT.B.5-subtract-{name}")))
    return counted


def test_counts_are_those_of_the_dialogues(coverage: Coverage) -> None:
    found = coverage.to_json()
    assert (found["dialogues"], found["teacher_turns"], found["student_turns"]) == (2, 15, 15)
    assert found["children"]["ruby"] == found["children"]["zoe"] == sum(found["children"].values()) / 2 == 1
    assert found["misconceptions"]["smaller-from-larger"] == 2
    assert found["stages"] == {"holds": 4, "wavers": 4, "revises": 4, "secure": 0}
    assert found["moves"]["asks"] == 4
    assert found["moves"]["crisis"] == 0
    assert coverage.cells["smaller-from-larger", "ruby"] == 6
    # 1 1 1 1 4 4 4 6 6 6 6 7 11 14 22
    assert [coverage.quantile(share) for share in (0, 0.5, 1)] == [1, 6, 22]
    assert sum(coverage.lengths.values()) == 15


def test_pictures_are_drawn(data: Path, tmp_path: Path) -> None:
    source = data / "dialogues" / "science.jsonl"
    done = CliRunner().invoke(commands, ["stats", str(source), "--out", str(tmp_path / "pictures"), "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["dialogues"] == len(source.read_text(encoding="utf-8").splitlines())
    sizes = {}
    for path in (tmp_path / "pictures").iterdir():
        head = path.read_bytes()[:24]
        assert head.startswith(b"\x89PNG\r\n\x1a\n")
        sizes[path.name] = struct.unpack(">II", head[16:24])
    assert set(sizes) == {"words.png", "stages.png", "moves.png", "coverage.png"}
    # A row of the map needs 20 pixels to be read.
    rows = len(json.loads(done.stdout)["misconceptions"])
    assert sizes["coverage.png"][1] > 20 * rows


def test_an_empty_corpus_can_be_counted_and_drawn(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("", encoding="utf-8")
    done = CliRunner().invoke(commands, ["stats", str(tmp_path / "none.jsonl"), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "coverage.png").exists()


def test_help_loads_nothing_heavy() -> None:
    root = Path(__file__).parents[3]
    code = (
        "import sys, training.corpus.command;"
        "print([name for name in ('matplotlib', 'numpy', 'datasketch', 'tiktoken') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"

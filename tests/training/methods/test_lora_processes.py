"""One run in several processes: together they do what one does, a killed one can be gone on without, and neither the
corpus nor its tokens have to fit into memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="local training needs the extra train")
pytest.importorskip("trl")

from bot.student.records.dialogue import Dialogue, Role, Turn
from training.corpus.read import Chosen
from training.methods import lora_rows
from training.methods.checkpoints import fault, newest
from training.methods.rendering import kept_for_validation, parts

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.timeout(900)  # processes that wait for each other, beside busy neighbours
Runs = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def runs(folder: Path) -> Runs:
    """What became of every run, by its name; see `tests.fakes.training_processes`."""
    if not hasattr(os, "fork"):
        pytest.skip("the processes are forked")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fakes.training_processes", str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    return {each["run"]: each for each in found}


def logs(folder: Path, run: str) -> str:
    """For a failed assertion."""
    return "".join(path.read_text()[-1500:] for path in sorted((folder / run).glob("log-*.txt")))


def test_two_processes_train_what_one_would(runs: Runs, folder: Path) -> None:
    assert runs["adapter"]["ended"] == [0, 0], logs(folder, "adapter")
    first, second = runs["adapter"]["told"]
    written = json.loads((folder / "adapter" / "settings.json").read_text())
    assert written["processes"] == 2
    tokens = written["epochs"] * written["data"]["train"]["tokens"]
    assert first["tokens"] == second["tokens"] == tokens, "each conversation is trained by one of them"
    assert first["validation_loss"] == second["validation_loss"] < first["base_loss"]
    assert first["said"]
    assert second["said"] == [], "one of them speaks and writes"


@pytest.mark.parametrize("kind", ["adapter", "preferences"])
def test_a_run_whose_worker_was_killed_is_gone_on_with(runs: Runs, folder: Path, kind: str) -> None:
    cut, resumed = runs[f"{kind} cut"], runs[f"{kind} resumed"]
    assert cut["ended"][1] == -9
    assert cut["ended"][0] != 0
    assert cut["told"] == []
    assert resumed["ended"] == [0, 0], logs(folder, f"{kind}-cut")
    first, second = resumed["told"]
    assert "no checkpoint yet" not in " ".join(first["said"])
    assert not [line for line in first["said"] if line.startswith("epoch 0")], (
        "the first epoch is done already"
    )
    assert first["epochs"] == 2
    assert first["validation_loss"] == second["validation_loss"] < first["base_loss"]


def test_it_ends_as_if_nobody_had_been_killed(runs: Runs) -> None:
    whole, resumed = runs["adapter"]["told"][0], runs["adapter resumed"]["told"][0]
    assert resumed["validation_loss"] == pytest.approx(whole["validation_loss"], rel=1e-4)
    assert resumed["base_loss"] == whole["base_loss"]
    assert resumed["tokens"] < whole["tokens"]


def test_before_any_step_preferences_prefer_nothing(runs: Runs) -> None:
    assert runs["preferences resumed"]["told"][0]["base_loss"] == pytest.approx(0.6931, abs=0.01), "log 2"


def test_a_run_leaves_no_words_in_its_folder(runs: Runs, folder: Path) -> None:
    assert runs
    assert list(folder.glob(f"*/{lora_rows.SCRATCH}")) == []


def test_a_checkpoint_that_lacks_a_process_s_part_is_left_out(tmp_path: Path) -> None:
    for step in (2, 4):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        (checkpoint / "trainer_state.json").write_text("{}")
    assert fault(tmp_path / "checkpoint-4") == ""
    assert fault(tmp_path / "checkpoint-4", 2) == "rng_state_0.pth is missing"
    told: list[str] = []
    assert newest(tmp_path, told.append, 2) is None
    assert [line.partition(" ")[0] for line in told] == ["checkpoint-4", "checkpoint-2"]


# Nothing has to fit into memory.


def test_rows_of_any_number_need_the_memory_of_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lora_rows, "AT_ONCE", 10)

    def rows() -> Iterator[dict[str, list[int]]]:
        for start in range(0, 400_000, 1000):
            yield {"input_ids": list(range(start + 1000, start + 2000))}

    next(rows())
    tracemalloc.start()
    found = lora_rows.on_disk(rows(), tmp_path / "rows.arrow")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None
    assert len(found) == 400
    assert found[399]["input_ids"][-1] == 400_999
    assert found.cache_files, "it is read from the disk"
    assert peak < 4_000_000, "all of them would be sixteen million bytes"
    assert lora_rows.on_disk([], tmp_path / "none.arrow") is None


def test_dialogues_are_read_anew_and_parted_as_ever(tmp_path: Path) -> None:
    made = [
        Dialogue(f"d{number}", (Turn(Role.TEACHER, f"{number}?"), Turn(Role.STUDENT, "4")))
        for number in range(60)
    ]
    paths = (tmp_path / "one.jsonl", tmp_path / "two.jsonl")
    for path, some in zip(paths, (made[:25], made[25:]), strict=True):
        path.write_text("".join(f"{each.to_line()}\n" for each in some), encoding="utf-8")
    ids = frozenset(each.id for each in made)
    kept = kept_for_validation(ids)
    train, validation = parts(made)
    assert [each.id for each in Chosen(paths, kept)] == [each.id for each in validation] != []
    rest = Chosen(paths, ids - kept)
    assert list(rest) == list(rest) == train, "as often as one likes"
    assert len(rest) == len(train)
    assert made[0] in Chosen(paths, ids)

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


def test_two_processes_train_what_one_does(runs: Runs, folder: Path) -> None:
    (alone,), both = runs["alone"]["told"], runs["adapter"]["told"]
    assert runs["adapter"]["ended"] == [0, 0], logs(folder, "adapter")
    assert both[0]["tokens"] == both[1]["tokens"] == alone["tokens"], (
        "each conversation is trained by one of them"
    )
    assert both[0]["validation_loss"] == both[1]["validation_loss"]
    assert both[0]["validation_loss"] < both[0]["base_loss"]
    assert both[0]["validation_loss"] == pytest.approx(alone["validation_loss"], rel=0.02)
    assert both[0]["said"]
    assert both[1]["said"] == [], "one of them speaks and writes"
    assert json.loads((folder / "adapter" / "settings.json").read_text())["processes"] == 2


@pytest.mark.parametrize("kind", ["adapter", "preferences"])
def test_a_run_whose_worker_was_killed_is_gone_on_with_to_the_same_end(
    runs: Runs, folder: Path, kind: str
) -> None:
    cut, resumed = runs[f"{kind} cut"], runs[f"{kind} resumed"]
    assert cut["ended"][1] == -9
    assert cut["ended"][0] != 0
    assert cut["told"] == []
    assert resumed["ended"] == [0, 0], logs(folder, f"{kind}-cut")
    assert "no checkpoint yet" not in " ".join(resumed["told"][0]["said"])
    whole, again = runs[kind]["told"][0], resumed["told"][0]
    assert again["validation_loss"] == pytest.approx(whole["validation_loss"], rel=1e-4)
    assert again["base_loss"] == pytest.approx(whole["base_loss"], rel=1e-6)


def test_two_processes_learn_to_prefer_the_better_lines(runs: Runs, folder: Path) -> None:
    both = runs["preferences"]["told"]
    assert runs["preferences"]["ended"] == [0, 0], logs(folder, "preferences")
    assert both[0]["base_loss"] == pytest.approx(0.6931, abs=0.01), "before, they prefer nothing: log 2"
    assert both[0]["validation_loss"] < both[0]["base_loss"]
    assert both[0]["validation_loss"] == both[1]["validation_loss"]


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

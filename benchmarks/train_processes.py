"""One training run in one process and in two, by accelerate's own launcher; one is killed, and the run gone on with.

Run: python -m benchmarks.train_processes [--base MODEL] [--dialogues 24] [--epochs 2]
It needs the extra train; minutes on processors. Without --base it trains a tiny random model, of which losses tell
nothing but that all ways end at the same one. Batches of four conversations in one process, of two in each of two.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.training_processes import write_tiny

ROOT = Path(__file__).parents[1]
LOOK_SECONDS = 0.2
LAUNCH = (sys.executable, "-m", "accelerate.commands.launch", "--num_machines", "1", "--mixed_precision", "no",
          "--dynamo_backend", "no", "--main_process_port", "0")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one: its exit status, seconds by the clock, and result.json where it got so far."""

    status: int
    seconds: float
    name: str
    result: dict[str, Any] | None


def launched(home: Path, processes: int, options: list[str], *, kill: bool = False) -> Run:
    """`python -m training lora` in so many processes; with `kill`, one is killed behind the first checkpoint."""
    several = ["--multi_gpu"] if processes > 1 else []
    command = [*LAUNCH, *several, "--num_processes", str(processes), "-m", "training", "lora", *options]
    began = time.perf_counter()
    with (home / "log").open("w+", encoding="utf-8") as log:
        program = subprocess.Popen(  # noqa: S603 - our own words
            command,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        while program.poll() is None:
            time.sleep(LOOK_SECONDS)
            if kill and list(home.glob("data/runs/*/checkpoints/checkpoint-*/trainer_state.json")):
                os.kill(worker(program.pid, rank=1), signal.SIGKILL)
                kill = False
        log.seek(0)
        told = log.read()
    found = re.search(r"^run (\S+)$", told, re.M)
    if not found:
        raise RuntimeError(told[-2000:])
    result = home / "data" / "runs" / found[1] / "result.json"
    return Run(
        program.returncode,
        time.perf_counter() - began,
        found[1],
        json.loads(result.read_text(encoding="utf-8")) if result.is_file() else None,
    )


def worker(launcher: int, rank: int) -> int:
    """The process of that rank below the launcher. Linux."""
    for status in Path("/proc").glob("[0-9]*/environ"):
        pid = int(status.parent.name)
        try:
            environment = status.read_bytes().split(b"\0")
            parent = int((status.parent / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == launcher and f"RANK={rank}".encode() in environment:
            return pid
    raise RuntimeError(f"no process of rank {rank} below {launcher}")


def main(base: str | None, dialogues: int, epochs: int) -> None:
    """Alone, in two, in two with one killed, and gone on with."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "data").mkdir()
        for each in (ROOT / "data").iterdir():
            if each.name not in {"runs", "base", "serving"}:
                (home / "data" / each.name).symlink_to(each)
        (home / "config.toml").write_text(f'data = "{home / "data"}"\n', encoding="utf-8")
        base = base or str(write_tiny(home / "tiny"))
        options = ["--config", str(home / "config.toml"), "--base", base, "--precision", "float32", "--no-publish",
                   "--limit", str(dialogues), "--epochs", str(epochs)]  # fmt: skip
        runs = {"one process": launched(home, 1, [*options, "--batch", "4"])}
        runs["two processes"] = launched(home, 2, [*options, "--batch", "2"])
        # What is killed is told by its checkpoints: those of the others are in the way.
        (home / "data" / "runs").rename(home / "data" / "earlier")
        runs["one of two killed"] = launched(home, 2, [*options, "--batch", "2"], kill=True)
        cut = runs["one of two killed"].name
        runs["gone on with"] = launched(home, 2, [*options, "--batch", "2", "--resume", cut])
        for name, run in runs.items():
            ended = f"exit {run.status} after {run.seconds:.0f} s"
            if run.result is not None:
                ended += (
                    f"; validation loss {run.result['base_loss']:.4f} -> {run.result['validation_loss']:.6f},"
                    f" {run.result['tokens_per_second']:.0f} tokens/s"
                )
            print(f"{name:18} {ended}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base")
    parser.add_argument("--dialogues", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=2)
    given = parser.parse_args()
    main(given.base, given.dialogues, given.epochs)

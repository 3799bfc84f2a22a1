"""Every command in the README works as it stands there, or is marked as one that needs an account or conda."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.forking import command as forked

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
MARKED = re.compile(r"needs (?:an account|conda)")
BY_MAKE = ("make ", "python3 -m venv", "pip install")
"""What sets up the very environment that this test runs in: CI begins with it on a fresh clone."""
TALKS = {"python -m bot chat": "What is 9 plus 6?\n"}
"""Commands that read what a person types."""
QUICK = ("python -m bot replay ", "python -m training evaluate protocol ")
"""Commands that say a lot: they get a model that talks nonsense quickly."""
ELSEWHERE = {"python -m training data check data/dialogues": "tests/training/corpus/test_check.py"}
"""A command that takes long, and a test that looks at what it found, too."""
SERVES = {"python -m bot web": "web classroom"}
"""Commands that go on until they are stopped, and what they say once they serve."""


def commands() -> list[str]:
    """Each command line without its comment; blocks and lines that are marked are left out."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = []
    for block in BLOCKS:
        before = text[: text.index(block)].rstrip("`bash\n").rsplit("\n\n", 1)[-1]
        for line in block.splitlines():
            if line.strip() and not MARKED.search(line) and not MARKED.search(before):
                found.append(line.split(" #")[0].strip())
    return [line for line in found if not line.startswith(BY_MAKE)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a fresh clone's: the commands may write where they like."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("bot", "training", "benchmarks"):
        (folder / name).symlink_to(ROOT / name)
    ignored = shutil.ignore_patterns("pupil.*", "chat_history", "runs", "base")
    shutil.copytree(ROOT / "data", folder / "data", ignore=ignored)
    # What the first start on a machine makes of the weights is not made again.
    (ROOT / "data" / "base").mkdir(exist_ok=True)
    (folder / "data" / "base").symlink_to(ROOT / "data" / "base")
    # Whoever else runs here may have the ports of the shipped settings.
    config = (ROOT / "config.toml").read_text(encoding="utf-8")
    free = re.sub(r"(?m)^port = \d+$", "port = 0", config)
    (folder / "config.toml").write_text(free, encoding="utf-8")
    practice = folder / "data" / "practice" / "teachers.jsonl"
    # The whole file takes minutes; one row of it shows as well that the commands fit together.
    practice.write_text(practice.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    return folder


def test_there_are_commands_to_run() -> None:
    assert len(commands()) >= 6
    assert all(line.startswith("python -m ") for line in commands() if not line.startswith(". "))


def test_what_runs_elsewhere_is_a_command() -> None:
    assert ELSEWHERE.keys() <= set(commands())
    assert all(line in (ROOT / test).read_text(encoding="utf-8") for line, test in ELSEWHERE.items())


@pytest.mark.timeout(400)
def test_every_command_runs(place: Path, small: Path) -> None:
    """In their order: a later one reads what an earlier one wrote. Python is begun anew for the first one of each."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUPIL_")}
    config = place / "config.toml"
    shipped = config.read_text(encoding="utf-8")
    quick = re.sub(r'(?m)^model = "starter"$', 'model = "base"', shipped)
    quick = re.sub(r"(?m)^# gguf = .*$", f"gguf = {json.dumps(str(small))}", quick)
    assert quick.count(f'{small}"') == quick.count('model = "base"') == 1
    begun = set[str]()
    for line in commands():
        if line in SERVES:
            serve(line, place, environment)
        if line in SERVES or line in ELSEWHERE or not line.startswith("python -m "):
            continue
        config.write_text(quick if line.startswith(QUICK) else shipped, encoding="utf-8")
        _, option, module, *arguments = shlex.split(line)
        done = subprocess.run(
            [*(forked(module) if module in begun else (sys.executable, option, module)), *arguments],
            cwd=place,
            env=environment,
            input=next((said for start, said in TALKS.items() if line.startswith(start)), ""),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        begun.add(module)
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def serve(line: str, place: Path, environment: dict[str, str]) -> None:
    """Start it, wait until it serves, and stop it as a supervisor does."""
    with subprocess.Popen(
        [sys.executable, *shlex.split(line)[1:]],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = []
        for told in process.stdout:
            said.append(told)
            if SERVES[line] in told:
                process.terminate()
        assert process.wait(timeout=60) == 0, "".join(said)

"""`python -m training openai` as people and schedules meet it, with a provider on a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from bot.student.records.dialogue import Dialogue, Role, Thought, ThoughtKind, Turn
from tests.fakes.fine_tuning_server import Call, FineTuningServer
from training.__main__ import app

ROOT = Path(__file__).parents[3]
KEY = "sk-test-77aa01c2"
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("DISCORD_", "SLACK_", "OPENAI_", "AZURE_", "PUPIL_", "FINE_TUNING_"))
}


STARTED: list[asyncio.subprocess.Process] = []
"""None of them outlives its test."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FineTuningServer]:
    async with FineTuningServer() as running:
        running.pace = ["queued", "running", "succeeded"]
        yield running
        for process in STARTED:
            if process.returncode is None:
                process.kill()
            await process.communicate()
        STARTED.clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with children and lessons as shipped, and a few dialogues."""
    data = tmp_path / "data"
    (data / "dialogues").mkdir(parents=True)
    for name in ("children", "lessons", "prices.toml", "fine_tuning.toml"):
        (data / name).symlink_to(ROOT / "data" / name)
    write(data / "dialogues" / "some.jsonl", 40)
    write(data / "dialogues" / "test.jsonl", 2, prefix="golden")
    (tmp_path / "config.toml").write_text('data = "data"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, count: int, prefix: str = "d") -> None:
    lines = []
    for number in range(count):
        thought = Thought(ThoughtKind.ANSWER, answer=str(number), words=1)
        asked = Turn(Role.TEACHER, f"{prefix}: What comes before {number + 1}?")
        turns = (asked, Turn(Role.STUDENT, f"it's {number}!", thought=thought))
        lines.append(Dialogue(f"{prefix}{number}", turns, "mia", "2.NBT.B.5-subtract").to_line())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


async def start(home: Path, *arguments: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "training",
        "openai",
        *arguments,
        cwd=home,
        env={**CLEAN, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    STARTED.append(process)
    return process


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode is not None
    assert KEY not in out.decode() + err.decode()
    return Ended(process.returncode, out.decode(), err.decode())


async def command(home: Path, *arguments: str, key: str | None = KEY) -> Ended:
    """The same command line in a thread of this process, where starting one would show nothing more."""
    runner = CliRunner(env={"OPENAI_API_KEY": key, "COLUMNS": "200"})
    found = await asyncio.to_thread(runner.invoke, app, ["openai", *arguments], catch_exceptions=False)
    assert KEY not in found.output
    return Ended(found.exit_code, found.stdout, found.stderr)


def records(home: Path) -> list[dict[str, object]]:
    paths = sorted((home / "data" / "runs").glob("*/run.json"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert not any(KEY in text for text in texts)
    return [json.loads(text) for text in texts]


async def test_help_and_wrong_usage(home: Path) -> None:
    shown = await command(home)
    assert shown.status == 0
    for name in ("prepare", "run", "resume", "cancel", "watch", "list"):
        assert f"\n  {name} " in shown.out
    unknown = await command(home, "resume", "openai-20260101-000000-abcdef")
    assert (unknown.status, len(unknown.err.splitlines())) == (2, 1)
    assert "no run 'openai-20260101-000000-abcdef'" in unknown.err


async def test_prepare_spends_nothing_and_says_what_it_would_cost(home: Path) -> None:
    found = await command(home, "prepare", "--epochs", "2", key=None)
    assert found.status == 0
    assert "epochs: 2\n" in found.out
    assert "at $3 for a million tokens" in found.out
    assert "OpenAI is closing fine-tuning" in found.err or "no new fine-tuning jobs" in found.err
    folder = home / "data" / "runs" / "openai-prepared"
    rows = [(folder / f"{name}.jsonl").read_text().count("\n") for name in ("training", "validation")]
    assert sum(rows) == 40
    assert f"rows: {rows[0]} training, {rows[1]} validation" in found.out
    write(home / "data" / "dialogues" / "some.jsonl", 3)
    few = await command(home, "prepare", key=None)
    assert few.status == 2
    assert "OpenAI wants at least 10" in few.err
    half = {"id": "a", "turns": [{"role": "teacher", "content": "Hi \ud83d"}]}
    (home / "data" / "dialogues" / "some.jsonl").write_text(json.dumps(half) + "\n", encoding="utf-8")
    broken = await command(home, "prepare", key=None)
    assert (broken.status, "half a character" in broken.err) == (2, True)


async def test_money_is_never_spent_unasked(home: Path, server: FineTuningServer) -> None:
    for arguments, key, told in (
        ((), None, "OPENAI_API_KEY is not set"),
        ((), KEY, "there is nobody to ask; give --yes"),
        (("--base-url", server.base_url), KEY, "the price is not known; give --yes"),
        (("--provider", "azure"), KEY, "--base-url: provider 'azure' needs the address"),
        (("--provider", "azure", "--base-url", server.root), KEY, "AZURE_OPENAI_API_KEY is not set"),
        (("--base-url", "https://me:secret@example.com/v1"), KEY, "without a password"),
        (("--name", "Bad Name", "--yes"), KEY, "--name: "),
    ):
        found = await command(home, "run", *arguments, key=key)
        assert (found.status, "secret" in found.err) == (2, False), arguments
        assert told in found.err
    assert server.calls == []
    assert records(home) == []


async def test_from_the_command_to_a_published_model(home: Path, server: FineTuningServer) -> None:
    found = await command(
        home, "run", "--yes", "--poll", "0.1", "--base-url", server.base_url, "--epochs", "1"
    )
    assert (found.status, found.err.count("Traceback")) == (0, 0), found.err
    (run,) = records(home)
    assert run["status"] == "published"
    assert f"published {run['fine_tuned_model']} as openai, version {run['id']}" in found.out
    assert "Created fine-tuning job: ftjob-0001" in found.err
    assert (home / "data" / "models" / "openai" / str(run["id"]) / "manifest.json").is_file()
    listed = json.loads((await command(home, "list", "--json")).out)
    assert listed == [run]
    assert str(run["fine_tuned_model"]) in (await command(home, "list")).out
    assert (await command(home, "watch")).out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
async def test_ctrl_c_leaves_the_job_and_another_process_takes_it_over(
    home: Path, server: FineTuningServer
) -> None:
    server.pace = ["running"]
    process = await start(home, "run", "--yes", "--poll", "0.1", "--base-url", server.base_url)
    while not any("/events" in call.path for call in server.calls):
        await asyncio.sleep(0.05)
    (run,) = records(home)
    busy = await command(home, "resume", str(run["id"]))
    assert busy.status == 2
    assert "another process is at work on it" in busy.err
    assert "followed by another process" in (await command(home, "watch")).out
    process.send_signal(signal.SIGINT)
    left = await ended(process)
    assert left.status == 130
    assert f"python -m training openai resume {run['id']}" in left.err
    assert f"python -m training openai cancel {run['id']}" in left.err
    assert server.jobs["ftjob-0001"]["status"] == "running"
    assert "running, step" in (await command(home, "watch")).out
    server.pace = ["succeeded"]
    watched = await command(home, "watch")
    assert (watched.status, f"{run['id']}: published ft:" in watched.out) == (0, True)
    assert (await command(home, "cancel", str(run["id"]))).out == f"{run['id']} is over already: published\n"
    assert len(server.created()) == 1


async def test_cancel_while_another_process_follows(home: Path, server: FineTuningServer) -> None:
    server.pace = ["running"]
    process = await start(home, "run", "--yes", "--poll", "0.1", "--base-url", server.base_url)
    while not any("/events" in call.path for call in server.calls):
        await asyncio.sleep(0.05)
    (run,) = records(home)
    assert (await command(home, "cancel", str(run["id"]))).out == f"{run['id']} is asked to stop\n"
    assert server.jobs["ftjob-0001"]["status"] == "cancelled"
    followed = await ended(process)
    assert (followed.status, followed.out.splitlines()[-1]) == (1, f"{run['id']}: cancelled")


async def test_a_killed_process_starts_no_second_job(home: Path, server: FineTuningServer) -> None:
    """SIGKILL at the worst moment: the job is created, and the answer has not come."""
    process: asyncio.subprocess.Process | None = None

    async def kill(call: Call) -> None:
        if (call.method, call.path) == ("POST", "/fine_tuning/jobs"):
            assert process is not None
            process.kill()
            await process.wait()

    server.on_call = kill
    process = await start(home, "run", "--yes", "--poll", "0.1", "--base-url", server.base_url)
    await ended(process)
    (run,) = records(home)
    assert (run["status"], run["job"]) == ("creating", None)
    resumed = await command(home, "resume", "--poll", "0.1", str(run["id"]))
    assert resumed.status == 0, resumed.err
    assert records(home)[0]["status"] == "published"
    assert len(server.created()) == len(server.jobs) == 1


async def test_watch_says_what_went_wrong_and_looks_at_the_others(
    home: Path, server: FineTuningServer
) -> None:
    server.pace = ["queued", "failed"]
    failed = await command(home, "run", "--yes", "--poll", "0.1", "--base-url", server.base_url)
    assert (failed.status, failed.out.splitlines()[-1].partition(": ")[2]) == (1, "failed: It broke.")
    (run,) = records(home)
    folder = home / "data" / "runs"
    for name, record in (("openai-20000101-000000-aaaaaa", "{"), ("openai-29990101-000000-bbbbbb", None)):
        (folder / name).mkdir()
        text = record or json.dumps(
            {**run, "id": name, "status": "training", "error": None, "job": "ftjob-0001"}
        )
        (folder / name / "run.json").write_text(text, encoding="utf-8")
    watched = await command(home, "watch")
    assert watched.status == 1
    first, second = watched.out.splitlines()
    assert first.startswith("openai-20000101-000000-aaaaaa: ")
    assert second == "openai-29990101-000000-bbbbbb: failed: It broke."

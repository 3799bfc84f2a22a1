"""A bot that is running takes up a LoRA version that is published meanwhile: `python -m bot run` as a process of its
own, on a Discord that is local, with its files on disk and nothing else in common with who publishes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.adapters import data_folder, publish_adapter
from tests.fakes.discord_server import PRACTICE, TOKEN, DiscordServer
from tests.fakes.forking import command as forked
from tests.fakes.small_gguf import write_small_gguf

ROOT = Path(__file__).parents[2]
SECONDS = 100.0
"""For whatever takes a moment on a quiet machine."""


def config_in(folder: Path, server: DiscordServer) -> Path:
    data_folder(folder / "data")
    path = folder / "config.toml"
    path.write_text(
        f"""
database = "pupil.db"
[student]
model = "starter"
# Two layers of a model talk nonsense, which another model would be asked to put right.
fallback = "starter"
[engine]
engine = "llama_cpp"
gguf = {json.dumps(str(write_small_gguf(folder / "small.gguf")))}
slots = 1
threads = 1
[classroom]
reply_seconds = {SECONDS}
[limits]
per_user_minute = 1000
per_channel_minute = 1000
[discord]
api_base = {json.dumps(server.api_base)}
practice_channels = ["{PRACTICE}"]
[metrics]
enabled = false
""",
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m bot run`, ended by SIGTERM, which it must take well."""
    log = config.with_name("bot.log")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *forked("bot"), "run", "--config", str(config),
            cwd=config.parent, stdout=output, stderr=output,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DISCORD_TOKEN": TOKEN, "SLACK_BOT_TOKEN": ""},
        )  # fmt: skip
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0, log.read_text("utf-8")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def versions(config: Path) -> list[str]:
    """What answered, in order."""
    with sqlite3.connect(config.with_name("pupil.db")) as store:
        rows = store.execute(
            "SELECT model_version FROM turns WHERE role = 'student' ORDER BY rowid"
        ).fetchall()
    return [version for (version,) in rows]


@pytest.mark.timeout(300)
async def test_a_version_published_into_a_running_bot_answers_without_a_restart(tmp_path: Path) -> None:
    async with DiscordServer() as server:
        config = config_in(tmp_path, server)
        models, gguf = tmp_path / "data" / "models", tmp_path / "small.gguf"
        publish_adapter(models, "1", base=gguf, seed=3, scale=0.5)
        async with running(config) as process:
            asked = 0

            async def ask(text: str) -> None:
                nonlocal asked
                asked += 1
                await server.say(PRACTICE, text)
                await server.until(lambda: len(server.sent(PRACTICE)) >= asked, SECONDS)

            await server.until(lambda: server.identified, SECONDS)
            await ask("What is 52 minus 17?")
            publish_adapter(models, "2", base=gguf, seed=4, scale=0.5)
            async with asyncio.timeout(SECONDS):
                while versions(config)[-1:] != ["2"]:
                    await ask("Are you sure?")
            assert process.returncode is None
            assert len(server.identified) == 1, "the same process, on the same connection"
        assert versions(config)[0] == "1"
        assert sorted(set(versions(config))) == ["1", "2"]
        assert len(server.sent(PRACTICE)) == asked, "each message was answered once"
        taken = [
            line
            for line in config.with_name("bot.log").read_text("utf-8").splitlines()
            if "model opened" in line
        ]
        assert len(taken) == 2

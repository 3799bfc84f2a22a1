"""Two bots as processes of their own, on one database of either kind: each message is answered once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.store import Store
from bot.student.records.dialogue import Role
from tests.databases import DATABASES, empty
from tests.fakes.discord_server import PRACTICE, STRANGER, TEACHER, TOKEN, DiscordServer
from tests.fakes.forking import command as forked
from tests.fakes.openai_server import OpenAIServer

ROOT = Path(__file__).parents[1]
PATIENCE = 60
MESSAGES = 6


def settle(folder: Path, server: DiscordServer, words: OpenAIServer) -> Path:
    config = folder / "config.toml"
    config.write_text(
        f"""
data = {json.dumps(str(ROOT / "data"))}
database = "pupil.db"
[student]
model = "cloud"
fallback = "cloud"
[discord]
api_base = "{server.api_base}"
practice_channels = ["{PRACTICE}"]
[models.cloud]
provider = "compatible"
model = "test"
base_url = "{words.base_url}"
[metrics]
enabled = false
"""
    )
    return config


async def start(config: Path, url: str) -> asyncio.subprocess.Process:
    secrets = {"DISCORD_TOKEN": TOKEN, "PUPIL_HASH_SECRET": "s" * 32, "PUPIL_DATABASE_URL": url}
    return await asyncio.create_subprocess_exec(
        *(*forked("bot"), "run", "--config", str(config)),
        cwd=ROOT,
        env={**os.environ, **secrets},
        stderr=asyncio.subprocess.PIPE,
    )


async def end(program: asyncio.subprocess.Process) -> None:
    if program.returncode is None:
        program.send_signal(signal.SIGTERM)
    try:
        _, errors = await asyncio.wait_for(program.communicate(), PATIENCE)
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode == 0, errors.decode()
    assert b"Traceback" not in errors


@pytest.mark.parametrize("kind", DATABASES)
async def test_two_bots_answer_each_message_once(kind: str, tmp_path: Path) -> None:
    url = await empty(kind, tmp_path)
    async with DiscordServer() as server, OpenAIServer() as words, AsyncExitStack() as stack:
        config = settle(tmp_path, server, words)
        for number in (1, 2):
            stack.push_async_callback(end, await start(config, url))
            # One after the other, for the local server follows one session at a time.
            await server.until(lambda number=number: len(server.identified) == number, PATIENCE)  # type: ignore[misc]
        store = await Store.open(url)
        stack.push_async_callback(store.aclose)
        for number in range(MESSAGES):
            await server.say(
                PRACTICE, f"What is {50 + number} minus 17?", author=(TEACHER, STRANGER)[number % 2]
            )
        async with asyncio.timeout(PATIENCE):
            place = await store.conversation("discord", PRACTICE, None)
            while len(turns := await store.turns(place.id, 99)) < 2 * MESSAGES:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        turns = await store.turns(place.id, 99)
        assert [turn.number for turn in turns] == list(range(1, 2 * MESSAGES + 1))
        asked = [turn.content for turn in turns if turn.role is Role.TEACHER]
        assert sorted(asked) == [f"What is {50 + number} minus 17?" for number in range(MESSAGES)]
        assert await store.unanswered() == []
        answers = {turn.platform_message_id for turn in turns if turn.role is Role.STUDENT}
        sent = {f"discord:{PRACTICE}:{each['id']}" for each in server.sent(PRACTICE)}
        assert answers <= sent
        assert len(answers) == MESSAGES

"""Beside llmcord, a small bot that many know: answer times, start and memory of both, taken in turns.

Run: python -m benchmarks.llmcord CHECKOUT --python VENV/bin/python [--messages 200] [--rounds 4]

CHECKOUT is a clone of https://github.com/jakobdylanc/llmcord (its llmcord.py is all that is used), VENV one of its own:

    git clone --depth 1 https://github.com/jakobdylanc/llmcord /tmp/llmcord
    python -m venv /tmp/llmcord/venv && /tmp/llmcord/venv/bin/pip install -r /tmp/llmcord/requirements.txt

Nothing of it is changed: a config.yaml is written into a folder of its own, and a few lines before its start point its
Discord library at the local server (POINT). Both bots meet the same Discord on local sockets and the same server of
chat completions, which answers at once: ours with the note that it was told, llmcord's, streamed, with one sentence. A
teacher mentions the bot in a server's channel, waits for the answer, and goes on. Rounds alternate which bot begins.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web

from benchmarks.start import QUIET_SECONDS, SECONDS, measured
from bot.store import Store
from tests.fakes.discord_server import BOT, PRACTICE, TOKEN, DiscordServer, Json, Recorded

ROOT = Path(__file__).parents[1]
ANSWER_SECONDS = 30.0
POINT = """
import runpy, sys
import discord.gateway, discord.http, yarl
program, discord.http.Route.BASE, gateway = sys.argv[1:]
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
runpy.run_path(program, run_name="__main__")
"""
ANYBODY: Json = {"allowed_ids": [], "blocked_ids": []}
SENTENCE = "I think it's 45."
NOTE = re.compile(r"Say in \d+ words?: (.*)")
"""What our child is told to say, at the end of its prompt."""
ME: Json = {"id": BOT, "username": "Pupil", "discriminator": "0", "avatar": None, "bot": True}


@dataclass(slots=True)
class Figures:
    """What one bot took: seconds to be there, MiB then and in the end, ms to each answer, ms of processor for each."""

    starts: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    memory_after: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


class Discord(DiscordServer):
    """Also for answers that are an embed without a text beside it."""

    def _post(self, request: Recorded, channel: str) -> web.Response:
        if request.body.get("content") is None:
            request.body["content"] = request.body["embeds"][0]["description"]
        return super()._post(request, channel)


class Completions:
    """A server of chat completions that answers at once, streamed or whole."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        note = NOTE.search(str(asked["messages"][-1]["content"]))
        text = note[1] if note else SENTENCE
        common = {"id": "chatcmpl-1", "created": 1_760_000_000, "model": asked["model"]}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 200, "completion_tokens": 8, "total_tokens": 208}
            return web.json_response(
                {**common, "object": "chat.completion", "choices": [choice], "usage": usage}
            )
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        for content, finish in ((text, None), ("", "stop")):
            delta = {"role": "assistant", "content": content}
            chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
            await stream.write(
                f"data: {json.dumps({**common, 'object': 'chat.completion.chunk', **chunk})}\n\n".encode()
            )
        await stream.write(b"data: [DONE]\n\n")
        return stream


async def _ours(folder: Path, discord: DiscordServer, words: Completions) -> list[str]:
    """Our settings; the command that starts us."""
    (folder / "config.toml").write_text(
        f'data = "{ROOT / "data"}"\ndatabase = "pupil.db"\n'
        '[student]\nmodel = "hosted"\nfallback = "hosted"\n'
        f'[models.hosted]\nprovider = "compatible"\nmodel = "instant"\nbase_url = "{words.base_url}"\n'
        f'[discord]\napi_base = "{discord.api_base}"\n'
        "[limits]\nper_user_minute = 1000\nper_channel_minute = 10000\n[metrics]\nenabled = false\n",
        encoding="utf-8",
    )
    # Nobody waits twice for the tables of a new database.
    await (await Store.open(f"sqlite+aiosqlite:///{folder}/pupil.db")).aclose()
    return [sys.executable, "-m", "bot", "run"]


async def _theirs(
    folder: Path, discord: DiscordServer, words: Completions, checkout: Path, python: Path
) -> list[str]:
    """Its settings (JSON is YAML, too); the command that starts it."""
    settings = {
        "bot_token": TOKEN,
        "permissions": {"users": {"admin_ids": [], **ANYBODY}, "roles": ANYBODY, "channels": ANYBODY},
        "providers": {"local": {"base_url": words.base_url}},
        "models": {"local/instant": None},
        "status_message": None,
        "client_id": None,
        "system_prompt": "You are a child in second grade.",
    }
    (folder / "config.yaml").write_text(json.dumps(settings), encoding="utf-8")
    gateway = discord.api_base.replace("http://", "ws://").replace("/api/v10", "/gateway")
    return [str(python), "-c", POINT, str(checkout / "llmcord.py"), discord.api_base, gateway]


async def round_of(
    figures: Figures, words: Completions, messages: int, theirs: tuple[Path, Path] | None
) -> None:
    """Start a bot, ask it so much, stop it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Discord() as discord:
            setting = _theirs(folder, discord, words, *theirs) if theirs else _ours(folder, discord, words)
            command = await setting
            began = time.perf_counter()
            async with _running(command, folder) as process:
                await discord.until(lambda: discord.identified, seconds=SECONDS)
                figures.starts.append(time.perf_counter() - began)
                # Both libraries wait a little for servers that tell of themselves late.
                await asyncio.sleep(2 * QUIET_SECONDS)
                before, resident, _ = measured(process.pid)
                figures.memory.append(resident)
                figures.firsts.append(await _asked(discord, 0))
                figures.answers += [await _asked(discord, number) for number in range(1, messages)]
                after, resident, _ = measured(process.pid)
                figures.memory_after.append(resident)
                figures.cpu.append((after - before) / messages * 1000)


async def _asked(discord: DiscordServer, number: int) -> float:
    """Milliseconds from a message to its answer."""
    began = time.perf_counter()
    await discord.say(PRACTICE, f"<@{BOT}> What is 52 minus {number % 40 + 3}?", mentions=[ME])
    await discord.until(lambda: len(discord.sent(PRACTICE)) > number, seconds=ANSWER_SECONDS)
    return (time.perf_counter() - began) * 1000


@asynccontextmanager
async def _running(command: list[str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    ours = ("DISCORD_", "SLACK_", "OPENAI_", "PUPIL_", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    own = {"DISCORD_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)} if command[0] == sys.executable else {}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=inherited | own, stdout=log, stderr=log
        )
    try:
        yield process
    except BaseException:
        print((folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), SECONDS)


async def main(checkout: Path, python: Path, messages: int, rounds: int) -> None:
    """Run all rounds; print a line for each bot, and ours divided by theirs."""
    ours, theirs = Figures(), Figures()
    async with Completions() as words:
        for number in range(rounds):
            for figures in (ours, theirs) if number % 2 else (theirs, ours):
                program = (checkout, python) if figures is theirs else None
                await round_of(figures, words, messages // rounds, program)
    rows = [_row(figures) for figures in (ours, theirs)]
    names = ("start s", "MiB", "MiB after", "first ms", "median ms", "p95 ms", "cpu ms")
    print(f"{messages // rounds * rounds} messages to each, in {rounds} rounds in turns")
    print(f"{'':<8}" + "".join(f"{name:>11}" for name in names))
    for name, row in zip(("Pupil", "llmcord"), rows, strict=True):
        print(f"{name:<8}" + "".join(f"{value:>11.2f}" for value in row))
    print(f"{'ratio':<8}" + "".join(f"{one / other:>11.2f}" for one, other in zip(*rows, strict=True)))


def _row(figures: Figures) -> list[float]:
    kept = (figures.starts, figures.memory, figures.memory_after, figures.firsts, figures.answers)
    late = statistics.quantiles(figures.answers, n=20)[-1]
    return [*map(statistics.median, kept), late, statistics.median(figures.cpu)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--python", type=Path, required=True, help="the Python of its own environment")
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=4)
    given = parser.parse_args()
    if not (given.checkout / "llmcord.py").is_file():
        parser.error(f"{given.checkout}: there is no llmcord.py; see above what is needed")
    asyncio.run(main(given.checkout.resolve(), given.python.absolute(), given.messages, given.rounds))

"""A Discord and a Slack full of channels on local sockets, and the bot as a program of its own among them.

The servers are those of the tests; here they hold many channels and note what comes when. Run as a program,
this is the bot with a model that answers at once: python -m benchmarks.school
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from bot import app as bot_app
from bot import logs
from bot.config import load
from bot.models.base import Reply, StudentModel
from bot.models.registry import Models
from bot.notices import AWAY, BUSY, LATE, MOMENT
from bot.student.records.cue import Cue
from bot.student.voicing.prompt import meaning, render
from tests.fakes.discord_server import CATEGORY, TOKEN, DiscordServer, Json, Recorded
from tests.fakes.slack_server import APP_TOKEN, BOT_TOKEN, SlackServer

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "docs" / "slack-manifest.yaml"
START_SECONDS, STOP_SECONDS = 300.0, 60.0
SILENT_SECONDS = 180.0
"""A message without an answer for so long, with time for everybody's patience, counts as lost."""

Again = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Talk:
    """One channel with one teacher: when what was said, and when what came back."""

    place: str
    tell: Callable[[str], Awaitable[Again]]
    """Says something there; gives what delivers the same message once more."""
    said: list[float] = field(default_factory=list)
    heard: list[tuple[float, str]] = field(default_factory=list)
    moments: int = 0
    """How often the teacher was asked for a moment, which is no answer."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, text: str) -> Again:
        """The teacher says something."""
        self.said.append(time.perf_counter())
        return await self.tell(text)

    def hear(self, text: str) -> None:
        """Something came from the bot."""
        if text.endswith(_told(MOMENT)):
            self.moments += 1
            return
        self.heard.append((time.perf_counter(), text))
        self._news.set()

    async def answered(self) -> bool:
        """Wait until as much came back as was said; False when nothing comes any more."""
        while len(self.heard) < len(self.said):
            self._news.clear()
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                return False
        return True

    def waits(self) -> list[float]:
        """Seconds from each message to its answer, given that they came in order."""
        return [at - said for said, (at, _) in zip(self.said, self.heard, strict=False)]

    def refused(self) -> int:
        """How many answers are notices that there is none."""
        return sum(text.endswith((_told(LATE), _told(AWAY), _told(BUSY))) for _, text in self.heard)


def _told(notice: str) -> str:
    """What a notice says behind the child's name."""
    return notice.partition("{name}")[2]


class Discord(DiscordServer):
    """One server with `count` practice channels, that knows how late the heartbeats are."""

    def __init__(self, count: int, heartbeat_seconds: float) -> None:
        super().__init__()
        self.heartbeat_ms = round(1000 * heartbeat_seconds)
        self.talks = {
            self.snowflake(): Talk(f"discord {number}", self._teacher(number)) for number in range(count)
        }
        self.beats = 0
        self._last_beat: dict[web.WebSocketResponse, float] = {}
        self.late = 0.0
        """Seconds by which the latest of all heartbeats missed its time."""

    def _teacher(self, number: int) -> Callable[[str], Awaitable[Again]]:
        author = str(600_000_000_000_000_000 + number)

        async def tell(text: str) -> Again:
            channel = list(self.talks)[number]
            await self.say(channel, text, author=author)
            message = self.messages[channel][-1]
            return lambda: self.dispatch("MESSAGE_CREATE", message)

        return tell

    def _guild(self) -> Json:
        guild = super()._guild()
        guild["channels"] += [self._text_channel(each, "room", parent=CATEGORY) for each in self.talks]
        return guild

    def _keep(self, request: Recorded, message: Json) -> web.Response:
        kept = super()._keep(request, message)
        if kept.status == web.HTTPOk.status_code:
            self.talks[message["channel_id"]].hear(message["content"].partition("\n-# ")[0])
        return kept

    async def _receive(self, socket: web.WebSocketResponse, op: int, data: Any) -> None:
        if op == 1:
            self._look(socket)
            self._last_beat[socket] = time.perf_counter()
            self.beats += 1
        await super()._receive(socket, op, data)

    def _look(self, socket: web.WebSocketResponse) -> None:
        now = time.perf_counter()
        gap = now - self._last_beat.get(socket, now)
        self.late = max(self.late, gap - self.heartbeat_ms / 1000)

    async def drop(self, code: int) -> None:
        """Close the connection; a heartbeat that is overdue by now is late."""
        for socket in self._sockets:
            self._look(socket)
        await super().drop(code)


class Slack(SlackServer):
    """One workspace with `count` practice channels."""

    def __init__(self, count: int) -> None:
        super().__init__(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))
        self.talks = {
            f"C{number:010}": Talk(f"slack {number}", self._teacher(number)) for number in range(count)
        }
        self.channels |= dict.fromkeys(self.talks, "channel")
        self.messages |= {channel: [] for channel in self.talks}

    def _teacher(self, number: int) -> Callable[[str], Awaitable[Again]]:
        async def tell(text: str) -> Again:
            event = self.put(text, channel=list(self.talks)[number], user=f"U{number:010}")
            await self.tell(event)
            return lambda: self.tell(event)

        return tell

    def _post_message(self, channel: str, given: dict[str, Any]) -> dict[str, Any]:
        posted = super()._post_message(channel, given)
        if posted["ok"]:
            self.talks[channel].hear(given["text"])
        return posted


@dataclass(frozen=True, slots=True)
class School:
    """Both platforms and the bot that is connected to them."""

    discord: Discord
    slack: Slack
    process: asyncio.subprocess.Process
    folder: Path

    @property
    def talks(self) -> list[Talk]:
        """All channels, the platforms in turn."""
        pairs = zip(self.discord.talks.values(), self.slack.talks.values(), strict=True)
        return [talk for pair in pairs for talk in pair]

    @property
    def database(self) -> str:
        """The address of the bot's store."""
        return f"sqlite+aiosqlite:///{self.folder / 'pupil.db'}"

    def resident_mib(self) -> float:
        """The bot's memory right now, as Linux counts it."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def errors(self) -> list[str]:
        """What the bot logged as an error."""
        lines = (self.folder / "log").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if not line.startswith("{") or json.loads(line)["level"] == "error"]


@asynccontextmanager
async def open_school(
    folder: Path, channels: int, *, instant: bool, heartbeat_seconds: float
) -> AsyncIterator[School]:
    """Both platforms with so many channels each, and the bot: with the embedded model, or an instant one."""
    async with Discord(channels, heartbeat_seconds) as discord, Slack(channels) as slack:
        (folder / "config.toml").write_text(
            f'data = "{ROOT / "data"}"\ndatabase = "{folder / "pupil.db"}"\n'
            f'[discord]\napi_base = "{discord.api_base}"\npractice_channels = ["{CATEGORY}"]\n'
            f'[slack]\nbase_url = "{slack.base_url}"\npractice_channels = {json.dumps(list(slack.talks))}\n'
            '[metrics]\nenabled = false\n[log]\nlevel = "warning"\n',
            encoding="utf-8",
        )
        program = ["benchmarks.school"] if instant else ["bot", "run"]
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *program, cwd=folder, env=_environment(), stderr=log
            )
        school = School(discord, slack, process, folder)
        try:
            await _connected(school)
            yield school
        finally:
            await _stop(process)


def _environment() -> dict[str, str]:
    ours = ("DISCORD_", "SLACK_", "OPENAI_", "PUPIL_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    tokens = {"DISCORD_TOKEN": TOKEN, "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}
    return inherited | tokens | {"PYTHONPATH": str(ROOT)}


async def _connected(school: School) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not (school.discord.identified and school.slack.connections):
            if school.process.returncode is not None:
                raise RuntimeError("the bot ended: " + " ".join(school.errors()))
            await asyncio.sleep(0.05)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        raise


class EchoModel:
    """Says the plain thought and then the teacher's last word, so that an answer tells what it answers."""

    name = "base"
    version = "echo"

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:  # noqa: ARG002 - the contract's name
        """The thought itself, at no cost; the prompt is rendered as for any model."""
        render(cue)
        return Reply(f"{meaning(cue.thought)} {cue.teacher.split()[-1]}", 0, 0, None, 0.0)

    async def aclose(self) -> None:
        """Nothing is held."""


async def _serve() -> None:
    settings = load()
    # One slot: then the start reads no prompt into an engine that is not there.
    settings = settings.model_copy(update={"engine": settings.engine.model_copy(update={"slots": 1})})
    logs.set_up(settings.log.level)
    echo = EchoModel()

    async def get(self: Models, name: str) -> StudentModel:  # noqa: ARG001 - the same under every name
        return echo

    Models.get = get  # type: ignore[method-assign]
    await bot_app.run(settings)


if __name__ == "__main__":
    asyncio.run(_serve())

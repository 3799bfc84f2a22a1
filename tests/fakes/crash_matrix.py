"""The crash matrix: a bot is killed at a step of a message's way, another goes on; is anything lost, or said twice?

A cell is one platform, one database, one step, and one bot or two at once. Each has a local server, a database and
processes of its own, killed with SIGKILL.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.steps import Step
from bot.store import Store
from bot.store.rows import TurnRow
from bot.student.records.dialogue import Role
from tests.databases import POSTGRES
from tests.fakes import discord_server
from tests.fakes.discord_server import DiscordServer
from tests.fakes.forking import command as forked
from tests.fakes.slack_server import SlackServer

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8"))
PATIENCE = 300.0
"""Seconds; a bot beside busy neighbours may take long, and only one that hangs takes this."""
REDELIVERED = 0.3
"""Seconds after which the local Slack sends again what was not acknowledged ..."""
REPEATS = 1_000
"""... and how often: the real one does so after a minute and after five, when a slow bot is long there."""
ASKED = ("What is 52 minus 17?", "How did you get that?", "What is 52 minus 17?")
"""Twice the same: then the answers may be the same, and only their ids tell them apart."""


DATA = ROOT / "data"


@dataclass(frozen=True, slots=True)
class Order:
    """One bot. It dies when it comes to the step `dies` the n-th time, `times`, once the file `armed` is there; one that
    stays `behind` leaves most messages to the other bot."""

    platform: str
    config: str
    url: str
    log: str
    armed: str
    dies: str | None = None
    times: int = 1
    behind: bool = False
    beat: float = 0.1
    """Seconds from one sign of life to the next."""

    def line(self) -> bytes:
        """As the program reads it."""
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a bot dies: the n-th time that it comes to the step, `times`. With two `bots`, the other one is there already
    and goes on; else a new one is begun. With two `children`, both answer each message."""

    platform: str
    database: str
    step: Step
    bots: int
    children: int = 1
    times: int = 1


class Kennel:
    """The program that forks the bots."""

    def __init__(self, program: asyncio.subprocess.Process) -> None:
        self._program = program
        self._began: asyncio.Queue[int] = asyncio.Queue()
        self._one = asyncio.Lock()
        self.filling = asyncio.Lock()
        self._ends: dict[int, asyncio.Future[int]] = {}

    async def begin(self, order: Order) -> int:
        """A new bot; give the number of its process."""
        assert self._program.stdin is not None
        async with self._one:
            self._program.stdin.write(order.line())
            return await self._began.get()

    async def ended(self, pid: int) -> int:
        """Wait until it ended; give the signal that killed it."""
        return await asyncio.wait_for(asyncio.shield(self._ends[pid]), PATIENCE)

    async def kill(self, pid: int) -> None:
        """End it, if it is there."""
        if not self._ends[pid].done():
            # Its end may be on its way to us still.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await self.ended(pid)

    async def listen(self) -> None:
        """Read what the program tells."""
        assert self._program.stdout is not None
        while line := await self._program.stdout.readline():
            told = json.loads(line)
            if "began" in told:
                self._ends[told["began"]] = asyncio.get_running_loop().create_future()
                self._began.put_nowait(told["began"])
            else:
                self._ends[told["ended"]].set_result(told["signal"])


@asynccontextmanager
async def kennel() -> AsyncIterator[Kennel]:
    """Start the program; it takes some seconds, its bots then none."""
    program = await asyncio.create_subprocess_exec(
        *forked("tests.fakes.crashing"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    await asyncio.wait_for(program.stdout.readline(), PATIENCE)
    opened = Kennel(program)
    listening = asyncio.create_task(opened.listen())
    try:
        yield opened
    finally:
        program.stdin.close()
        await program.wait()
        await listening


class _Discord:
    """What a cell does on either platform, here on Discord."""

    def __init__(self, server: DiscordServer) -> None:
        self.server = server
        self.channels = (discord_server.PRACTICE, discord_server.DIRECT)
        self.section = (
            f'[discord]\napi_base = "{server.api_base}"\npractice_channels = ["{self.channels[0]}"]\n'
        )

    def connected(self) -> int:
        return len(self.server.identified)

    async def say(self, channel: str, said: str) -> None:
        await self.server.say(channel, said)

    def shown(self) -> list[str]:
        """The ids of all that the bots said."""
        return [f"discord:{each}:{said['id']}" for each in self.channels for said in self.server.sent(each)]


class _Slack:
    """And on Slack."""

    def __init__(self, server: SlackServer) -> None:
        self.server = server
        self.channels = ("C0PRACTICE", "D0ANN")
        self.section = (
            f'[slack]\nbase_url = "{server.base_url}"\npractice_channels = ["{self.channels[0]}"]\n'
        )
        self._telling: set[asyncio.Task[None]] = set()

    def connected(self) -> int:
        return self.server.connections

    async def say(self, channel: str, said: str) -> None:
        event = self.server.put(said, channel=channel)
        # Told as soon as somebody is connected, and again while nobody took it.
        self._telling.add(asyncio.create_task(self.server.tell(event)))

    def shown(self) -> list[str]:
        return [f"slack:{each}:{said['ts']}" for each in self.channels for said in self.server.posts(each)]


class _Run:
    """One cell while it runs."""

    def __init__(
        self, cell: Cell, dogs: Kennel, place: _Discord | _Slack, store: Store, order: Order
    ) -> None:
        self._cell = cell
        self._kennel = dogs
        self._place = place
        self._store = store
        self._order = order
        self._said: list[tuple[str, str]] = []
        self.bots: list[int] = []

    async def begin(self, **change: Any) -> int:
        connected = self._place.connected()
        pid = await self._kennel.begin(replace(self._order, **change))
        self.bots.append(pid)
        await self._until(lambda: self._place.connected() > connected, "the bot connects")
        return pid

    async def go(self) -> str:
        """Give what is wrong, or ""."""
        two = self._cell.bots > 1
        if two:
            await self.begin(behind=True)
        # What a platform has already shown, only the platform knows: there it is killed from outside.
        outside = self._cell.step is Step.SENDING
        if self._cell.children > 1:
            await self._seat()
        dying = await self.begin(dies=None if outside else self._cell.step.value, times=self._cell.times)
        for channel in self._place.channels:
            await self._say(channel, "Good morning!")
        await self._answered()
        Path(self._order.armed).touch()
        if outside:
            self._place.server.posted = self._killed_at(dying)
        await self._talk_until(asyncio.create_task(self._kennel.ended(dying)))
        self._place.server.posted = None
        if not two:
            await self.begin()
        await self._answered()
        # Each conversation is a queue: what is answered now is answered behind whatever was to be said twice.
        for channel in self._place.channels:
            await self._say(channel, "See you tomorrow!")
        await self._answered()
        return await self._wrong()

    def _killed_at(self, dying: int) -> Callable[[], Awaitable[None]]:
        """Kill it when something was posted, the n-th time."""
        left = self._cell.times

        async def posted() -> None:
            nonlocal left
            left -= 1
            if not left:
                await self._kennel.kill(dying)

        return posted

    async def _seat(self) -> None:
        for channel in self._place.channels:
            place = await self._store.conversation(self._cell.platform, channel, None)
            await self._store.update_conversation(place.id, child="mia owen")

    async def _talk_until(self, end: asyncio.Task[int]) -> None:
        """Of two bots either may be the one that answers, so another round is said until the right one was."""
        async with asyncio.timeout(PATIENCE):
            while not end.done():
                for asked in ASKED:
                    await self._say(self._place.channels[0], asked)
                await self._say(self._place.channels[1], ASKED[0])
                answered = asyncio.create_task(self._answered())
                await asyncio.wait([end, answered], return_when=asyncio.FIRST_COMPLETED)
                answered.cancel()
                await asyncio.gather(answered, return_exceptions=True)
        assert await end == signal.SIGKILL

    async def _say(self, channel: str, said: str) -> None:
        if self._cell.children > 1:
            said = f"Mia and Owen, {said}"
        self._said.append((channel, said))
        await self._place.say(channel, said)

    async def _turns(self) -> dict[str, list[TurnRow]]:
        turns = {}
        for channel in self._place.channels:
            place = await self._store.conversation(self._cell.platform, channel, None)
            turns[channel] = await self._store.turns(place.id, 999)
        return turns

    async def _answered(self) -> None:
        each = 1 + self._cell.children
        async with asyncio.timeout(PATIENCE):
            while sum(map(len, (await self._turns()).values())) < each * len(self._said):
                await asyncio.sleep(0.02)

    async def _wrong(self) -> str:
        turns = await self._turns()
        shown = self._place.shown()
        logged = [
            each.platform_message_id for said in turns.values() for each in said if each.role is Role.STUDENT
        ]
        asked = sorted(
            (channel, each.content)
            for channel, said in turns.items()
            for each in said
            if each.role is Role.TEACHER
        )
        if asked != sorted(self._said):
            return f"{len(self._said)} asked, {len(asked)} logged"
        if len(shown) != self._cell.children * len(self._said):
            return f"{len(self._said)} asked, {len(shown)} shown"
        if sorted(map(str, logged)) != sorted(shown):
            return "what is logged is not what is shown"
        waiting = await self._store.unanswered()
        return f"{len(waiting)} still wait" if waiting else ""

    async def _until(self, true: Any, what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not true():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise TimeoutError(f"in {PATIENCE:.0f} s never: {what}") from None


async def run(cell: Cell, dogs: Kennel) -> str:
    """Kill a bot there; give what is wrong afterwards, or ""."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place: _Discord | _Slack
        if cell.platform == "discord":
            place = _Discord(await stack.enter_async_context(DiscordServer()))
        else:
            place = _Slack(
                await stack.enter_async_context(
                    SlackServer(MANIFEST, ack_seconds=REDELIVERED, repeats=REPEATS)
                )
            )
        url = await stack.enter_async_context(database(cell.database, folder))
        (folder / "config.toml").write_text(
            f'data = "{DATA}"\ndatabase = "{folder / "pupil.db"}"\n{place.section}[limits]\n'
            "per_user_minute = 1000\nper_channel_minute = 1000\n",
            encoding="utf-8",
        )
        async with dogs.filling:  # Alembic fills one database at a time
            store = await Store.open(url)
        stack.push_async_callback(store.aclose)
        config, log, armed = (str(folder / name) for name in ("config.toml", "log", "armed"))
        order = Order(cell.platform, config, url, log, armed)
        going = _Run(cell, dogs, place, store, order)
        try:
            return await going.go()
        except TimeoutError as error:
            return f"{error or 'not all is answered'}: " + _last(folder / "log")
        finally:
            for pid in going.bots:
                await dogs.kill(pid)


def _last(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return " | ".join(lines[-4:])


_numbers = iter(range(1_000_000))


@asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[str]:
    """The address of a new database of that kind, for as long as it is needed."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'pupil.db'}"
        return
    assert POSTGRES
    name = f"pupil_crash_{os.getpid()}_{next(_numbers)}"
    server = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        async with server.connect() as connection:
            await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await server.dispose()


async def run_all(cells: list[Cell], *, at_once: int) -> AsyncIterator[tuple[Cell, str]]:
    """All of them, some at once; each as it ends."""
    places = asyncio.Semaphore(at_once)

    async def one(cell: Cell) -> tuple[Cell, str]:
        async with places:
            return cell, await run(cell, dogs)

    async with kennel() as dogs:
        for each in asyncio.as_completed([one(cell) for cell in cells]):
            yield await each

"""Several bots as processes on one database, behind one Slack endpoint: talked to, counted, and killed at random.

A balancer sends each event to the next process; some are told again to another one, as Slack does where it heard no
answer. Each conversation must hold every message once, in the order in which they were said, each with its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store import Store
from bot.student.records.dialogue import Role
from tests.databases import POSTGRES
from tests.fakes.crash_matrix import DATA, MANIFEST, PATIENCE, Kennel, Order, database, kennel
from tests.fakes.slack_server import SlackServer

ASKED = ("What is {} minus 17?", "How did you get {}?", "Is {} more?", "Why do you think so of {}?")
TOLD_AGAIN = 0.1
"""So many of all events are told again to another process."""


class Slack(SlackServer):
    """One workspace that notes when each answer came."""

    def __init__(self, channels: int) -> None:
        super().__init__(MANIFEST, ack_seconds=0.3, repeats=1_000)
        self.rooms = [f"C{number:010}" for number in range(channels)]
        self.channels |= dict.fromkeys(self.rooms, "channel")
        self.messages |= {room: [] for room in self.rooms}
        self.came: dict[str, asyncio.Event] = {room: asyncio.Event() for room in self.rooms}

    def _post_message(self, channel: str, given: dict[str, object]) -> dict[str, object]:
        posted = super()._post_message(channel, given)
        if channel in self.came:
            self.came[channel].set()
        return posted


@dataclass(slots=True)
class Bots:
    """The processes, and the one Slack before them."""

    slack: Slack
    kennel: Kennel
    store: Store
    url: str
    orders: list[Order]
    ports: list[int]
    pids: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds from each message to its answer."""
    killed: int = 0

    async def begin(self) -> None:
        """Start them all, and wait until each takes events."""
        for place in range(len(self.orders)):
            self.pids.append(await self.kennel.begin(self.orders[place]))
        for place in range(len(self.orders)):
            await self._listens(place)
        first, *others = [f"http://127.0.0.1:{port}/slack/events" for port in self.ports]
        self.slack.http_url, self.slack.replicas = first, others

    async def _listens(self, place: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.ports[place])
                    writer.close()
                    return
                await asyncio.sleep(0.02)

    async def kill_at_random(self, every: float, chance: random.Random) -> None:
        """Until cancelled: one after another dies by SIGKILL, and comes back after a moment."""
        while True:
            await asyncio.sleep(every * chance.uniform(0.5, 1.5))
            place = chance.randrange(len(self.orders))
            await self.kennel.kill(self.pids[place])
            self.killed += 1
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            self.pids[place] = await self.kennel.begin(self.orders[place])

    async def talk(
        self, room: str, messages: int, until: float, at_once: int, chance: random.Random, first: int = 0
    ) -> int:
        """One conversation: some messages are said one behind the other, then their answers are waited for. Gives how
        many were said in all, the `first` ones before included: `messages`, or fewer where it is `until` by the clock."""
        said = first
        while said < messages and time.monotonic() < until:
            began: list[float] = []
            for _ in range(min(at_once, messages - said)):
                event = self.slack.put(ASKED[said % len(ASKED)].format(said), channel=room)
                began.append(time.monotonic())
                # The next one is said once this one was taken: then there is an order to be kept.
                await self.slack.tell(event)
                if chance.random() < TOLD_AGAIN:
                    await self.slack.tell(event)
                said += 1
            async with asyncio.timeout(PATIENCE):
                while len(posts := self.slack.posts(room)) < said:
                    self.slack.came[room].clear()
                    await self.slack.came[room].wait()
            self.waits += [post["at"] - at for post, at in zip(posts[-len(began) :], began, strict=True)]
        return said

    async def wrong(self, said: dict[str, int]) -> list[str]:
        """What is not as it should be, once nothing waits any more."""
        async with asyncio.timeout(PATIENCE):
            while await self.store.unanswered():
                await asyncio.sleep(0.05)
        faults = []
        for room, count in said.items():
            place = await self.store.conversation("slack", room, None)
            turns = await self.store.turns(place.id, 9_999)
            asked = [each.content for each in turns if each.role is Role.TEACHER]
            told = [each.platform_message_id for each in turns if each.role is Role.STUDENT]
            if [each.number for each in turns] != list(range(1, 2 * count + 1)):
                faults.append(f"{room}: {count} said, {len(turns)} turns")
            if asked != [ASKED[number % len(ASKED)].format(number) for number in range(count)]:
                numbers = [int("".join(filter(str.isdigit, each.replace("minus 17", "")))) for each in asked]
                faults.append(f"{room}: not in the order in which they were said: {numbers}")
            shown = [f"slack:{room}:{each['ts']}" for each in self.slack.posts(room)]
            if told != shown:
                first = next(
                    (n for n, each in enumerate(zip(told, shown, strict=False)) if len(set(each)) > 1), None
                )
                faults.append(f"{room}: {len(told)} logged, {len(shown)} shown, not the same from {first} on")
        return faults

    def processor_seconds(self) -> tuple[float, float]:
        """What the bots, and PostgreSQL's processes for this database, have used so far."""
        name = str(make_url(self.url).database)
        bots = sum(map(_used, self.pids))
        database = 0.0
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                title = each.read_bytes()
                if title.startswith(b"postgres:") and f" {name} ".encode() in title:
                    database += _used(int(each.parent.name))
        return bots, database

    async def statements(self) -> tuple[int, int] | None:
        """Statements and transactions of this database so far; None where PostgreSQL does not count them."""
        if POSTGRES is None or self.url.startswith("sqlite"):
            return None
        engine, name = create_async_engine(POSTGRES), {"name": make_url(self.url).database}
        try:
            async with engine.connect() as connection:
                calls = await connection.scalar(
                    text(
                        "SELECT sum(calls) FROM pg_stat_statements JOIN pg_database ON dbid = pg_database.oid"
                        " WHERE datname = :name AND query !~* '^(BEGIN|COMMIT|ROLLBACK|;|$)'"
                    ),
                    name,
                )
                commits = await connection.scalar(
                    text("SELECT xact_commit FROM pg_stat_database WHERE datname = :name"), name
                )
                return int(calls or 0), int(commits or 0)
        except Exception:  # noqa: BLE001 - no such extension
            return None
        finally:
            await engine.dispose()


def _used(pid: int) -> float:
    after_name = (
        Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    )
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _free_ports(count: int) -> list[int]:
    open_ = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in open_]
    for each in open_:
        each.close()
    return ports


@asynccontextmanager
async def many_bots(kind: str, count: int, channels: int, *, beat: float) -> AsyncIterator[Bots]:
    """So many processes on one database of that kind, with one Slack of so many channels."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        slack = await stack.enter_async_context(Slack(channels))
        url = await stack.enter_async_context(database(kind, folder))
        store = await Store.open(url)
        stack.push_async_callback(store.aclose)
        ports, orders = _free_ports(count), []
        for port in ports:
            config = folder / f"{port}.toml"
            rooms = ", ".join(f'"{each}"' for each in slack.rooms)
            config.write_text(
                f'data = "{DATA}"\ndatabase = "{folder / "pupil.db"}"\n[slack]\nmode = "http"\nport = {port}\n'
                f'base_url = "{slack.base_url}"\npractice_channels = [{rooms}]\n[limits]\n'
                "per_user_minute = 1000\nper_channel_minute = 10000\n",
                encoding="utf-8",
            )
            log = str(folder / f"{port}.log")
            orders.append(Order("slack", str(config), url, log, str(folder / "armed"), beat=beat))
        bots = Bots(slack, await stack.enter_async_context(kennel()), store, url, orders, ports)
        try:
            yield bots
        finally:
            for pid in bots.pids:
                await bots.kennel.kill(pid)

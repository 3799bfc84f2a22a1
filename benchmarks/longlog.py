"""Does a long log slow anything down? Reply, status, a day's harvest, forgetting and retention, by length of the log.

    python -m benchmarks.longlog                      10,000, 100,000 and 1,000,000 turns
    python -m benchmarks.longlog --turns 10000000     only so many; may be given more than once (these take 6 GB)
    python -m benchmarks.longlog --sqlite             in files instead

    python -m benchmarks.longlog --turns 10000000     only so many; may be given more than once (ten million: 6 GB)
dropped again), and for the harvest datasketch. The log is made in the database by numbers alone; the last day in it is
the same 2,000 turns whatever its length. The classroom is the real one, with a model that answers at once. Lengths are
measured in turns, each time in a process of its own, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.fresh import settings_in
from benchmarks.reply import InstantModel
from bot import logs
from bot.app import App, opened
from bot.messages import Message, Place
from bot.replay import Silent
from bot.student.records.child import read_children
from tests.databases import POSTGRES
from tests.fakes import long_log

DATA = Path(__file__).parents[1] / "data"
SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3
TIMES = 30
WORKS = {
    "reply": "reply",
    "status": "/student status",
    "spent": "what three days have cost",
    "forget": "forget of a person with 500 turns",
    "harvest": "harvest of a day of 2,000 turns",
    "retention": "retention of a month",
}
NAMES = {
    **{name: f"{title}, ms" for name, title in WORKS.items()},
    **{f"{name} on a processor": f"{title}, ms of a processor" for name, title in WORKS.items()},
    "megabytes": "peak memory of the process, MB",
}


class _Spent:
    """Processor time of this process and of the PostgreSQL processes that serve it, where they run on this machine:
    what a busy machine disturbs least."""

    def __init__(self, servers: list[int]) -> None:
        self._servers = servers

    def seconds(self) -> float:
        """So far."""
        files = (Path(f"/proc/{each}/schedstat") for each in self._servers)
        there = (int(each.read_text().split()[0]) for each in files if each.exists())
        return time.process_time() + sum(there) / 1e9

    async def of(self, name: str, work: Callable[[int], Awaitable[object]], times: int) -> dict[str, float]:
        """Milliseconds of each, waiting included (the median) and of a processor (the mean). The first one is left out
        where there are several: it compiles the statements."""
        taken = []
        if times > 1:
            await work(times)
        before = self.seconds()
        for count in range(times):
            started = time.perf_counter()
            await work(count)
            taken.append((time.perf_counter() - started) * 1000)
        spent = (self.seconds() - before) * 1000 / times
        return {name: statistics.median(taken), f"{name} on a processor": spent}


async def _servers(url: str) -> list[int]:
    """The processes of a PostgreSQL that serve a database; none of SQLite."""
    if url.startswith("sqlite"):
        return []
    server = create_async_engine(url)
    async with server.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        pids = list(found.scalars())
    await server.dispose()
    return pids


async def measured(url: str, turns: int, round_: int) -> dict[str, float]:
    """One round on one log, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        secrets = {"pupil_database_url": SecretStr(url), "pupil_hash_secret": SecretStr("long log " * 4)}
        settings = settings_in(folder, "base").model_copy(update=secrets)
        async with opened(settings) as app:
            app.models.put(InstantModel())
            return await _measured(app, url, turns, round_)


async def _measured(app: App, url: str, turns: int, round_: int) -> dict[str, float]:
    from training.harvest.harvest import Options, harvest  # noqa: PLC0415

    store, rooms = app.store, turns // long_log.A_CONVERSATION // long_log.A_ROOM
    last = await store.practices.get(turns // long_log.A_CONVERSATION)
    if last is None:
        raise RuntimeError(f"expected a log of {turns} turns")
    day_after = last.created_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    people = turns // long_log.A_PERSON
    found: dict[str, float] = {}
    spent = _Spent(await _servers(url))

    async def harvested(_: int) -> None:
        summary = await harvest(
            store,
            DATA,
            read_children(DATA / "children"),
            {long_log.LESSON: None},
            Options(days=1),
            Path(tempfile.gettempdir()) / f"left-out-{os.getpid()}.jsonl",
            now=day_after,
        )
        # Not exactly: who was forgotten in an earlier round is in it no more, what was said then goes on there.
        if not (summary.turns > long_log.A_DAY / 2 and summary.dialogues):
            raise RuntimeError(f"expected a harvest of {long_log.A_DAY} turns, got {summary}")

    def place(count: int) -> Place:
        return Place("discord", f"room{(round_ * TIMES + count) % rooms}", None)

    async def reply(count: int) -> None:
        key, where = f"discord:{uuid.uuid4()}", place(count)
        message = Message(key, *_place(where), "bench", "What is 52 minus 17?", datetime.now(UTC))
        await app.classroom.receive(message, Silent())

    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    async def forget(_: int) -> None:
        report = await store.forget(f"person{(people // 2 + 2 + 3 * round_) % people}")
        if not report.teacher_turns:
            raise RuntimeError(f"expected somebody to forget, got {report}")

    found |= await spent.of("harvest", harvested, 1)
    found |= await spent.of("reply", reply, TIMES)
    found |= await spent.of("status", lambda count: app.commands.status(place(count)), TIMES)
    since = today - timedelta(days=2)
    found |= await spent.of("spent", lambda _: store.spent(since, "person1"), TIMES)
    found |= await spent.of("forget", forget, 1)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found["megabytes"] = kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024)
    if round_ == ROUNDS - 1:
        before = today.replace(day=1) - timedelta(days=310)
        found |= await spent.of("retention", lambda _: store.purge(before), 1)
    return found


def _place(where: Place) -> tuple[str, str, str | None]:
    return where.platform, where.channel, where.thread


def _alone(url: str, turns: int, round_: int) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - this file, with this Python
        [sys.executable, "-m", "benchmarks.longlog", "--measure", str(round_), "--turns", str(turns)],
        env={**os.environ, "PUPIL_LONG_LOG": url},
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


async def _server(statement: str) -> None:
    server = create_async_engine(POSTGRES or "", isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(statement))
    await server.dispose()


async def _address(turns: int, folder: str | None) -> str:
    """An empty database for a log of that length."""
    if folder is not None:
        return f"sqlite+aiosqlite:///{folder}/log_{turns}.db"
    await _server(f"DROP DATABASE IF EXISTS log_{turns} WITH (FORCE)")
    await _server(f"CREATE DATABASE log_{turns}")
    return make_url(POSTGRES or "").set(database=f"log_{turns}").render_as_string(hide_password=False)


async def run(sizes: list[int], folder: str | None) -> None:
    """Fill, measure in turns, print a table."""
    urls = {}
    for turns in sizes:
        urls[turns] = await _address(turns, folder)
        await long_log.fill(urls[turns], turns, datetime.now(UTC))
    found: dict[int, dict[str, list[float]]] = {turns: defaultdict(list) for turns in sizes}
    for round_ in range(ROUNDS):
        for turns in sizes:
            for name, value in _alone(urls[turns], turns, round_).items():
                found[turns][name].append(value)
    print(f"| turns | {' | '.join(f'{turns:,}' for turns in sizes)} |")
    print("|---" * (len(sizes) + 1) + "|")
    for name, title in NAMES.items():
        values = (statistics.median(found[turns][name]) for turns in sizes)
        print(f"| {title} | {' | '.join(f'{value:,.1f}' for value in values)} |")
    if folder is None:
        for turns in sizes:
            await _server(f"DROP DATABASE log_{turns}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, action="append", help="only so many turns")
    parser.add_argument("--sqlite", action="store_true", help="in files of SQLite")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logs.set_up("error")
    if options.measure is not None:
        found: dict[str, Any] = asyncio.run(
            measured(os.environ["PUPIL_LONG_LOG"], options.turns[0], options.measure)
        )
        print(json.dumps(found))
        return
    if not options.sqlite and not POSTGRES:
        parser.error("PUPIL_TEST_POSTGRES_URL is not set; it names a PostgreSQL server. Or give --sqlite")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options.turns or list(SIZES), folder if options.sqlite else None))


if __name__ == "__main__":
    main()

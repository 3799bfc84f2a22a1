"""What one turn costs: statements, processor time of the bot and of the database, bytes that stay, tokens.

Run: python -m benchmarks.turn [--turns 600] [--at-once 1 8]
On SQLite; where PUPIL_TEST_POSTGRES_URL names a PostgreSQL server on this machine, there instead.

The model answers at once, so what is left is Pupil's own. Processor time is what a busy machine changes least; turns a
second are of this machine at this moment, and only their ratio lasts. `benchmarks.scaling` reckons with these figures.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.fresh import settings_in
from benchmarks.throughput import rows_of, talk
from bot import logs
from bot.app import App, opened
from bot.config import Settings
from bot.models.base import Reply
from bot.student.records.cue import Cue
from bot.student.voicing.prompt import meaning, render
from tests.databases import POSTGRES, empty
from training.methods.openai_tokens import Counter as TokenCounter

TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(slots=True)
class Cost:
    """Of one turn: numbers, milliseconds, bytes."""

    at_once: int
    turns: int
    statements: float
    commits: float
    bot_ms: float
    database_ms: float | None
    kept_bytes: float
    prompt_tokens: float
    answer_tokens: float
    per_second: float
    p50_ms: float
    p95_ms: float


class CountingModel:
    """Says the plain thought at once, and keeps what it was asked."""

    name, version = "base", "instant"

    def __init__(self) -> None:
        self.asked: list[tuple[list[dict[str, Any]], str]] = []

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:  # noqa: ARG002 - the contract's name
        """The thought itself, at no cost; the prompt is rendered as for any model."""
        said = meaning(cue.thought)
        self.asked.append(([asdict(message) for message in render(cue)], said))
        await asyncio.sleep(0)
        return Reply(said, 0, 0, None, 0.0)

    async def aclose(self) -> None:
        """Hold nothing."""


async def measure(at_once: int, turns: int) -> Cost:
    """So many turns of so many conversations at once, each a fresh one, on an empty database."""
    rows = itertools.cycle(rows_of(6))
    counted: Counter[str] = Counter()
    waits: list[float] = []
    numbers = itertools.count()
    async with _bot() as (app, url):
        model = CountingModel()
        app.models.put(model)
        await talk(app, {**next(rows), "id": "first"})  # what is made at its first use
        model.asked.clear()
        listening = {"before_cursor_execute": "statements", "commit": "commits"}
        for name, what in listening.items():
            event.listen(Engine, name, _counting(counted, what))
        size, work = await _size(url), await _database_seconds(url)
        began, own = time.perf_counter(), time.process_time()

        async def teach() -> None:
            while len(waits) < turns:
                # Setting a conversation up is no part of a turn, but a sixth of one: it is counted with them.
                row = {**next(rows), "id": f"talk {next(numbers)}"}
                waits.extend(wait for wait, _ in await talk(app, row))

        await asyncio.gather(*(teach() for _ in range(at_once)))
        took, used = time.perf_counter() - began, time.process_time() - own
        there, grown = await _database_seconds(url), await _size(url)
    tokens = TokenCounter("gpt-4o-mini")
    prompts = [tokens.row(messages)[1] for messages, _ in model.asked]
    answers = [tokens.row([{"content": said}])[0] for _, said in model.asked]
    count = len(waits)
    return Cost(
        at_once, count, counted["statements"] / count, counted["commits"] / count, 1000 * used / count,
        None if work is None or there is None else 1000 * (there - work) / count, (grown - size) / count,
        statistics.mean(prompts), statistics.mean(answers), count / took,
        1000 * statistics.median(waits), 1000 * statistics.quantiles(waits, n=20)[-1],
    )  # fmt: skip


def _counting(into: Counter[str], what: str) -> Any:
    def count(*_: object) -> None:
        into[what] += 1

    return count


@asynccontextmanager
async def _bot() -> AsyncIterator[tuple[App, str]]:
    with tempfile.TemporaryDirectory() as folder:
        settings: Settings = settings_in(folder, "base")
        if POSTGRES:
            url = await empty("postgresql", Path(folder))
            settings = settings.model_copy(update={"pupil_database_url": SecretStr(url)})
        async with opened(settings) as app:
            yield app, settings.database_url


async def _size(url: str) -> int:
    """Bytes of the database, its indexes included."""
    if url.startswith("sqlite"):
        file = Path(url.partition(":///")[2])
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.stat().st_size
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.execute(text("CHECKPOINT"))
        found = await connection.scalar(text("SELECT pg_database_size(current_database())"))
    await engine.dispose()
    return int(found or 0)


async def _database_seconds(url: str) -> float | None:
    """Processor seconds of the server's processes that work for this database; None where they are not here."""
    if url.startswith("sqlite"):
        return None
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        own = await connection.scalar(text("SELECT pg_backend_pid()"))
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> :own"
        pids = [row[0] for row in await connection.execute(text(asked), {"own": own})]
    await engine.dispose()
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return None
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


async def main(turns: int, at_onces: list[int]) -> None:
    """Print the figures, for people and as JSON."""
    costs = [await measure(at_once, turns) for at_once in at_onces]
    print("PostgreSQL" if POSTGRES else "SQLite")
    for cost in costs:
        database = "" if cost.database_ms is None else f", of the database {cost.database_ms:.2f} ms"
        print(
            f"{cost.at_once:3} at once, {cost.turns} turns:"
            f" {cost.statements:.1f} statements, {cost.commits:.1f} commits;"
            f" processor {cost.bot_ms:.2f} ms{database}; {cost.kept_bytes:,.0f} bytes kept;"
            f" {cost.prompt_tokens:.0f} tokens asked, {cost.answer_tokens:.1f} answered;"
            f" {cost.per_second:.1f}/s, p50 {cost.p50_ms:.1f} ms, p95 {cost.p95_ms:.1f} ms"
        )
    print(
        f"{costs[-1].at_once} at once of {costs[0].at_once}: {costs[-1].per_second / costs[0].per_second:.2f}"
    )
    print(json.dumps([asdict(cost) for cost in costs]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=600)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8])
    given = parser.parse_args()
    logs.set_up("error")
    asyncio.run(main(given.turns, given.at_once))

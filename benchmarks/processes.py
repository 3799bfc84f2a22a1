"""Bots as processes on one database behind one Slack endpoint: turns a second, statements a turn, and killed at random.

python -m benchmarks.processes                      one, two and four processes, with a model that answers at once
python -m benchmarks.processes kill --seconds 180   four processes, one after another killed (kill -9) at random

Needs PUPIL_TEST_POSTGRES_URL; statements are counted where that server has the extension pg_stat_statements. Slack is
the one of the tests, in this process. Processor time is what lasts where other programs are busy beside it. Exits 1
where a message was lost, answered twice or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import time
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.databases import POSTGRES
from tests.fakes.many_bots import Bots, many_bots

BEAT_SECONDS = 2.0
AT_ONCE = 2
"""Messages in a conversation that are said one behind the other."""


async def measure(kind: str, processes: int, channels: int, messages: int) -> list[str]:
    """A row of the table; gives what is wrong."""
    async with many_bots(kind, processes, channels, beat=BEAT_SECONDS) as bots:
        await bots.begin()
        await _talk(bots, 2, time.monotonic() + 600)  # a first round, for what is made but once
        bots.waits.clear()
        before, spent = await bots.statements(), bots.processor_seconds()
        began, used = time.monotonic(), time.process_time()
        said = await _talk(bots, messages, time.monotonic() + 600, first=2)
        seconds, ours = time.monotonic() - began, time.process_time() - used
        after = await bots.statements()
        by_bots, by_database = (now - then for now, then in zip(bots.processor_seconds(), spent, strict=True))
        faults = await bots.wrong(said)
    turns = channels * messages
    each = "not counted"
    if before and after:
        each = f"{(after[0] - before[0]) / turns:.1f}, {(after[1] - before[1]) / turns:.1f}"
    ranks = statistics.quantiles(bots.waits, n=20)
    print(
        f"| {processes} | {turns / seconds:.1f} | {each} | {statistics.median(bots.waits):.2f} s | "
        f"{ranks[-1]:.2f} s | {1000 * by_bots / turns:.1f}, {1000 * by_database / turns:.1f}, "
        f"{1000 * ours / turns:.1f} ms |",
        flush=True,
    )
    return faults


async def kill(given: argparse.Namespace) -> list[str]:
    """Talk for so long while one after another dies; gives what is wrong."""
    chance, processes = random.Random(given.seed), given.processes[-1]
    async with many_bots(given.database, processes, given.channels, beat=BEAT_SECONDS) as bots:
        await bots.begin()
        killing = asyncio.create_task(bots.kill_at_random(given.every, chance))
        said = await _talk(bots, 10**9, time.monotonic() + given.seconds)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        faults = await bots.wrong(said)
    ranks = statistics.quantiles(bots.waits, n=100)
    print(
        f"{processes} processes, {bots.killed} killed in {given.seconds:.0f} s: {sum(said.values())} messages in "
        f"{given.channels} conversations; p50 {statistics.median(bots.waits):.2f} s, p95 {ranks[94]:.2f} s, "
        f"p99 {ranks[98]:.2f} s, at most {max(bots.waits):.1f} s; wrong: {len(faults)}"
    )
    return faults


async def _talk(bots: Bots, messages: int, until: float, first: int = 0) -> dict[str, int]:
    counts = await asyncio.gather(
        *(
            bots.talk(room, first + messages, until, AT_ONCE, random.Random(number), first=first)
            for number, room in enumerate(bots.slack.rooms)
        )
    )
    return dict(zip(bots.slack.rooms, counts, strict=True))


async def _count_statements() -> None:
    """Have the server count, where it can."""
    engine = create_async_engine(str(POSTGRES), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        with suppress(Exception):
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"))
    await engine.dispose()


async def main(given: argparse.Namespace) -> int:
    """Run what is asked for; the exit status."""
    if given.database == "postgresql":
        if not POSTGRES:
            print("PUPIL_TEST_POSTGRES_URL names no server")
            return 2
        await _count_statements()
    if given.run == "kill":
        faults = await kill(given)
    else:
        print(
            f"{os.cpu_count()} cores, {given.channels} conversations at once, load {os.getloadavg()[0]:.1f}"
        )
        print(
            "| processes | turns a second | statements, transactions a turn | p50 | p95 | "
            "processor time a turn: bots, PostgreSQL, Slack |"
        )
        print("|---|---|---|---|---|---|")
        faults = []
        for processes in given.processes:
            faults += await measure(given.database, processes, given.channels, given.messages)
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", nargs="?", choices=["measure", "kill"], default="measure")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--channels", type=int, default=16, help="conversations at once")
    parser.add_argument("--messages", type=int, default=20, help="in each conversation")
    parser.add_argument("--seconds", type=float, default=180.0, help="of killing")
    parser.add_argument("--every", type=float, default=4.0, help="seconds from one death to the next, about")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    sys.exit(asyncio.run(main(parser.parse_args())))

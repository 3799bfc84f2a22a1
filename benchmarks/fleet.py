"""Three vLLM servers as one engine, all well, and one slow and one dead: how long answers take, and is any missing?

python -m benchmarks.fleet                       500 answers, 12 conversations at once

The servers are those of the tests: an answer takes them 0.1 s, the slow one 3 s, eight at a time; the dead one takes no
connection. What is compared runs one after the other in this process. Exits 1 where an answer is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from contextlib import AsyncExitStack

from bot import logs
from bot.models.engines.base import EngineError, Sampling
from bot.models.engines.fleet import Fleet
from tests.fakes.vllm_server import VllmServer

SECONDS, SLOW_SECONDS, AT_ONCE = 0.1, 3.0, 8
SAID = [{"role": "user", "content": "What is 52 minus 17?"}]
DRAWN = Sampling(max_tokens=12, temperature=0.5)


async def measure(name: str, answers: int, conversations: int, *, slow: bool, dead: bool) -> int:
    """A row of the table; gives how many answers are missing."""
    waits: list[float] = []
    missing = 0

    async def talk(number: int) -> None:
        nonlocal missing
        for _ in range(answers // conversations):
            began = time.monotonic()
            try:
                await fleet.complete(SAID, DRAWN, conversation=str(number))
            except EngineError:
                missing += 1
            waits.append(time.monotonic() - began)

    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(VllmServer()) for _ in range(3)]
        for each in servers:
            each.seconds, each.at_once = SECONDS, AT_ONCE
        fleet = await Fleet.start([each.url for each in servers])
        stack.push_async_callback(fleet.aclose)
        if slow:
            servers[0].seconds = SLOW_SECONDS
        if dead:
            await servers[1].__aexit__()
        began = time.monotonic()
        await asyncio.gather(*map(talk, range(conversations)))
        seconds = time.monotonic() - began
        asked = sum(len(each.chats) for each in servers)
    ranks = statistics.quantiles(waits, n=100)
    print(
        f"| {name} | {len(waits) / seconds:.0f} | {statistics.median(waits):.2f} s | {ranks[94]:.2f} s | "
        f"{ranks[98]:.2f} s | {max(waits):.2f} s | {asked / len(waits):.2f} | {missing} |",
        flush=True,
    )
    return missing


async def main(answers: int, conversations: int) -> int:
    """Run it; the exit status."""
    print("| servers | answers a second | p50 | p95 | p99 | at most | asked for each | missing |")
    print("|---|---|---|---|---|---|---|---|")
    missing = await measure("three", answers, conversations, slow=False, dead=False)
    missing += await measure("one of them slow", answers, conversations, slow=True, dead=False)
    missing += await measure("one slow, one dead", answers, conversations, slow=True, dead=True)
    return 1 if missing else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=int, default=500)
    parser.add_argument("--conversations", type=int, default=12, help="at once")
    given = parser.parse_args()
    logs.set_up("error")
    sys.exit(asyncio.run(main(given.answers, given.conversations)))

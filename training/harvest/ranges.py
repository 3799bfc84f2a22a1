"""The log in ranges of conversations, each read and judged by itself: one after another, or side by side in processes.

What comes of a range is the same wherever it is judged, and comes in the log's order. What depends on other ranges
(near-duplicates, the cap for one teacher) is `harvest`'s.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.store import Store
from training.harvest.filters import Kept, Reason, Rules
from training.harvest.sittings import Sitting, sittings

LONGEST = 500
"""Conversations in one range: some thousand turns."""
AHEAD = 2
"""Ranges for each process that are under way or wait to be taken: bounds the memory."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A sitting with what the rules say of each of its exchanges, or of it all. `rating` is its conversation's."""

    sitting: Sitting
    reason: Reason | None
    exchanges: Sequence[Kept | Reason]
    rating: float | None


@dataclass(frozen=True, slots=True)
class Judge:
    """All that it takes to judge a sitting by itself; it can be handed to another process."""

    rules: Rules
    ratings: Mapping[int, float]
    now: datetime
    settled: timedelta

    def judge(self, sitting: Sitting) -> Judged:
        """What the rules say of it."""
        turns = sitting.turns
        rating = self.ratings.get(turns[0].turn.conversation_id)
        if self.now - turns[-1].turn.said_at < self.settled:
            return Judged(sitting, Reason.RUNNING, (), rating)
        if reason := self.rules.sitting(sitting):
            return Judged(sitting, reason, (), rating)
        return Judged(sitting, None, self.rules.exchanges(sitting), rating)


async def in_line(
    store: Store, ranges: Sequence[Sequence[int]], judge: Judge
) -> AsyncGenerator[Judged, None]:
    """Judge the conversations of these ranges one after another."""
    for within in ranges:
        async for sitting in sittings(store.turns_stream(forgotten=True, within=within)):
            yield judge.judge(sitting)


async def side_by_side(
    url: str, ranges: Sequence[Sequence[int]], judge: Judge, processes: int
) -> AsyncGenerator[Judged, None]:
    """The same by so many processes, each with a connection of its own that only reads."""
    loop, waiting = asyncio.get_running_loop(), iter(ranges)
    # Not forked: connections and threads of this process are not theirs.
    started = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, started, _begin, (url, judge)) as pool:
        under_way: deque[asyncio.Future[list[Judged]]] = deque()
        try:
            for within in itertools.islice(waiting, AHEAD * processes):
                under_way.append(loop.run_in_executor(pool, _range, within))
            while under_way:
                for judged in await under_way.popleft():
                    yield judged
                for within in itertools.islice(waiting, 1):
                    under_way.append(loop.run_in_executor(pool, _range, within))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Worker:
    """What a process that judges ranges holds, from its beginning to its end."""

    loop: asyncio.Runner
    store: Store
    judge: Judge


_worker: _Worker


def _begin(url: str, judge: Judge) -> None:
    global _worker  # noqa: PLW0603 - set once, when the process begins
    loop = asyncio.Runner()
    _worker = _Worker(loop, loop.run(Store.open(url, read_only=True)), judge)


def _range(within: Sequence[int]) -> list[Judged]:
    async def read() -> list[Judged]:
        return [judged async for judged in in_line(_worker.store, [within], _worker.judge)]

    return _worker.loop.run(read())


def cut(ids: Sequence[int]) -> list[Sequence[int]]:
    """Ranges of these conversations, in order."""
    return [ids[first : first + LONGEST] for first in range(0, len(ids), LONGEST)]

"""Replies per second: eight conversations at once against one after another, and what the classroom keeps of
the bare engine's pace. Run: python -m benchmarks.throughput [--turns 6] [--rounds 2]

Each pass starts a fresh engine with a fresh practice log and reads the prompt's opening into every slot, as
the bot does at start, so that no pass finds another one's prompt cache. Every other round goes backwards: a machine
that becomes slower or faster meanwhile then does so for all four.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.fresh import settings_in
from bot import logs
from bot.app import App, opened, warm_up
from bot.config import load
from bot.messages import Message
from bot.models.engines.base import Completion, Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import served_gguf
from bot.replay import Silent
from bot.student.voicing.prompt import OPENING

AT_ONCE = 8
Request = tuple[list[Any], Sampling, int]
CONVERSATION: ContextVar[str] = ContextVar("conversation")
SEVERAL = LlamaCppEngine.several


async def main(turns: int, rounds: int) -> None:
    """Run the four passes, `rounds` times, and print their pace."""
    rows = rows_of(turns)
    replies = rounds * sum(len(row["turns"]) for row in rows)
    requests: dict[str, list[Request]] = defaultdict(list)
    passes: list[Callable[[], Awaitable[float]]] = [
        lambda: _classroom(rows, at_once=1, requests=None if requests else requests),
        lambda: _classroom(rows, at_once=AT_ONCE, requests=None),
        lambda: _engine(requests, at_once=1),
        lambda: _engine(requests, at_once=AT_ONCE),
    ]
    seconds = [0.0] * len(passes)
    for turn in range(rounds):
        order = range(len(passes))
        for place in reversed(order) if turn % 2 else order:
            seconds[place] += await passes[place]()
    one, eight, engine_one, engine_eight = seconds
    print(f"{len(rows)} conversations of {turns} turns, {rounds} rounds, {replies} replies of each kind")
    print(f"classroom  one after another {replies / one:6.2f}/s   {AT_ONCE} at once {replies / eight:6.2f}/s"
          f"   ratio {one / eight:.2f}")  # fmt: skip
    print(f"engine     one after another {replies / engine_one:6.2f}/s   {AT_ONCE} at once"
          f" {replies / engine_eight:6.2f}/s   ratio {engine_one / engine_eight:.2f}")  # fmt: skip
    print(f"the classroom keeps {engine_one / one:.2f} of the engine one after another,"
          f" {engine_eight / eight:.2f} at {AT_ONCE} at once")  # fmt: skip


def rows_of(turns: int) -> list[dict[str, Any]]:
    """Conversations of the practice file, cut to so many turns."""
    lines = Path("data/practice/teachers.jsonl").read_text(encoding="utf-8").splitlines()
    # Three times as many as at once: the last ones, which run with empty places beside them, count little.
    rows = [json.loads(line) for line in lines[: 3 * AT_ONCE]]
    return [{**row, "turns": row["turns"][:turns]} for row in rows]


async def _classroom(
    rows: list[dict[str, Any]], *, at_once: int, requests: dict[str, list[Request]] | None
) -> float:
    """Seconds for all conversations through the classroom; the engine's requests go into `requests`."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(settings_in(folder, "base")) as app:
            await warm_up(app)
            if requests is not None:
                _record(requests)
            gate = asyncio.Semaphore(at_once)

            async def conversation(row: dict[str, Any]) -> None:
                async with gate:
                    await talk(app, row)

            seconds = await _timed(lambda: asyncio.gather(*map(conversation, rows)))
            LlamaCppEngine.several = SEVERAL  # type: ignore[method-assign]
            return seconds


async def talk(app: App, row: dict[str, Any], until: float = math.inf) -> list[tuple[float, str]]:
    """Hold one conversation, or break it off at a time of `perf_counter`; the seconds and the kind of each reply."""
    CONVERSATION.set(row["id"])
    conversation = await app.store.conversation("bench", row["id"], None)
    await app.store.update_conversation(conversation.id, child=row["child"], lesson=row["lesson"])
    taken = []
    for text in row["turns"]:
        if (began := time.perf_counter()) > until:
            break
        key = f"bench:{uuid.uuid4()}"
        message = Message(key, "bench", row["id"], None, "bench", text, datetime.now(UTC))
        answer = await app.classroom.receive(message, Silent())
        taken.append((time.perf_counter() - began, (answer and answer.voiced) or "none"))
    return taken


def _record(requests: dict[str, list[Request]]) -> None:
    """Keep what the classroom asks the engine; its worker inherits the conversation's context."""

    async def several(
        self: LlamaCppEngine, messages: Any, sampling: Sampling, count: int, **more: Any
    ) -> tuple[Completion, ...]:
        requests[CONVERSATION.get()].append((list(messages), sampling, count))
        return await SEVERAL(self, messages, sampling, count, **more)

    LlamaCppEngine.several = several  # type: ignore[method-assign]


async def _engine(requests: dict[str, list[Request]], *, at_once: int) -> float:
    """Seconds for the same requests put to the engine directly."""
    settings = load()
    engine = await LlamaCppEngine.start(
        served_gguf(settings), slots=settings.engine.slots, context=settings.engine.context
    )
    await engine.remember([asdict(message) for message in OPENING])
    gate = asyncio.Semaphore(at_once)

    async def conversation(name: str) -> None:
        async with gate:
            for messages, sampling, count in requests[name]:
                await engine.several(messages, sampling, count, conversation=name)

    try:
        return await _timed(lambda: asyncio.gather(*map(conversation, requests)))
    finally:
        await engine.aclose()


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=6, choices=range(1, 7))
    parser.add_argument("--rounds", type=int, default=2, choices=range(1, 10))
    arguments = parser.parse_args()
    logs.set_up("error")
    asyncio.run(main(arguments.turns, arguments.rounds))

"""The bot's own time per message beyond the model's, and the peak memory of `ask`. Run: python -m benchmarks.reply

The model here answers at once with the thought's plain words, so that what is left is the bot's own:
claim, queue, hearing, mind, prompt, voice, sending to nobody, and the log on disk.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.fresh import settings_in
from bot import logs
from bot.app import opened
from bot.messages import Message
from bot.models.base import Reply
from bot.replay import Silent
from bot.student.records.cue import Cue
from bot.student.voicing.prompt import meaning, render


class InstantModel:
    """Renders the prompt as any model would, then says the plain thought."""

    name = "base"
    version = "instant"

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:  # noqa: ARG002 - the contract's name
        """The thought itself, at no cost."""
        render(cue)
        return Reply(meaning(cue.thought), 0, 0, None, 0.0)

    async def aclose(self) -> None:
        """Nothing is held."""


async def own_times() -> list[float]:
    """Milliseconds per message over 50 conversations of 6 turns, one after another."""
    rows = [json.loads(line) for line in Path("data/practice/teachers.jsonl").read_text("utf-8").splitlines()]
    times = []
    with tempfile.TemporaryDirectory() as folder:
        async with opened(settings_in(folder, "base")) as app:
            app.models.put(InstantModel())
            for row in rows:
                conversation = await app.store.conversation("bench", row["id"], None)
                await app.store.update_conversation(conversation.id, child=row["child"], lesson=row["lesson"])
                for text in row["turns"]:
                    key = f"bench:{uuid.uuid4()}"
                    message = Message(key, "bench", row["id"], None, "bench", text, datetime.now(UTC))
                    started = time.perf_counter()
                    await app.classroom.receive(message, Silent())
                    times.append((time.perf_counter() - started) * 1000)
    return times


def peak_of_ask() -> float:
    """Peak resident memory, in MiB, of one `ask` in a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "bot", "ask", "--seed", "7", "What is 52 minus 17?"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Print the figures."""
    logs.set_up("error")
    peak = peak_of_ask()
    times = asyncio.run(own_times())
    ranks = statistics.quantiles(times, n=20)
    print(
        f"{len(times)} messages: the bot's own time p50 {statistics.median(times):.1f} ms, p95 {ranks[-1]:.1f} ms"
    )
    print(f"peak memory of ask: {peak:.0f} MiB")


if __name__ == "__main__":
    main()

"""Replies a second of the engine alone: a server for each core beside one server with a thread for each core, which
serves the package's weights as they are; one after another and eight at once, with and without a process that burns
a core meanwhile. Run: python -m benchmarks.pool [--conversations 16] [--turns 4] [--rounds 1] [--limit 60]

All says the starter, on golden conversations. Each pass starts a fresh engine and lets it read the prompt's opening, as
the bot does at start, so that no pass finds another one's prompt cache; every other round goes backwards. What takes
longer than `--limit` seconds is cut off: then the replies so far count.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bot import logs
from bot.app import read_data
from bot.config import Settings, load
from bot.models import catalogue, lora
from bot.models.embedded import EmbeddedModel
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import embedded_gguf, served_gguf
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue
from bot.student.voicing.prompt import OPENING
from training.methods.rendering import cues

AT_ONCE = 8
DESIGNS = ("one server", "pool")

Case = tuple[bool, int]
"""Whether a core is burnt, and how many conversations there are at once."""


@dataclass(slots=True)
class Pace:
    """What one design did in one case."""

    seconds: float = 0.0
    replies: list[float] = field(default_factory=list)
    """Seconds each took."""
    prompt: int = 0
    cached: int = 0

    def __str__(self) -> str:
        if not self.replies:
            return f"none in {self.seconds:.0f} s"
        return (
            f"{self.rate:5.2f}/s, a reply in {statistics.median(self.replies):5.2f} s,"
            f" {(self.prompt - self.cached) / len(self.replies):4.0f} new tokens"
        )

    @property
    def rate(self) -> float:
        """Replies a second."""
        return len(self.replies) / self.seconds


async def main(conversations: int, turns: int, rounds: int, limit: float) -> None:
    """Run every case with both designs and print what they did."""
    settings = load()
    talks = _talks(settings, conversations, turns)
    paces: dict[tuple[Case, str], Pace] = defaultdict(Pace)
    cases = [(burnt, at_once) for burnt in (False, True) for at_once in (1, AT_ONCE)]
    passes = [(case, design) for case in cases for design in DESIGNS]
    for number in range(rounds):
        for case, design in reversed(passes) if number % 2 else passes:
            await _pass(settings, design, case, talks, limit, paces[case, design])
    print(f"{len(talks)} conversations of {turns} turns, {rounds} rounds, {os.cpu_count()} cores")
    for case in cases:
        before, after = (paces[case, design] for design in DESIGNS)
        where = "beside a busy process" if case[0] else "alone on the machine"
        print(f"{where}, {case[1]} at once")
        for design, pace in zip(DESIGNS, (before, after), strict=True):
            print(f"  {design:10} {pace}")
        if before.replies:
            print(f"  ratio {after.rate / before.rate:.2f}")


def _talks(settings: Settings, conversations: int, turns: int) -> list[list[Cue]]:
    children, curriculum = read_data(settings)
    lines = (settings.data / "dialogues" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        dialogue = Dialogue.from_line(line)
        asked = [cue for cue, _ in cues(dialogue, children, curriculum.lessons)][:turns]
        if len(asked) == turns:
            found.append([replace(cue, conversation=dialogue.id) for cue in asked])
    return found[:conversations]


async def _pass(  # noqa: PLR0913 - what a pass is
    settings: Settings, design: str, case: Case, talks: Sequence[Sequence[Cue]], limit: float, pace: Pace
) -> None:
    burnt, at_once = case
    adapter = _adapter(settings)
    pooled = design == "pool"
    engine = await LlamaCppEngine.start(
        served_gguf(settings) if pooled else embedded_gguf(),
        slots=settings.engine.slots,
        context=settings.engine.context,
        threads=None if pooled else os.cpu_count(),
        adapters=[adapter] if adapter else [],
    )
    try:
        await engine.remember([asdict(message) for message in OPENING], adapter=adapter)
        model = EmbeddedModel("bench", "1", engine, temperature=settings.engine.temperature, adapter=adapter)
        gate = asyncio.Semaphore(at_once)

        async def conversation(talk: Sequence[Cue]) -> None:
            async with gate:
                for cue in talk:
                    began = time.perf_counter()
                    await model.reply(cue, seed=7)
                    pace.replies.append(time.perf_counter() - began)

        with burning() if burnt else contextlib.nullcontext():
            began = time.perf_counter()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    await asyncio.gather(*map(conversation, talks))
            pace.seconds += time.perf_counter() - began
        pace.prompt += engine.load.prompt_tokens
        pace.cached += engine.load.cached_tokens
    finally:
        await engine.aclose()


def _adapter(settings: Settings) -> Path | None:
    models = settings.data / "models"
    promoted = catalogue.promotions(models, "starter")
    return models / "starter" / promoted[0].version / lora.GGUF if promoted else None


@contextlib.contextmanager
def burning() -> Iterator[None]:
    """A process that keeps a core busy meanwhile."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=16)
    parser.add_argument("--turns", type=int, default=4, choices=range(1, 8))
    parser.add_argument("--rounds", type=int, default=1, choices=range(1, 10))
    parser.add_argument("--limit", type=float, default=60.0)
    logs.set_up("error")
    asyncio.run(main(**vars(parser.parse_args())))

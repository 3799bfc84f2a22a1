"""The embedded model as a `StudentModel`: a cue rendered for the engine that was picked.

It knows the engine and the prompt. Which model a channel uses is the registry's business.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict
from pathlib import Path

from bot.models.base import ModelUnavailable, Reply
from bot.models.engines.base import Engine, EngineError, Sampling
from bot.student.records.cue import Cue
from bot.student.voicing.prompt import meaning, render

TOKENS_PER_WORD = 2.2
"""Enough for a child's words and numbers in this tokenizer; the voice cuts what is over."""
ROOM, OPEN_ROOM = 8, 16
"""Tokens beyond that; who says it in its own words may need a few more to end."""
MIN_P = 0.2
AGAIN_TEMPERATURE = 0.1
OPEN_MIN_P = 0.1
"""Where the words are its own, it may take less likely ones: else all talk is of the same few things."""


class EmbeddedModel:
    """The engine under a name: the untrained model, or the version whose adapter is put on it.

    Closing it leaves the engine to its owner, without the adapter.
    """

    def __init__(
        self,
        name: str,
        version: str,
        engine: Engine,
        *,
        temperature: float,
        adapter: Path | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self._engine = engine
        self._temperature = temperature
        self.adapter = adapter

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        """Say the cue's thought; raise `ModelUnavailable` when the engine cannot."""
        [reply] = await self.several(cue, 1, seed=seed)
        return reply

    async def several(self, cue: Cue, count: int, *, seed: int | None) -> tuple[Reply, ...]:
        """Say the cue's thought in up to `count` ways; raise `ModelUnavailable` when the engine cannot."""
        started = time.perf_counter()
        words = max(cue.thought.words, len(meaning(cue.thought).split()))
        sampling = Sampling(
            max_tokens=round(words * TOKENS_PER_WORD) + (OPEN_ROOM if cue.thought.open else ROOM),
            temperature=self._temperature_for(cue),
            min_p=OPEN_MIN_P if cue.thought.open else MIN_P,
            seed=seed,
            stop=("\n",),
        )
        try:
            done = await self._engine.several(
                [asdict(message) for message in render(cue)],
                sampling,
                count,
                adapter=self.adapter,
                conversation=cue.conversation,
            )
        except EngineError as error:
            raise ModelUnavailable(f"{self.name}: {error}") from None
        latency = (time.perf_counter() - started) * 1000
        return tuple(
            Reply(
                text=each.text,
                prompt_tokens=each.prompt_tokens,
                completion_tokens=each.completion_tokens,
                cost_usd=None,
                latency_ms=latency,
                likelihood=each.likelihood,
            )
            for each in done
        )

    def _temperature_for(self, cue: Cue) -> float:
        if cue.again:
            return min(self._temperature, AGAIN_TEMPERATURE)
        return self._temperature

    async def aclose(self) -> None:
        """Let the engine forget the adapter; the rest of it is shared."""
        if self.adapter is not None:
            await self._engine.drop_adapter(self.adapter)


def gguf_version(gguf: Path) -> str:
    """The file's name and the start of a checksum over its size, head and tail: cheap, and enough to tell
    two files apart in a log."""
    size = gguf.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with gguf.open("rb") as file:
        digest.update(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        digest.update(file.read())
    return f"{gguf.stem}-{digest.hexdigest()[:8]}"

"""The base model and its adapters on the processor, by llama.cpp in this process: for each of them servers of its own.

A server for each core, with one thread each. Threads that share a server wait for each other at every step, spinning:
where another process takes one of the cores, all of them wait for the one that does not run, and a reply takes five
to ten times as long. Servers of one thread wait for nobody. It knows adapters' files, messages and seeds; it must
not know of children, versions or platforms.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bot.health import start
from bot.models.engines.base import Completion, Engine, EngineError, Load, Messages, Sampling
from bot.models.engines.llama_pool import Pool
from bot.models.engines.llama_server import Shape, take_signals_back
from bot.models.engines.weights import check_gguf

MOST_SERVERS = 8
"""For one voice: each takes memory, and eight write a dozen replies a second."""
AT_ONCE = 4
"""Answers one thread works on side by side: two or three gain little, four are written at half the price of each."""
PROMPTS_MIB = 128
"""For each slot of a server, up to `MOST_PROMPTS_MIB` for all: there wait the prompts of conversations that lost their
slot, with about 10 MiB each."""
MOST_PROMPTS_MIB = 256


class LlamaCppEngine:
    """One GGUF file being served, and the adapters that can be put on it. Make it with `start`, close it with `aclose`.

    A voice, the base model's or an adapter's, has a `Pool` of its own: one comes and goes without the others. The
    weights are in memory once, mapped from the file.
    """

    def __init__(self, shape: Shape, count: int) -> None:
        self._shape = shape
        self._count = count
        self._pools: dict[Path | None, Pool] = {}
        self._loading = threading.Lock()
        self._draining: set[asyncio.Task[None]] = set()
        self._prompt_tokens = self._cached_tokens = 0
        self._closed = False

    @classmethod
    async def start(
        cls,
        gguf: Path,
        *,
        slots: int = 4,
        context: int = 2048,
        threads: int | None = None,
        adapters: Sequence[Path] = (),
    ) -> LlamaCppEngine:
        """Load `gguf` with `adapters`, or without any; raise `EngineError` when it cannot be.

        At most `slots` answers are worked on at once, with `context` tokens for each. With `threads` it is one server
        with so many threads for each voice, without, one of one thread for every core. Without an adapter it answers
        always, only the first time it has to be loaded then.
        """
        check_gguf(gguf)
        count, each = _arranged(slots, threads)
        prompts = min(each * PROMPTS_MIB, MOST_PROMPTS_MIB)
        engine = cls(Shape(gguf, each, context, threads or 1, prompts), count)
        try:
            for adapter in adapters or (None,):
                await engine._load(adapter)
        except BaseException:
            await engine.aclose()
            raise
        return engine

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The adapters that `complete` can put on the model."""
        return tuple(adapter for adapter in self._pools if adapter is not None)

    @property
    def load(self) -> Load:
        """What the servers have to do, and what their memory of prompts spared them."""
        waiting = [each for pool in list(self._pools.values()) for each in pool.waiting]
        return Load(tuple(waiting), self._prompt_tokens, self._cached_tokens)

    async def complete(
        self, messages: Messages, sampling: Sampling, *, adapter: Path | None = None, conversation: str = ""
    ) -> Completion:
        """The model's next message. Cancelling the call stops the generation at the next token."""
        [done] = await self.several(messages, sampling, 1, adapter=adapter, conversation=conversation)
        return done

    async def several(
        self,
        messages: Messages,
        sampling: Sampling,
        count: int,
        *,
        adapter: Path | None = None,
        conversation: str = "",
    ) -> tuple[Completion, ...]:
        """Up to `count` next messages on the server that serves the conversation."""
        done = await (await self._pool(adapter)).several(messages, sampling, count, conversation)
        self._prompt_tokens += done[0].prompt_tokens
        self._cached_tokens += done[0].cached_tokens
        return done

    async def remember(self, messages: Messages, *, adapter: Path | None = None) -> None:
        """Read `messages` into every slot of a voice, so that no conversation that begins with them waits for it."""
        await (await self._pool(adapter)).remember(messages)

    async def add_adapter(self, adapter: Path, proof: Callable[[Engine], Awaitable[object]]) -> None:
        """Serve `adapter`, too, if `proof` finds nothing against it. Nobody else notices."""
        await self._load(adapter)
        try:
            await proof(self)
        except BaseException:
            await self.drop_adapter(adapter)
            raise

    async def drop_adapter(self, adapter: Path) -> None:
        """Free what `adapter` takes as soon as what was asked of it is written."""
        pool = self._pools.pop(adapter, None)
        if pool is not None:
            draining = start(asyncio.to_thread(pool.drain), f"closing the adapter {adapter.parent.name}")
            self._draining.add(draining)
            draining.add_done_callback(self._draining.discard)

    async def aclose(self) -> None:
        """Stop what is being generated and free the model."""
        self._closed = True
        await asyncio.to_thread(self._close)
        await asyncio.gather(*self._draining)

    async def _pool(self, adapter: Path | None) -> Pool:
        pool = self._pools.get(adapter)
        if pool is not None:
            return pool
        if adapter is not None and not self._closed:
            raise EngineError(f"the adapter {adapter.parent.name} is no longer loaded")
        return await self._load(None)

    async def _load(self, adapter: Path | None) -> Pool:
        try:
            return await asyncio.to_thread(self._loaded, adapter)
        finally:
            take_signals_back()

    def _loaded(self, adapter: Path | None) -> Pool:
        with self._loading:
            if self._closed:
                raise EngineError("the engine is closed")
            if adapter not in self._pools:
                self._pools[adapter] = Pool.load(self._shape, self._count, adapter)
            return self._pools[adapter]

    def _close(self) -> None:
        with self._loading:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()


def places(slots: int, threads: int | None) -> tuple[int, int]:
    """How many answers a voice works on at once with these settings of `LlamaCppEngine.start`, and how many of them
    have a server to themselves."""
    count, each = _arranged(slots, threads)
    return count * each, count


def _arranged(slots: int, threads: int | None) -> tuple[int, int]:
    """How many servers there are for a voice, and slots in each."""
    if threads:
        return 1, slots
    count = min(_usable_cores(), MOST_SERVERS, slots)
    return count, min(AT_ONCE, slots // count)


def _usable_cores() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return usable or 1

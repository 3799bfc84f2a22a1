"""llama.cpp's own server, in this process, on one GGUF file: continuous batching and prompt cache.

It knows messages, tokens and seeds. It knows nothing of children, thoughts or platforms.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.models.engines.base import Completion, Engine, EngineError, Messages, Sampling
from bot.models.engines.weights import check_gguf

MOST_THREADS = 8
"""A small model's steps are too short to share among more."""
PROMPT_CACHE_MIB = 256
"""Prompts of conversations that lost their slot wait here: about 11,000 tokens of a 135M model."""


FIRST_WORD = ([{"role": "user", "content": "Hi."}], Sampling(max_tokens=1, temperature=0.0))
"""The shortest request there is."""


def default_threads() -> int:
    """One for each core that this process may use, at most `MOST_THREADS`. On a machine that is busy with other
    things fewer are faster: llama.cpp's threads wait for each other at every step, so one busy core holds all of
    them up."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, MOST_THREADS)


class LlamaCppEngine:
    """One GGUF file being served, with the adapters that can be put on it. Make it with `start`; close it
    with `aclose`.

    llama.cpp takes adapters only when it loads: `change_adapters` loads a second server beside the first,
    and the first one goes when it has answered what it was asked.
    """

    def __init__(self, served: _Served) -> None:
        self._served = served
        self._changing = asyncio.Lock()
        self._draining: set[asyncio.Task[None]] = set()
        self._dropped: set[Path] = set()
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
        """Load `gguf` with `context` tokens for each of `slots`; raise `EngineError` when it cannot."""
        check_gguf(gguf)
        return cls(await _Served.load(gguf, slots, context, threads or default_threads(), tuple(adapters)))

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The adapters that `complete` can put on the model."""
        return self._served.adapters

    async def complete(
        self, messages: Messages, sampling: Sampling, *, adapter: Path | None = None
    ) -> Completion:
        """The model's next message. Cancelling the call stops the generation at the next token."""
        return await self._served.complete(messages, sampling, adapter)

    async def remember(self, messages: Messages, *, adapter: Path | None = None) -> None:
        """Read `messages` into every slot, so that no conversation that begins with them waits for it.

        What was read with an adapter is of no use with another one.
        """
        shortest = Sampling(max_tokens=1, temperature=0.0)
        aside = replace(shortest, aside=True)
        await asyncio.gather(
            self.complete(messages, aside, adapter=adapter),
            *(self.complete(messages, shortest, adapter=adapter) for _ in range(self._served.slots)),
        )

    async def add_adapter(self, adapter: Path, proof: Callable[[Engine], Awaitable[object]]) -> None:
        """Serve `adapter`, too, if `proof` finds nothing against it; see `change_adapters`."""
        held = [path for path in self.adapters if path not in self._dropped and path.is_file()]
        await self.change_adapters((*held, adapter), proof)
        self._dropped &= set(self.adapters)

    async def drop_adapter(self, adapter: Path) -> None:
        """Leave `adapter` out at the next change; a change for that alone would cost a second."""
        self._dropped.add(adapter)

    async def change_adapters(
        self, adapters: Sequence[Path], proof: Callable[[LlamaCppEngine], Awaitable[object]]
    ) -> None:
        """Serve `adapters` from now on, if `proof` finds nothing against an engine that has them.

        What is being written is finished on the adapters it began with. Where loading or `proof` fails,
        nothing changes. Raise `EngineError`, or what `proof` raises.
        """
        async with self._changing:
            if self._closed:
                raise EngineError("the engine is closed")
            old = self._served
            fresh = LlamaCppEngine(
                await _Served.load(old.gguf, old.slots, old.context, old.threads, tuple(adapters))
            )
            try:
                await proof(fresh)
            except BaseException:
                await fresh.aclose()
                raise
            self._served = fresh._served
            draining = asyncio.create_task(old.drain())
            self._draining.add(draining)
            draining.add_done_callback(self._draining.discard)

    async def aclose(self) -> None:
        """Stop what is being generated and free the model."""
        async with self._changing:
            self._closed = True
            await self._served.aclose()
            await asyncio.gather(*self._draining)


class _Served:
    """One of llama.cpp's servers, and the threads that wait for its answers."""

    def __init__(
        self, server: Any, gguf: Path, shape: tuple[int, int, int], adapters: tuple[Path, ...]
    ) -> None:
        self.gguf = gguf
        self.slots, self.context, self.threads = shape
        self.adapters = adapters
        self._server = server
        # A request in flight holds one thread, blocked outside the interpreter lock.
        self._pool = ThreadPoolExecutor(self.slots + 1, thread_name_prefix="llama")
        self._stopping = threading.Event()

    @classmethod
    async def load(
        cls, gguf: Path, slots: int, context: int, threads: int, adapters: tuple[Path, ...]
    ) -> _Served:
        """Load the model; raise `EngineError` when it cannot."""
        try:
            server = await asyncio.to_thread(_load, gguf, slots, context, threads, adapters)
            # Freed before its loop runs, a server waits for that loop for ever; an answer says that it runs.
            await asyncio.to_thread(_generate, server, _request(*FIRST_WORD), lambda: False)
        except RuntimeError:
            on_it = f" with {len(adapters)} adapters" if adapters else ""
            raise EngineError(f"{gguf}: llama.cpp cannot load it{on_it}; is the file whole?") from None
        finally:
            _take_signals_back()
        return cls(server, gguf, (slots, context, threads), adapters)

    async def complete(self, messages: Messages, sampling: Sampling, adapter: Path | None) -> Completion:
        cancelled = threading.Event()

        def stop() -> bool:
            return cancelled.is_set() or self._stopping.is_set()

        if self._stopping.is_set():
            raise EngineError("the engine is closed")
        if adapter is not None and adapter not in self.adapters:
            raise EngineError(f"the adapter {adapter.parent.name} is no longer loaded")
        request = _request(messages, sampling)
        if sampling.aside:
            request["id_slot"] = self.slots
        if self.adapters:
            # Every adapter, each time: what is not named keeps the scale it was loaded with.
            request["lora"] = [
                {"id": place, "scale": float(path == adapter)} for place, path in enumerate(self.adapters)
            ]
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, _generate, self._server, request, stop)
        finally:
            cancelled.set()

    async def drain(self) -> None:
        """Finish what is being generated, then free the model."""
        await asyncio.to_thread(self._pool.shutdown, wait=True)
        await self.aclose()

    async def aclose(self) -> None:
        self._stopping.set()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        # The last reference goes in a worker thread: freeing waits for llama.cpp's own loop.
        last, self._server = _Last(self._server), None
        await asyncio.to_thread(last.drop)


class _Last:
    def __init__(self, held: Any) -> None:
        self.held = held

    def drop(self) -> None:
        self.held = None


def _load(gguf: Path, slots: int, context: int, threads: int, adapters: tuple[Path, ...]) -> Any:
    import xllamacpp  # noqa: PLC0415 - heavy: loaded when an engine starts

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_parallel = slots + 1  # the last one for what is asked aside
    params.n_ctx = params.n_parallel * context
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # Waiting threads sleep: spinning, they take the core that the other one (or the bot itself) needs.
    params.cpuparams.poll = 0
    params.cpuparams_batch.poll = 0
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(path), 0.0) for path in adapters]
    params.verbosity = -1
    # llama.cpp also opens an HTTP port on loopback; nobody but us is to use it.
    params.api_keys = [secrets.token_hex(32)]
    params.ui = False
    params.endpoint_slots = False
    return xllamacpp.Server(params)


def _take_signals_back() -> None:
    """llama.cpp takes SIGINT and SIGTERM for itself when it loads; the program needs them."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if handler is not None:
            signal.signal(number, handler)


def _request(messages: Messages, sampling: Sampling) -> dict[str, Any]:
    request: dict[str, Any] = {
        "messages": [dict(message) for message in messages],
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_k": 0,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "stop": list(sampling.stop),
        "cache_prompt": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if sampling.seed is not None:
        request["seed"] = sampling.seed
    return request


def _generate(server: Any, request: dict[str, Any], stopped: Callable[[], bool]) -> Completion:
    """Run one request to its end on a worker thread. Streaming is how llama.cpp lets us stop early."""
    if stopped():
        raise EngineError("the engine is closing")
    texts: list[str] = []
    usage: dict[str, Any] = {}
    failure: list[str] = []

    def take(chunk: dict[str, Any]) -> bool:
        if "choices" not in chunk:
            failure.append(str(chunk.get("message") or chunk.get("error") or "no reason given"))
            return True
        for choice in chunk["choices"]:
            texts.append(choice.get("delta", {}).get("content") or "")
        usage.update(chunk.get("usage") or {})
        return stopped()

    server.handle_chat_completions(request, take)
    if failure:
        raise EngineError(f"llama.cpp refused the request: {failure[0]}")
    details = usage.get("prompt_tokens_details") or {}
    return Completion(
        text="".join(texts),
        prompt_tokens=int(usage.get("prompt_tokens", 0)),
        cached_tokens=int(details.get("cached_tokens", 0)),
        completion_tokens=int(usage.get("completion_tokens", 0)),
    )

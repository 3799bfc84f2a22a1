"""One of llama.cpp's servers in this process: one GGUF file, at most one adapter, and the prompts it has read.

A server answers in slots; each holds what it read last, and what it loses goes to memory for when that conversation
comes back. It knows messages, tokens and seeds. It must not know of other servers, of children or platforms.
"""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.models.engines.base import Completion, EngineError, Messages, Sampling

SAME_PROMPT = 0.95
"""What a slot holds is swapped for what is in memory unless it is so much of the new prompt. Conversations share more
than half of theirs, which llama.cpp would take for one that goes on."""
SPARE = 3
"""Slots that no conversation speaks in: there llama.cpp writes the second to fourth of several answers, since it takes
the free slots with the lowest numbers. Four written side by side take twice as long as one: it multiplies four rows at
a time."""
FIRST_WORD = ([{"role": "user", "content": "Hi."}], Sampling(max_tokens=1, temperature=0.0))
"""The shortest request there is."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a server is built: so many `slots` of `context` tokens each, and `cache_mib` for prompts without a slot."""

    gguf: Path
    slots: int
    context: int
    threads: int
    cache_mib: int


class Server:
    """Make it with `load`, end it with `drain`: both block. Any thread may call any of it.

    An adapter is on the whole server: what was read with one is of no use with another, and llama.cpp's memory of
    prompts does not tell them apart.
    """

    def __init__(self, compiled: Any, shape: Shape) -> None:
        self.slots = shape.slots
        self._compiled = compiled
        # A request in flight holds one thread, blocked outside the interpreter lock.
        self._threads = ThreadPoolExecutor(shape.slots, thread_name_prefix="llama")
        self._stopping = threading.Event()
        self._spare = threading.Lock()
        """Whoever holds it has the spare slots: with two at it, each would wait for what the other one has."""
        self._lock = threading.Lock()
        self._free: list[tuple[int, str]] = [(SPARE + slot, "") for slot in range(shape.slots)]
        """Idle slots and who spoke in each, the one that has been idle longest first."""
        self._waiting = 0

    @classmethod
    def load(cls, shape: Shape, adapter: Path | None) -> Server:
        """Load the model; raise `EngineError` when it cannot."""
        try:
            server = cls(_load(shape, adapter), shape)
            # Freed before its loop runs, a server waits for that loop for ever; an answer says that it runs.
            server.submit(*FIRST_WORD, "", lambda: False).result()
        except RuntimeError as error:
            if isinstance(error, EngineError):
                raise
            on_it = f" with the adapter {adapter.parent.name}" if adapter else ""
            raise EngineError(f"{shape.gguf}: llama.cpp cannot load it{on_it}; is the file whole?") from None
        return server

    @property
    def waiting(self) -> int:
        """How many requests are in hand or wait for a slot."""
        return self._waiting

    def submit(
        self,
        messages: Messages,
        sampling: Sampling,
        conversation: str,
        cancelled: Callable[[], bool],
        count: int = 1,
    ) -> Future[tuple[Completion, ...]]:
        """Answer as soon as a slot is free, in the order of asking; raise `EngineError` after `drain`.

        It is `count` answers, at most `SPARE` + 1. What is `cancelled` stops at the next token.
        """
        try:
            request = _request(messages, sampling)
            future = self._threads.submit(self._answer, request, conversation, cancelled, count)
        except RuntimeError:
            raise EngineError("the engine is closed") from None
        self._count(1)
        future.add_done_callback(lambda _: self._count(-1))
        return future

    def drain(self) -> None:
        """Finish what was asked, then free the model.

        Freeing waits for llama.cpp's own loop, so this must not run in the event loop's thread.
        """
        self._threads.shutdown(wait=True)
        self._compiled = None

    def stop(self) -> None:
        """End what is being written at the next token, and begin nothing more."""
        self._stopping.set()

    def _count(self, more: int) -> None:
        with self._lock:
            self._waiting += more

    def _answer(
        self, request: dict[str, Any], conversation: str, cancelled: Callable[[], bool], count: int
    ) -> tuple[Completion, ...]:
        slot = self._take(conversation)
        try:
            # Named, and idle: a slot that is busy is not to be asked for.
            request["id_slot"] = slot
            with self._spare if count > 1 else nullcontext():
                request["n"] = min(count, SPARE + 1)
                return _generate(self._compiled, request, lambda: cancelled() or self._stopping.is_set())
        finally:
            with self._lock:
                self._free.append((slot, conversation))

    def _take(self, conversation: str) -> int:
        """The slot where the conversation spoke last, if it is idle, else the one that has been idle longest."""
        with self._lock:
            own = (each for each in self._free if conversation and each[1] == conversation)
            chosen = next(own, self._free[0])
            self._free.remove(chosen)
            return chosen[0]


def take_signals_back() -> None:
    """llama.cpp takes SIGINT and SIGTERM for itself when it loads; the program needs them."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if handler is not None:
            signal.signal(number, handler)


def _load(shape: Shape, adapter: Path | None) -> Any:
    import xllamacpp  # noqa: PLC0415 - heavy: loaded when an engine starts

    params = xllamacpp.CommonParams()
    params.model.path = str(shape.gguf)
    params.n_parallel = SPARE + shape.slots
    params.n_ctx = params.n_parallel * shape.context
    params.cpuparams.n_threads = shape.threads
    params.cpuparams_batch.n_threads = shape.threads
    params.cache_ram_mib = shape.cache_mib
    params.slot_prompt_similarity = SAME_PROMPT
    params.fit_params = False  # to a GPU, which would load everything twice
    params.cache_idle_slots = False  # a slot is saved when another conversation takes it, and not each time
    if adapter is not None:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    params.verbosity = -1
    # llama.cpp also opens an HTTP port on loopback; nobody but us is to use it.
    params.api_keys = [secrets.token_hex(32)]
    params.ui = False
    params.endpoint_slots = False
    return xllamacpp.Server(params)


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
        "logprobs": True,
    }
    if sampling.seed is not None:
        request["seed"] = sampling.seed
    return request


def _generate(server: Any, request: dict[str, Any], stopped: Callable[[], bool]) -> tuple[Completion, ...]:
    """Run one request to its end on a worker thread. Streaming is how llama.cpp lets us stop early."""
    if stopped():
        raise EngineError("the engine is closing")
    answers = [_Answer() for _ in range(request.get("n", 1))]
    usage: dict[str, Any] = {}
    failure: list[str] = []

    def take(chunk: dict[str, Any]) -> bool:
        if "choices" not in chunk:
            failure.append(str(chunk.get("message") or chunk.get("error") or "no reason given"))
            return True
        for choice in chunk["choices"]:
            answers[choice.get("index", 0)].add(choice)
        usage.update(chunk.get("usage") or {})
        return stopped()

    server.handle_chat_completions(request, take)
    if failure:
        raise EngineError(f"llama.cpp refused the request: {failure[0]}")
    read = int(usage.get("prompt_tokens", 0))
    cached = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0))
    first, *others = (each.whole() for each in answers)
    return replace(first, prompt_tokens=read, cached_tokens=cached), *others


@dataclass(slots=True)
class _Answer:
    """One of a request's answers while it is being written."""

    texts: list[str] = field(default_factory=list)
    likely: list[float] = field(default_factory=list)
    """Nats, by token."""

    def add(self, choice: dict[str, Any]) -> None:
        self.texts.append(choice.get("delta", {}).get("content") or "")
        self.likely.extend(each["logprob"] for each in (choice.get("logprobs") or {}).get("content") or ())

    def whole(self) -> Completion:
        return Completion("".join(self.texts), 0, 0, len(self.likely), sum(self.likely))

"""The base model in torch, on CUDA or the processor, with any number of PEFT adapters on it at once.

Requests that wait together are one batch, each row with its own adapter, seed and length. One thread alone
touches the model: called from two, PEFT writes wrong text without an error. Nothing of a prompt is kept for
the next one, which a GPU hardly notices and a processor does. It knows messages, tokens and seeds; it knows
nothing of children, thoughts or platforms.

This and the two modules beside it, `torch_loading` and `torch_sampling`, import torch, transformers and peft,
which takes seconds: import them only when such an engine is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import structlog
import torch
from peft import LoraConfig, PeftModel
from transformers import GenerationConfig, LogitsProcessorList

from bot.health import start
from bot.models.engines.base import Completion, Engine, EngineError, Messages, Sampling, SideBySide
from bot.models.engines.torch_loading import first_line, load
from bot.models.engines.torch_sampling import Request, Rows

WEIGHTS = "adapter_model.safetensors"
BASE = "__base__"
"""What PEFT calls a row without an adapter."""

log = structlog.get_logger(__name__)


class TorchPeftEngine(SideBySide):
    """A base model and its adapters. Make it with `start`, in the event loop that uses it; close it with `aclose`.

    A seed makes a reply repeatable: each row draws from a generator of its own, whatever else is in the batch.
    Yet a batch of another shape adds up numbers in another order, which changes their last digits: where two
    tokens are as good as equally likely, the other one may be drawn. Alone, a request always repeats exactly.
    """

    def __init__(self, loaded: _Loaded, thread: ThreadPoolExecutor, most: int) -> None:
        self._loaded = loaded
        self._thread = thread
        self._most = most
        self._names: dict[Path, str] = {}
        self._made = 0
        self._changing = asyncio.Lock()
        self._waiting: asyncio.Queue[Request] = asyncio.Queue()
        self._writing: list[Request] = []
        self._closed = False
        self._serving = start(self._serve(), "the engine's batches")

    @classmethod
    async def start(  # noqa: PLR0913 - what an engine is made of
        cls,
        base: Path | str,
        *,
        slots: int = 8,
        context: int = 2048,
        threads: int | None = None,
        eight_bit: bool = False,
        adapters: Sequence[Path] = (),
    ) -> TorchPeftEngine:
        """Load `base`, a GGUF file or a folder or id of Hugging Face that is on this machine already.

        Up to `slots` requests are one batch, of up to `context` tokens each. Raise `EngineError`.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="torch")
        work = asyncio.get_running_loop().run_in_executor
        try:
            engine = cls(await work(thread, _Loaded, base, context, threads, eight_bit), thread, slots)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        try:
            for adapter in adapters:
                await engine._put_on(adapter)
        except BaseException:
            await engine.aclose()
            raise
        return engine

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The adapters that `complete` can put on the model."""
        return tuple(self._names)

    async def complete(
        self,
        messages: Messages,
        sampling: Sampling,
        *,
        adapter: Path | None = None,
        conversation: str = "",  # noqa: ARG002 - nothing is kept for it here
    ) -> Completion:
        """The model's next message. Cancelled, a waiting request is never begun, one in hand ends at the next token."""
        if self._closed:
            raise EngineError("the engine is closed")
        if adapter is not None and adapter not in self._names:
            raise EngineError(f"the adapter {adapter.parent.name} is no longer loaded")
        done: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        name = BASE if adapter is None else self._names[adapter]
        request = Request(self._loaded.encode(messages, sampling), sampling, name, done)
        self._waiting.put_nowait(request)
        try:
            return await done
        finally:
            request.stopped = True

    async def remember(self, messages: Messages, *, adapter: Path | None = None) -> None:
        """Answer once: the first answer of all is slow on a GPU."""
        await self.complete(messages, Sampling(max_tokens=1, temperature=0.0), adapter=adapter)

    async def add_adapter(self, adapter: Path, proof: Callable[[Engine], Awaitable[object]]) -> None:
        """Serve `adapter`, too, if `proof` finds nothing against it. Nobody waits longer than loading it takes."""
        async with self._changing:
            if self._closed:
                raise EngineError("the engine is closed")
            await self._put_on(adapter)
            try:
                await proof(self)
            except BaseException:
                await self.drop_adapter(adapter)
                raise

    async def drop_adapter(self, adapter: Path) -> None:
        """Free `adapter` after the batch in hand; requests that still wait for it are told."""
        name = self._names.pop(adapter, None)
        if name is not None and not self._closed:
            await self._work(self._loaded.take_off, name)

    async def aclose(self) -> None:
        """Stop what is being generated at the next token, tell all who wait, and free the model."""
        self._closed = True
        for request in self._writing:
            request.stopped = True
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)
        while not self._waiting.empty():
            _fail(self._waiting.get_nowait(), "the engine is closed")
        await asyncio.to_thread(self._thread.shutdown, wait=True)
        self._loaded.free()

    async def _put_on(self, adapter: Path) -> None:
        self._made += 1
        name = f"adapter-{self._made}"
        await self._work(self._loaded.put_on, name, adapter.parent)
        self._names[adapter] = name

    async def _work(self, task: Callable[..., Any], *arguments: Any) -> Any:
        """Run `task` on the model's one thread, after what is running there; raise `EngineError`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, task, *arguments)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - torch and PEFT fail in every way, and nobody may wait for ever
            raise EngineError(f"torch: {type(error).__name__}: {first_line(error)}") from None

    async def _serve(self) -> None:
        """Batch after batch: whoever came while one was being written is in the next."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < self._most and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self._writing = [request for request in batch if not request.stopped]
            if self._writing:
                await self._write(self._writing)

    async def _write(self, batch: list[Request]) -> None:
        try:
            await self._work(self._loaded.generate, batch)
        except EngineError as error:
            for request in batch:
                _fail(request, str(error))
        except asyncio.CancelledError:
            for request in batch:
                _fail(request, "the engine is closed")
            raise
        except Exception as error:
            # Whoever comes next must not wait for a task that is gone.
            log.exception("batch failed")
            for request in batch:
                _fail(request, str(error) or type(error).__name__)
        for request in batch:
            if not request.done.done():
                request.done.set_result(
                    Completion(
                        text=request.text,
                        prompt_tokens=len(request.ids),
                        cached_tokens=0,
                        completion_tokens=len(request.written),
                    )
                )


class _Loaded:
    """The model itself. Everything but `encode` runs on the engine's one thread."""

    def __init__(self, base: Path | str, context: int, threads: int | None, eight_bit: bool) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._model, self._tokenizer = load(base, eight_bit)
        config = self._model.config
        self._context = min(context, getattr(config, "max_position_embeddings", context))
        known = self._model.generation_config.eos_token_id
        ends = {*(known if isinstance(known, list) else [known]), self._tokenizer.eos_token_id} - {None}
        self._ends: list[int] = sorted(ends)
        # What else the base's authors recommend for sampling is not for us.
        self._model.generation_config = GenerationConfig(eos_token_id=self._ends, pad_token_id=self._ends[0])
        self._peft: Any = None
        self._names: set[str] = set()

    def encode(self, messages: Messages, sampling: Sampling) -> list[int]:
        """The prompt in tokens, by the tokenizer's own chat template; raise `EngineError` when it is too long."""
        found = self._tokenizer.apply_chat_template(
            [dict(message) for message in messages], add_generation_prompt=True, return_dict=True
        )
        ids = list(found["input_ids"])
        if len(ids) + sampling.max_tokens > self._context:
            raise EngineError(
                f"a prompt of {len(ids)} tokens leaves no room for {sampling.max_tokens} more in {self._context};"
                " raise [engine] context"
            )
        return ids

    def put_on(self, name: str, folder: Path) -> None:
        """Load PEFT's files in `folder` under `name`."""
        if not (folder / WEIGHTS).is_file():
            # PEFT would look for it on the Hub.
            raise EngineError(f"{folder.name}: PEFT cannot load the adapter: {WEIGHTS} is missing")
        try:
            if self._peft is None:
                config = LoraConfig.from_pretrained(str(folder))
                # PEFT's class for this task does no more than the plain one, which goes by adapters' names alone.
                config.task_type = None
                config.inference_mode = True
                self._peft = PeftModel(self._model, config, adapter_name=name)
            self._peft.load_adapter(str(folder), adapter_name=name)
        except Exception as error:  # noqa: BLE001 - each library has errors of its own
            # No half of an adapter may stay on the model.
            self.take_off(name)
            raise EngineError(f"{folder.name}: PEFT cannot load the adapter: {first_line(error)}") from None
        self._names.add(name)

    def take_off(self, name: str) -> None:
        """Free an adapter; without any, it is the plain base model again."""
        self._names.discard(name)
        if self._peft is not None and not self._names:
            self._model, self._peft = self._peft.unload(), None
        elif self._peft is not None and name in self._peft.peft_config:
            # One must be PEFT's current one, though every batch names its own.
            self._peft.set_adapter(min(self._names), inference_mode=True)
            self._peft.delete_adapter(name)

    def generate(self, batch: list[Request]) -> None:
        """Write all rows of `batch` to their ends."""
        rows = []
        for request in batch:
            if request.adapter != BASE and request.adapter not in self._names:
                request.stopped = True
                request.done.get_loop().call_soon_threadsafe(
                    _fail, request, "the adapter is no longer loaded"
                )
            else:
                rows.append(request)
        if not rows:
            return
        longest = max(len(row.ids) for row in rows)
        pad, device = self._ends[0], self._model.device
        ids = torch.tensor([[pad] * (longest - len(row.ids)) + row.ids for row in rows], device=device)
        mask = torch.tensor(
            [[0] * (longest - len(row.ids)) + [1] * len(row.ids) for row in rows], device=device
        )
        options: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": mask,
            "max_new_tokens": max(row.sampling.max_tokens for row in rows),
            "do_sample": False,
            "logits_processor": LogitsProcessorList([Rows(rows, self._tokenizer, self._ends)]),
        }
        try:
            with torch.inference_mode():
                if self._peft is None:
                    self._model.generate(**options)
                else:
                    self._peft.generate(**options, adapter_names=[row.adapter for row in rows])
        except torch.OutOfMemoryError:
            raise EngineError("the GPU has no memory left for this batch; lower [engine] slots") from None

    def free(self) -> None:
        """Give the memory back."""
        self._model = self._peft = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _fail(request: Request, reason: str) -> None:
    if not request.done.done():
        request.done.set_exception(EngineError(reason))

"""The base model in torch, on CUDA or the processor, with any number of PEFT adapters on it at once.

Requests that wait together are one batch, each row with its own adapter, seed and length. One thread alone
touches the model: called from two, PEFT writes wrong text without an error. Nothing of a prompt is kept for
the next one, which a GPU hardly notices and a processor does. It knows messages, tokens and seeds; it knows
nothing of children, thoughts or platforms.

This is the only module of the bot that imports torch, transformers and peft, which takes seconds: import it
only when such an engine is used.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from peft import LoraConfig, PeftModel
from tokenizers import pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    GgufConfig,
    LogitsProcessorList,
)
from transformers.utils import logging as noise

from bot.models.engines.base import Completion, Engine, EngineError, Messages, Sampling

WEIGHTS = "adapter_model.safetensors"
BASE = "__base__"
"""What PEFT calls a row without an adapter."""


@dataclass(slots=True)
class _Request:
    """One row to be: `ids` is the rendered prompt. `stopped` is set by whoever no longer waits for it."""

    ids: list[int]
    sampling: Sampling
    adapter: str
    done: asyncio.Future[Completion]
    written: list[int] = field(default_factory=list)
    text: str = ""
    stopped: bool = False


class TorchPeftEngine:
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
        self._waiting: asyncio.Queue[_Request] = asyncio.Queue()
        self._writing: list[_Request] = []
        self._closed = False
        self._serving = asyncio.create_task(self._serve())

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
        request = _Request(self._loaded.encode(messages, sampling), sampling, name, done)
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
            raise EngineError(f"torch: {type(error).__name__}: {_line(error)}") from None

    async def _serve(self) -> None:
        """Batch after batch: whoever came while one was being written is in the next."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < self._most and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self._writing = [request for request in batch if not request.stopped]
            if self._writing:
                await self._write(self._writing)

    async def _write(self, batch: list[_Request]) -> None:
        try:
            await self._work(self._loaded.generate, batch)
        except EngineError as error:
            for request in batch:
                _fail(request, str(error))
        except asyncio.CancelledError:
            for request in batch:
                _fail(request, "the engine is closed")
            raise
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
        self._model, self._tokenizer = _load(base, eight_bit)
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
            raise EngineError(f"{folder.name}: PEFT cannot load the adapter: {_line(error)}") from None
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

    def generate(self, batch: list[_Request]) -> None:
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
            "logits_processor": LogitsProcessorList([_Rows(rows, self._tokenizer, self._ends)]),
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


class _Rows:
    """Picks each row's next token by the row's own settings, and lets `generate` see only that one.

    A row that is at its end, or that nobody waits for any more, gets the token that ends it.
    """

    def __init__(self, rows: list[_Request], tokenizer: Any, ends: list[int]) -> None:
        self._rows = rows
        self._tokenizer = tokenizer
        self._ends = ends
        self._generators = [_generator(row.sampling.seed) for row in rows]
        self._over = [False] * len(rows)

    def __call__(self, _ids: Any, scores: Any) -> Any:
        chosen = torch.full((len(self._rows),), self._ends[0])
        shares = scores.float().cpu()
        for place, row in enumerate(self._rows):
            self._over[place] |= row.stopped
            if not self._over[place]:
                chosen[place] = self._next(row, shares[place], self._generators[place])
                self._over[place] = self._take(row, int(chosen[place]))
        only = torch.full_like(scores, -torch.inf)
        return only.scatter_(1, chosen.to(scores.device)[:, None], 0.0)

    def _take(self, row: _Request, token: int) -> bool:
        """Write the token down; whether the row is at its end with it."""
        if token in self._ends:
            return True
        row.written.append(token)
        row.text = self._tokenizer.decode(row.written, skip_special_tokens=True)
        for stop in row.sampling.stop:
            if stop in row.text:
                row.text = row.text[: row.text.index(stop)]
                return True
        return len(row.written) >= row.sampling.max_tokens

    @staticmethod
    def _next(row: _Request, logits: Any, generator: Any) -> int:
        sampling = row.sampling
        if sampling.temperature <= 0:
            return int(logits.argmax())
        likely = torch.softmax(logits, dim=-1)
        left_out = likely < sampling.min_p * likely.max()
        if sampling.top_p < 1:
            shares, order = likely.sort(descending=True)
            left_out[order[shares.cumsum(0) - shares >= sampling.top_p]] = True
        heated = (logits / sampling.temperature).masked_fill(left_out, -torch.inf)
        return int(torch.multinomial(torch.softmax(heated, dim=-1), 1, generator=generator))


def has_cuda() -> bool:
    """Whether torch can compute on a GPU here."""
    return bool(torch.cuda.is_available())


def split_digits(tokenizer: Any, gguf: Path) -> None:
    """llama.cpp reads digits one by one where the file says so; transformers does not take that from the file."""
    read = GGUFReader(gguf).fields.get("tokenizer.ggml.pre")
    if read is not None and read.contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Without what transformers tells at length of how it unpacks a GGUF."""
    level, bars = noise.get_verbosity(), noise.is_progress_bar_enabled()
    noise.set_verbosity(logging.ERROR)
    noise.disable_progress_bar()
    try:
        yield
    finally:
        noise.set_verbosity(level)
        if bars:
            noise.enable_progress_bar()


def _load(base: Path | str, eight_bit: bool) -> tuple[Any, Any]:
    """Model and tokenizer, nothing of it from the network."""
    gguf = Path(base) if str(base).endswith(".gguf") else None
    where: dict[str, Any] = {"pretrained_model_name_or_path": str(gguf.parent if gguf else base)}
    if gguf is not None:
        where["gguf_file"] = gguf.name
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(**where, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(
                **where, **_weights(gguf, eight_bit), local_files_only=True
            )
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        if isinstance(error, EngineError):
            raise
        raise EngineError(f"{base}: torch cannot load it: {_line(error)}") from None
    if gguf is not None:
        split_digits(tokenizer, gguf)
    if not tokenizer.chat_template:
        raise EngineError(f"{base}: has no chat template; choose a model that was made for chat")
    if not eight_bit:
        model.to("cuda" if has_cuda() else "cpu")
    return model.eval(), tokenizer


def _weights(gguf: Path | None, eight_bit: bool) -> dict[str, Any]:
    """What `from_pretrained` is told about the numbers."""
    if eight_bit:
        if gguf is not None:
            raise EngineError(
                "torch_8bit: a GGUF is unpacked, not packed anew; set [engine] torch_base to a model of Hugging Face"
            )
        if not has_cuda() or importlib.util.find_spec("bitsandbytes") is None:
            raise EngineError("torch_8bit: needs a CUDA GPU and bitsandbytes; set it to false")
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True), "device_map": {"": 0}}
    # As exact as llama.cpp on a processor; on a GPU in half the memory.
    more: dict[str, Any] = {"dtype": torch.bfloat16 if has_cuda() else torch.float32}
    if gguf is not None:
        more["quantization_config"] = GgufConfig(dequantize=True)
    return more


def _generator(seed: int | None) -> Any:
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def _fail(request: _Request, reason: str) -> None:
    if not request.done.done():
        request.done.set_exception(EngineError(reason))


def _line(error: Exception) -> str:
    """The first line of what a library says at length."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__

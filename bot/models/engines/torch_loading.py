"""A base model and its tokenizer in torch, from a GGUF file or Hugging Face's folders; nothing from the network.

It knows transformers and what our GGUF needs of it; nothing of adapters and of generating.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GgufConfig
from transformers.utils import logging as noise

from bot.models.engines.base import EngineError


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


def load(base: Path | str, eight_bit: bool) -> tuple[Any, Any]:
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
        raise EngineError(f"{base}: torch cannot load it: {first_line(error)}") from None
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


def first_line(error: Exception) -> str:
    """The first line of what a library says at length."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__

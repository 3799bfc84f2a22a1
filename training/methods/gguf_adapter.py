"""A PEFT LoRA adapter as a llama.cpp adapter, and whether both say the same.

It knows the two file formats and how llama.cpp orders the rows of a Llama model's attention. How an adapter
is trained or published is not its business.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFType, GGUFWriter, Keys, TensorNameMap, get_tensor_name_map
from gguf.constants import MODEL_ARCH, MODEL_ARCH_NAMES
from safetensors.numpy import load_file, save_file

from bot.models.engines.base import Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.student.records.reading import DataError
from bot.student.voicing.prompt import ChatMessage

WEIGHTS, CONFIG, GGUF = "adapter_model.safetensors", "adapter_config.json", "adapter.gguf"

_NAME = re.compile(r"base_model\.model\.(?P<layer>model\.layers\.\d+\..+)\.lora_(?P<half>[AB])\.weight")
_UNSERVED = ("use_dora", "modules_to_save", "layer_replication", "rank_pattern", "alpha_pattern", "lora_bias")

Array = Any
"""A numpy array; numpy comes with the extra "train" alone."""


class ConversionError(DataError):
    """The adapter cannot be put on a Llama model by llama.cpp; the message says what stands against it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What of the base model the conversion needs."""

    layers: int
    heads: int
    key_value_heads: int


MOST_DIFFERENT = 0.2
"""Share of greedy replies that may differ between PEFT and llama.cpp. It is not 0: llama.cpp rounds what goes into a
quantised layer to 8 bits, which now and then turns a close decision around."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many greedy replies are the same, and each prompt's last line with both where they differ."""

    prompts: int
    same: int
    different: tuple[tuple[str, str, str], ...]

    @property
    def holds(self) -> bool:
        """Whether the two are one model: of few replies one may differ, or one would decide of a small class's data."""
        return self.same > 0 and self.prompts - self.same <= max(1.0, MOST_DIFFERENT * self.prompts)


def convert(folder: Path, shape: Shape) -> Path:
    """Write adapter.gguf beside PEFT's two files in `folder`; both hold the same 16-bit numbers afterwards.

    Raise `ConversionError` for an adapter that llama.cpp would not serve as PEFT does.
    """
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    for key in _UNSERVED:
        if config.get(key):
            raise ConversionError(f"{CONFIG}: {key}: llama.cpp does not serve it; train without it")
    # Half precision has three bits more than bfloat16, and an adapter's numbers are all small.
    halves = {name: each.astype(np.float16) for name, each in load_file(folder / WEIGHTS).items()}
    save_file(halves, folder / WEIGHTS, metadata={"format": "pt"})
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, shape.layers)
    writer = GGUFWriter(folder / GGUF, MODEL_ARCH_NAMES[MODEL_ARCH.LLAMA])
    writer.add_type(GGUFType.ADAPTER)
    writer.add_string(Keys.Adapter.TYPE, "lora")
    # llama.cpp divides by the rank; rank-stabilised LoRA divides by its root.
    rooted = math.sqrt(config["r"]) if config.get("use_rslora") else 1.0
    writer.add_float32(Keys.Adapter.LORA_ALPHA, float(config["lora_alpha"]) * rooted)
    for name, values in sorted(halves.items()):
        writer.add_tensor(*_tensor(name, values, names, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / GGUF


def _tensor(name: str, values: Array, names: TensorNameMap, shape: Shape) -> tuple[str, Array]:
    match = _NAME.fullmatch(name)
    layer = names.get_name(f"{match['layer']}.weight", try_suffixes=(".weight",)) if match else None
    if match is None or layer is None:
        raise ConversionError(f"{name}: is in no layer of a Llama model")
    if match["half"] == "B" and match["layer"].endswith(("q_proj", "k_proj")):
        heads = shape.heads if match["layer"].endswith("q_proj") else shape.key_value_heads
        values = _interleaved(values, heads)
    return f"{layer}.lora_{match['half'].lower()}", values


def _interleaved(rows: Array, heads: int) -> Array:
    """llama.cpp turns neighbouring rows of a head by the rotary angle, transformers rows half a head apart."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, rows.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows.shape))


def compare(
    gguf: Path,
    adapter: Path,
    prompts: Sequence[Sequence[ChatMessage]],
    expected: Sequence[str],
    *,
    tokens: int,
) -> Agreement:
    """Whether llama.cpp with `adapter` greedily replies what PEFT did (`expected`), up to `tokens` tokens each."""
    said = asyncio.run(_replies(gguf, adapter, prompts, tokens))
    return Agreement(
        prompts=len(prompts),
        same=sum(mine == theirs for mine, theirs in zip(said, expected, strict=True)),
        different=tuple(
            (messages[-1].content, theirs, mine)
            for messages, mine, theirs in zip(prompts, said, expected, strict=True)
            if mine != theirs
        ),
    )


async def _replies(
    gguf: Path, adapter: Path, prompts: Sequence[Sequence[ChatMessage]], tokens: int
) -> list[str]:
    engine = await LlamaCppEngine.start(gguf, slots=1, adapters=[adapter])
    try:
        greedy = Sampling(max_tokens=tokens, temperature=0.0)
        return [
            (await engine.complete([asdict(each) for each in messages], greedy, adapter=adapter)).text.strip()
            for messages in prompts
        ]
    finally:
        await engine.aclose()

"""Small random LoRA adapters for the embedded model, written byte by byte, and versions published with them.

The two weight files of an adapter describe the same layers, as a real one's do; their numbers are not the
same, since nothing here depends on that.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bot.config import Settings
from bot.models.artifact import publish
from bot.models.engines.weights import embedded_gguf, served_gguf
from bot.models.lora import base_checksum
from bot.models.manifest import Base, Data, Manifest, Prompt, Training
from tests.fakes.students import DATA

RANK = 4
LAYERS = {"blk.0.attn_q.weight": (576, 576), "blk.0.attn_v.weight": (192, 576)}
"""Rows and columns in the embedded model."""
PEFT = {"blk.0.attn_q.weight": "self_attn.q_proj", "blk.0.attn_v.weight": "self_attn.v_proj"}

Tensors = dict[str, tuple[tuple[int, ...], bytes]]
"""Shape (rows first) and 32-bit floats by name."""


def halves(
    seed: int, scale: float = 0.02, rank: int = RANK, name: Callable[[str, str], str] | None = None
) -> Tensors:
    """The two matrices for each layer."""
    numbers = random.Random(seed)
    tensors: Tensors = {}
    for layer, (rows, columns) in LAYERS.items():
        for half, shape in (("a", (rank, columns)), ("b", (rows, rank))):
            values = array("f", (numbers.uniform(-scale, scale) for _ in range(shape[0] * shape[1])))
            tensors[(name or gguf_name)(layer, half)] = (shape, values.tobytes())
    return tensors


def gguf_name(layer: str, half: str) -> str:
    return f"{layer}.lora_{half}"


def peft_name(layer: str, half: str) -> str:
    return f"base_model.model.model.layers.0.{PEFT[layer]}.lora_{half.upper()}.weight"


METADATA: dict[str, str | float] = {
    "general.architecture": "llama",
    "general.type": "adapter",
    "adapter.type": "lora",
    "adapter.lora.alpha": float(RANK),
}


def gguf(tensors: Tensors, metadata: Mapping[str, str | float] = METADATA) -> bytes:
    """A GGUF file."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, packed = (8, text(value)) if isinstance(value, str) else (6, struct.pack("<f", value))
        head += text(key) + struct.pack("<I", kind) + packed
    body = b""
    for name, (shape, content) in tensors.items():
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape[::-1])
        head += struct.pack("<IQ", 0, len(body))
        body += content + bytes(-len(content) % 32)
    return head + bytes(-len(head) % 32) + body


def safetensors(tensors: Tensors) -> bytes:
    """A safetensors file."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, (shape, content) in tensors.items():
        offsets = [len(body), len(body) + len(content)]
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": offsets}
        body += content
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + body


def config(**more: Any) -> bytes:
    """PEFT's settings."""
    settings = {"peft_type": "LORA", "r": RANK, "lora_alpha": RANK, "target_modules": ["q_proj", "v_proj"]}
    return json.dumps({**settings, "base_model_name_or_path": "SmolLM2-135M-Instruct", **more}).encode()


def files(seed: int = 1, scale: float = 0.02) -> dict[str, Path | bytes]:
    """The three files of an adapter."""
    return {
        "adapter.gguf": gguf(halves(seed, scale)),
        "adapter_model.safetensors": safetensors(halves(seed, scale, name=peft_name)),
        "adapter_config.json": config(),
    }


def manifest(name: str, version: str, of: Path | None = None, **more: Any) -> Manifest:
    """The manifest of an adapter of the model in the file `of`, or of the embedded one; `more` replaces fields."""
    fields: dict[str, Any] = {
        "name": name,
        "version": version,
        "kind": "lora",
        "base": Base(id="SmolLM2-135M-Instruct", sha256=base_checksum(of or embedded_gguf())),
        "prompt": Prompt(version="1"),
        "data": Data(sha256=hashlib.sha256(b"none").hexdigest(), dialogues=0, split="none"),
        "training": Training(method="random", seed=1),
    }
    return Manifest(**{**fields, **more})


def data_folder(at: Path) -> Path:
    """A data folder at `at` with all that is shipped, but published models of its own."""
    at.mkdir(parents=True)
    served_gguf(Settings(data=DATA))  # made once, for all tests
    for each in DATA.iterdir():
        if each.name in {"base", "children", "lessons", "hearing", "practice", "prices.toml", "reference"}:
            (at / each.name).symlink_to(each)
    (at / "models").mkdir()
    return at


def publish_adapter(
    models: Path,
    version: str,
    *,
    base: Path | None = None,
    name: str = "starter",
    seed: int = 1,
    scale: float = 0.02,
    promote: bool = True,
) -> Path:
    """A new version with a random adapter; returns its folder."""
    return publish(models, manifest(name, version, base), files(seed, scale), promote=promote)

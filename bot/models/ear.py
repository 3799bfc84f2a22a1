"""A published ear: the weights of the reader that hears a teacher's move, in one JSON file, and back.

It knows the file's form and bounds. What the weights mean is `bot.student.hearing.reader`, how they are fitted is
training's.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bot.models.files import ArtifactError, encoded, plain_json, why
from bot.student.hearing.reader import BUCKETS, Reader
from bot.student.records.dialogue import MoveKind
from bot.student.records.reading import parse

FILE = "ear.json"
FEATURES = 1
"""Of the features that the weights are for; it changes with every change of `hearing.features`."""
Numbers = Annotated[
    tuple[Annotated[float, Field(allow_inf_nan=False)], ...], Field(min_length=2, max_length=64)
]


@dataclass(frozen=True, slots=True)
class _File:
    """`weights` holds a signed byte for each bucket and move, bucket by bucket, zlib-compressed, in base64."""

    features: int
    moves: Annotated[tuple[MoveKind, ...], Field(min_length=2, max_length=64)]
    bias: Numbers
    scale: Numbers
    weights: str


@dataclass(frozen=True, slots=True)
class Ear:
    """A reader that was taken up. It holds nothing that has to be released."""

    reader: Reader

    async def aclose(self) -> None:
        """Nothing to do."""


def write_reader(reader: Reader) -> bytes:
    """The content of `FILE`."""
    packed = zlib.compress(bytes(weight & 0xFF for weight in reader.weights), 9)
    return encoded({
        "features": FEATURES,
        "moves": list(reader.moves),
        "bias": list(reader.bias),
        "scale": list(reader.scale),
        "weights": base64.b64encode(packed).decode("ascii"),
    })  # fmt: skip


def read_reader(folder: Path) -> Reader:
    """The reader whose file is in `folder`; raise `ArtifactError` where it is none, or one for other features."""
    try:
        raw = plain_json(folder / FILE)
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{FILE}: {why(error)}") from None
    found = parse(_File, raw, place=FILE, error=ArtifactError)
    if found.features != FEATURES:
        raise ArtifactError(
            f"{FILE}: made for features {found.features}, this bot has {FEATURES}; train it anew"
        )
    size = len(found.moves)
    if not len(found.bias) == len(found.scale) == size == len(set(found.moves)):
        raise ArtifactError(f"{FILE}: expected one bias and one scale for each of {size} different moves")
    weights = _unpacked(found.weights, BUCKETS * size)
    return Reader(tuple(move.value for move in found.moves), found.bias, found.scale, weights)


def _unpacked(text: str, size: int) -> Sequence[int]:
    try:
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ArtifactError(f"{FILE}: weights: cannot be unpacked ({error})") from None
    if len(content) != size:
        raise ArtifactError(f"{FILE}: weights: expected {size} of them, got {len(content)} or more")
    return array("b", content)

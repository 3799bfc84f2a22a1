"""What the guard has learned: one linear reader for each question, in one file that `python -m training guard` writes.

It knows features by their hash only; what they are is `features` (whole turns) and `tagger` (single words).
"""

from __future__ import annotations

import base64
import json
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.student.records.files import REFERENCE

FILE = REFERENCE / "guard.json"
BUCKETS = 1 << 18
"""Features share so many weights; two that fall together are rare and do little harm."""


def buckets(features: Iterable[str]) -> list[int]:
    """Where the features' weights stand."""
    crc32 = zlib.crc32
    return [crc32(each.encode()) % BUCKETS for each in features]


@dataclass(frozen=True, slots=True)
class Linear:
    """`weights` holds a whole number for each bucket, `scale` what one of them is worth; `bias` is the score of a
    turn without any feature."""

    bias: float
    scale: float
    weights: Sequence[int]

    def score(self, places: Iterable[int], worth: float = 1.0) -> float:
        """Log-odds of the features in these buckets; every one counts `worth`."""
        return self.bias + self.scale * worth * sum(map(self.weights.__getitem__, places))


def write(readers: dict[str, Linear]) -> str:
    """The content of the file: a signed byte for each bucket, zlib-compressed, in base64."""
    packed = {
        question: {
            "bias": reader.bias,
            "scale": reader.scale,
            "weights": base64.b64encode(
                zlib.compress(bytes(each & 0xFF for each in reader.weights), 9)
            ).decode(),
        }
        for question, reader in readers.items()
    }
    return json.dumps(packed, indent=1) + "\n"


@lru_cache(maxsize=2)
def learned(path: Path = FILE) -> dict[str, Linear]:
    """The reader of each question."""
    packed = json.loads(path.read_text(encoding="utf-8"))
    return {
        question: Linear(
            each["bias"],
            each["scale"],
            array("b", zlib.decompress(base64.b64decode(each["weights"]))),
        )
        for question, each in packed.items()
    }

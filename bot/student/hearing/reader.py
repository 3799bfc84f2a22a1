"""The trained reader: from the features of a turn to how likely each move is.

A linear model over hashed features, scored in plain Python. Its weights are an artifact that
`python -m training hearing` fits; it knows no lesson and decides nothing.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

BUCKETS = 1 << 16
"""Features share so many weights; two that fall together are rare and do little harm."""


def bucket(feature: str) -> int:
    """Where a feature's weights stand."""
    return zlib.crc32(feature.encode()) % BUCKETS


class Reads(Protocol):
    """Whatever tells the moves of a turn: the trained `Reader`, or who is asked in its place."""

    def read(self, features: Mapping[str, float]) -> dict[str, float]:
        """How likely each move is, from 0 to 1, together 1."""
        ...


@dataclass(frozen=True, slots=True)
class Reader:
    """`weights` holds a whole number for each bucket and move, `scale` what one of them is worth, both by move;
    `bias` is what a move has without any feature."""

    moves: tuple[str, ...]
    bias: tuple[float, ...]
    scale: tuple[float, ...]
    weights: Sequence[int]

    def read(self, features: Mapping[str, float]) -> dict[str, float]:
        """How likely each move is, from 0 to 1, together 1."""
        size = len(self.moves)
        sums = [0.0] * size
        for name, value in features.items():
            start = bucket(name) * size
            for place, weight in enumerate(self.weights[start : start + size]):
                sums[place] += weight * value
        scores = [bias + scale * each for bias, scale, each in zip(self.bias, self.scale, sums, strict=True)]
        top = max(scores)
        likely = [math.exp(score - top) for score in scores]
        return {move: each / sum(likely) for move, each in zip(self.moves, likely, strict=True)}

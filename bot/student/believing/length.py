"""How long a child's turn is meant to be: drawn from the measured distribution of real turns.

Source: 413 student turns of 14 lessons in grades 1-3 (TalkMoves transcripts): quartiles 2-5-10, 90th
percentile 20, 95th 30, longest 61; after a how/why prompt quartiles 2-5-12, 90th percentile 24.
"""

from __future__ import annotations

import random
from itertools import pairwise

from bot.student.records.child import Child

LONGEST = 40
"""Longer turns are one in a hundred; a small model cannot hold a thought for that long."""

_ANY = ((0.0, 1), (0.25, 2), (0.5, 5), (0.75, 10), (0.9, 20), (0.95, 30), (1.0, LONGEST))
_AFTER_WHY = ((0.0, 1), (0.25, 2), (0.5, 5), (0.75, 12), (0.9, 24), (1.0, LONGEST))
_TEMPERAMENT = {"talkative": 1.2, "shy": 0.75, "silly": 1.05, "careful": 1.0, "easily tired": 0.9}


def draw_words(rng: random.Random, child: Child, *, after_why: bool = False) -> int:
    """A target length in words, from 1 to `LONGEST`."""
    scale = 1.0
    for word in child.temperament:
        scale *= _TEMPERAMENT[word]
    words = _quantile(_AFTER_WHY if after_why else _ANY, rng.random())
    return max(1, min(LONGEST, round(words * scale)))


def _quantile(points: tuple[tuple[float, int], ...], share: float) -> float:
    for (low, short), (high, long) in pairwise(points):
        if share <= high:
            return short + (long - short) * (share - low) / (high - low)
    return points[-1][1]

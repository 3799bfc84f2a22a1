"""What is counted of a model's turns beside the figures: how fast, in whose words, how long."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from training.evaluate.rows import Row
from training.evaluate.talk import words

LONGEST = 31
"""Turns of so many words and more are counted together."""

Rows = Sequence[Row]


def latency(rows: Rows) -> dict[str, float | int | None]:
    """Median and 95th percentile in milliseconds of the turns that a model was really asked for."""
    known = sorted(row.latency_ms for row in rows if row.voiced and not row.cache_hit and row.latency_ms > 0)
    if not known:
        return {"p50": None, "p95": None, "mean": None, "turns": 0}
    return {
        "p50": round(percentile(known, 0.5), 1),
        "p95": round(percentile(known, 0.95), 1),
        "mean": round(fmean(known), 1),
        "turns": len(known),
    }


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the sorted values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def voiced(rows: Rows) -> dict[str, float]:
    """Shares of turns by where the words came from."""
    counts = Counter(row.voiced for row in rows if row.voiced)
    total = sum(counts.values())
    return {name: counts[name] / total for name in ("model", "retry", "phrasing")} if total else {}


def lengths(rows: Rows) -> dict[str, Any]:
    """Words a turn in the golden section: how many turns of each length, and the quartiles."""
    found = sorted(len(words(row.text)) for row in rows if row.section == "golden")
    counts = Counter(min(length, LONGEST) for length in found)
    return {
        "turns": len(found),
        "counts": [counts[length] for length in range(LONGEST + 1)],
        "quartiles": [percentile(found, share) for share in (0.25, 0.5, 0.75)] if found else [],
    }

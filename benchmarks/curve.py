"""Replies a second and how long they take, by conversations at once, quiet and beside a process that burns a core.

Run: python -m benchmarks.curve [--seconds 25] [--at-once 1 2 4 8 16 24] [--picture docs/performance.png]

The whole bot but the platforms, with the shipped model; each pass a fresh engine and a fresh practice log, warmed up as
at start. Teachers do not think here: as soon as one is answered, the next turn comes, until the seconds are over.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fresh import settings_in
from benchmarks.pool import burning
from benchmarks.throughput import rows_of, talk
from bot import logs
from bot.app import App, opened, warm_up

AT_ONCE = (1, 2, 4, 8, 16, 24)
TURNS = 6


@dataclass(slots=True)
class Pass:
    """What one pass did: of each reply the seconds it took, and whose words it was."""

    burnt: bool
    at_once: int
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Replies a second."""
        return len(self.waits) / self.seconds

    @property
    def p95(self) -> float:
        """Seconds within which nineteen in twenty replies came."""
        return statistics.quantiles(self.waits, n=20)[-1] if len(self.waits) > 1 else self.waits[0]

    def __str__(self) -> str:
        where = "busy " if self.burnt else "quiet"
        whose = ", ".join(f"{count} {name}" for name, count in self.words.most_common())
        return (
            f"{where} {self.at_once:2} at once: {self.rate:5.2f}/s, p50 {statistics.median(self.waits):5.2f} s,"
            f" p95 {self.p95:5.2f} s, {self.words['phrasing'] / len(self.waits):.1%} phrasing"
            f" ({len(self.waits)} replies: {whose})"
        )


async def measure(burnt: bool, at_once: int, seconds: float) -> Pass:
    """One pass."""
    found = Pass(burnt, at_once)
    with tempfile.TemporaryDirectory() as folder:
        async with opened(settings_in(folder)) as app:
            await warm_up(app)
            with burning() if burnt else contextlib.nullcontext():
                began = time.perf_counter()
                numbers = itertools.count()
                await asyncio.gather(*(_teach(app, numbers, began + seconds, found) for _ in range(at_once)))
                found.seconds = time.perf_counter() - began
    return found


async def _teach(app: App, numbers: itertools.count[int], until: float, found: Pass) -> None:
    rows = rows_of(TURNS)
    while time.perf_counter() < until:
        number = next(numbers)
        row = {**rows[number % len(rows)], "id": f"talk {number}"}
        for wait, whose in await talk(app, row, until):
            found.waits.append(wait)
            found.words[whose] += 1


def draw(passes: list[Pass], path: Path) -> None:
    """Two pictures side by side: replies a second, and the 95th percentile of their seconds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to load
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for burnt, label in ((False, "alone on the machine"), (True, "beside a busy process")):
        of = [each for each in passes if each.burnt is burnt]
        at_once = [each.at_once for each in of]
        left.plot(at_once, [each.rate for each in of], marker="o", label=label)
        right.plot(at_once, [each.p95 for each in of], marker="o", label=label)
    left.set(xlabel="conversations at once", ylabel="replies a second", ylim=(0, None))
    right.set(xlabel="conversations at once", ylabel="seconds, 95th percentile", ylim=(0, None))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


async def main(seconds: float, at_onces: list[int], picture: Path | None) -> None:
    """All passes, busy and quiet in turns, then the ratios."""
    passes = []
    for at_once in at_onces:
        for burnt in (False, True):
            passes.append(await measure(burnt, at_once, seconds))
            print(passes[-1], flush=True)
    if not {1, 8} <= set(at_onces):
        return
    by_case = {(each.burnt, each.at_once): each for each in passes}
    print(f"eight at once beside one alone: {by_case[False, 8].rate / by_case[False, 1].rate:.2f}")
    print(
        f"beside a busy process, eight at once, of quiet: {by_case[True, 8].rate / by_case[False, 8].rate:.2f}"
    )
    if picture is not None:
        draw(passes, picture)
        rows = [(each.burnt, each.at_once, round(each.rate, 2), round(each.p95, 2)) for each in passes]
        print(json.dumps(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--at-once", type=int, nargs="+", default=list(AT_ONCE))
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    logs.set_up("error")
    asyncio.run(main(given.seconds, given.at_once, given.picture))

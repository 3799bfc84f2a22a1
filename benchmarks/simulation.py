"""Turns on their way through a deployment, simulated event by event: who waits where, and for how long.

It knows stations, times and chance. What a deployment is made of, and what a turn takes there, `scaling` knows.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Step = tuple["Station", "Work"]
"""A station, and the seconds that a turn takes there."""
Turn = Callable[[random.Random], Sequence[Step]]
"""The steps of one turn; who asks for it may be sent to one process or another."""


@dataclass(frozen=True, slots=True)
class Work:
    """Seconds of work, log-normal: by mean and by the spread of the logarithm. Where a station may take its time while
    it is quiet, `quiet` is its mean then."""

    mean: float
    spread: float = 0.5
    quiet: float | None = None

    def draw(self, chance: random.Random, *, quiet: bool) -> float:
        """How long it takes this time."""
        mean = self.quiet if quiet and self.quiet is not None else self.mean
        return chance.lognormvariate(math.log(mean) - self.spread**2 / 2, self.spread) if mean else 0.0


@dataclass(slots=True)
class Station:
    """Servers with one queue before them, first come, first served."""

    name: str
    servers: int
    busy: int = 0
    used: float = 0.0
    """Seconds of all servers together."""
    waiting: deque[tuple[Callable[[], None], Work]] = field(default_factory=deque)

    def utilisation(self, seconds: float) -> float:
        """The share of its time that it was busy."""
        return self.used / (self.servers * seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the turns that began in the time that counts. Seconds from said to answered."""

    per_second: float
    p50: float
    p95: float
    late: float
    """The share that took longer than anybody waits."""
    utilisation: dict[str, float]


class Simulation:
    """A clock, and what happens when."""

    def __init__(self, seed: int, patience: float) -> None:
        self.chance = random.Random(seed)
        self.now = 0.0
        self._patience = patience
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._stations: dict[int, Station] = {}
        self.took: list[tuple[float, float]] = []
        """Of each turn that was answered: when it was said, and the seconds until then."""
        self._late: list[float] = []

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Do it then."""
        heapq.heappush(self._events, (time, next(self._numbers), action))

    def people(self, count: int, think: float, turn: Turn, until: float = math.inf) -> None:
        """So many, who say something, wait for the answer, think, and go on; they do not begin in step, and say
        nothing more after `until`."""
        for number in range(count):
            self.at(think * (number * 0.618 % 1), lambda: self._say(turn, think, until))

    def arrivals(self, rate: float, turn: Turn) -> None:
        """So many turns a second, whatever becomes of the ones before."""

        def arrive() -> None:
            self._say(turn, None)
            self.at(self.now + self.chance.expovariate(rate), arrive)

        self.at(self.chance.expovariate(rate), arrive)

    def run(self, seconds: float, warm: float = 0.0) -> Outcome:
        """Let it go on for so long; what was said in the first `warm` seconds does not count."""
        while self._events and self._events[0][0] <= seconds:
            self.now, _, action = heapq.heappop(self._events)
            action()
        took = [each for said, each in self.took if said >= warm]
        late = sum(said >= warm for said in self._late)
        ranks = statistics.quantiles(took, n=20) if len(took) > 1 else [0.0] * 19
        used: dict[str, list[float]] = {}
        for station in self._stations.values():
            used.setdefault(station.name, []).append(station.utilisation(seconds))
        return Outcome(
            len(took) / (seconds - warm),
            ranks[9],
            ranks[18],
            late / max(1, late + len(took)),
            {name: statistics.mean(shares) for name, shares in used.items()},
        )

    def _say(self, turn: Turn, think: float | None, until: float = math.inf) -> None:
        if self.now > until:
            return
        said, steps = self.now, iter(turn(self.chance))

        def go_on() -> None:
            step = next(steps, None)
            if step is not None and self.now - said + step[1].mean <= self._patience:
                self._stations[id(step[0])] = step[0]
                self._enter(*step, go_on)
                return
            if step is None:
                self.took.append((said, self.now - said))
            else:
                self._late.append(said)
            if think is not None:
                self.at(self.now + think, lambda: self._say(turn, think, until))

        go_on()

    def _enter(self, station: Station, work: Work, resume: Callable[[], None]) -> None:
        if station.busy >= station.servers:
            station.waiting.append((resume, work))
            return
        station.busy += 1
        self._serve(station, work, resume)

    def _serve(self, station: Station, work: Work, resume: Callable[[], None]) -> None:
        took = work.draw(self.chance, quiet=station.busy < station.servers or not station.waiting)
        station.used += took

        def done() -> None:
            if station.waiting:
                other, theirs = station.waiting.popleft()
                self._serve(station, theirs, other)
            else:
                station.busy -= 1
            resume()

        self.at(self.now + took, done)

"""Models side by side: every figure of a run with its interval, and which models a figure parts.

It knows rows, metrics and chance. How it looks, and what is counted besides, is the business of others. The cluster
bootstrap draws whole families of items, within each section, and the same ones for both models of a pair.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean

from training.evaluate import metrics
from training.evaluate.metrics import METRICS, Metric
from training.evaluate.rows import CONTROL, Row
from training.evaluate.written import Evaluation

DRAWS = 600
TALK = "talk"
TALK_DRAWS = 60
"""The bands of talk take a thousand times as long as a mean: their draws repeat after so many."""
SIDES = ("authentic", "teachable")

Draw = Mapping[str, Sequence[str]]
"""The clusters drawn, by section; under `TALK` those of the golden section for the bands."""
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure between the bounds that hold 95 % of the drawn ones; `tries` turns went into it."""

    value: float
    low: float
    high: float
    tries: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours minus theirs on the items that both were asked. Where `parts`, zero lies outside the interval."""

    ours: str
    theirs: str
    figure: str
    items: int
    difference: float
    low: float
    high: float

    @property
    def parts(self) -> bool:
        """Whether one of them is ahead beyond chance."""
        return self.low > 0 or self.high < 0


@dataclass(slots=True)
class Speaker:
    """One model or control of a run, its rows sorted for quick drawing."""

    name: str
    version: str
    kind: str
    rows: list[Row]
    _scored: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    _talk: dict[int, float | None] = field(default_factory=dict)

    @property
    def clusters(self) -> dict[str, list[str]]:
        """Cluster names by section."""
        found: dict[str, set[str]] = defaultdict(set)
        for row in self.rows:
            found[row.section].add(row.cluster)
        return {section: sorted(names) for section, names in found.items()}

    def restricted(self, keys: set[tuple[str, str, int]]) -> Speaker:
        """The same speaker with those items only."""
        return Speaker(self.name, self.version, self.kind, [row for row in self.rows if _key(row) in keys])

    def figures(self, draw: Draw | None = None, number: int = 0) -> dict[str, float]:
        """Every metric that the rows have, and the composites, over all rows or over the clusters of a draw."""
        found = {}
        for metric in METRICS:
            value = self._value(metric, draw, number)
            if value is not None:
                found[metric.id] = value
        for side in SIDES:
            scaled = [
                metric.scaled(found[metric.id])
                for metric in METRICS
                if metric.side == side and metric.id in found
            ]
            if scaled:
                found[side] = fmean(scaled)
        return found

    def _value(self, metric: Metric, draw: Draw | None, number: int) -> float | None:
        scored = self._of(metric)
        if draw is None:
            return metrics.value(metric, [row for rows in scored.values() for row in rows])
        if metric.id != TALK:
            return metrics.value(metric, self._drawn(scored, draw))
        number %= TALK_DRAWS
        if number not in self._talk:
            self._talk[number] = metrics.value(metric, self._drawn(scored, {"golden": draw.get(TALK, ())}))
        return self._talk[number]

    def _of(self, metric: Metric) -> dict[str, list[Row]]:
        """The rows that a metric looks at, by section and cluster."""
        if metric.id not in self._scored:
            sorted_: dict[str, list[Row]] = defaultdict(list)
            for row in self.rows:
                if _concerns(metric, row):
                    sorted_[f"{row.section}\n{row.cluster}"].append(row)
            self._scored[metric.id] = dict(sorted_)
        return self._scored[metric.id]

    @staticmethod
    def _drawn(scored: Mapping[str, list[Row]], draw: Draw) -> list[Row]:
        return [
            row
            for section, names in draw.items()
            for name in names
            for row in scored.get(f"{section}\n{name}", ())
        ]


def _key(row: Row) -> tuple[str, str, int]:
    return (row.section, row.item, row.seed)


def _concerns(metric: Metric, row: Row) -> bool:
    if metric.id == TALK:
        return row.section == "golden"
    if metric.id == "arms.selectivity":
        return row.section == "arms"
    return metric.id in row.scores


def speakers(run: Evaluation) -> tuple[list[Speaker], list[Speaker]]:
    """The models in the order of the run's settings, then the controls."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in run.rows:
        found.setdefault((row.model, row.version, row.kind), []).append(row)
    order = [each.get("name") for each in run.settings.get("models", ()) if isinstance(each, dict)]
    everybody = [Speaker(*who, rows) for who, rows in found.items()]
    everybody.sort(key=lambda each: order.index(each.name) if each.name in order else len(order))
    named = Counter(each.name for each in everybody)
    for each in everybody:
        if named[each.name] > 1:
            each.name = f"{each.name} {each.version}"
    return (
        [each for each in everybody if each.kind != CONTROL],
        [each for each in everybody if each.kind == CONTROL],
    )


# Figures and chance.


def draws(clusters: Mapping[str, Sequence[str]], seed: int, count: int = DRAWS) -> Iterator[tuple[int, Draw]]:
    """So many draws of clusters with replacement, within each section, each with its number.

    For the bands of talk half of the golden dialogues without replacement: a dialogue that is drawn twice would
    count as repetition, and half a sample spreads about the whole as far as the whole about the truth.
    """
    halves: list[list[str]] = []
    for number in range(count):
        rng = random.Random(f"{seed}:{number}")
        drawn = {name: rng.choices(known, k=len(known)) for name, known in sorted(clusters.items())}
        if golden := clusters.get("golden"):
            if number < TALK_DRAWS:
                halves.append(rng.sample(golden, -(-len(golden) // 2)))
            drawn[TALK] = halves[number % TALK_DRAWS]
        yield number, drawn


def estimates(speaker: Speaker, seed: int = 0, count: int = DRAWS) -> dict[str, Estimate]:
    """Every metric that the rows have, and the two composites, each with its interval."""
    drawn: dict[str, list[float]] = defaultdict(list)
    for number, draw in draws(speaker.clusters, seed, count):
        for name, value in speaker.figures(draw, number).items():
            drawn[name].append(value)
    return {
        name: Estimate(value, *_bounds(drawn[name]), _tries(name, speaker.rows))
        for name, value in speaker.figures().items()
        if drawn[name]
    }


def _tries(name: str, rows: Rows) -> int:
    return metrics.tries(metrics.BY_ID[name], rows) if name in metrics.BY_ID else len(rows)


def pairs(models: Sequence[Speaker], seed: int = 0, count: int = DRAWS) -> list[Pair]:
    """Every two models by every figure that both have, on the items that both were asked, ours minus theirs.

    The later one of the run's settings is ours: with the base model first, a difference is what training gained.
    """
    found = []
    for theirs, ours in combinations(models, 2):
        found += _paired(ours, theirs, seed, count)
    return found


def _paired(ours: Speaker, theirs: Speaker, seed: int, count: int) -> list[Pair]:
    shared = {_key(row) for row in ours.rows} & {_key(row) for row in theirs.rows}
    one, other = ours.restricted(shared), theirs.restricted(shared)
    drawn: dict[str, list[float]] = defaultdict(list)
    for number, draw in draws(one.clusters, seed, count):
        for name, difference in _differences(one.figures(draw, number), other.figures(draw, number)):
            drawn[name].append(difference)
    return [
        Pair(ours.name, theirs.name, name, len(shared), difference, *_bounds(drawn[name]))
        for name, difference in _differences(one.figures(), other.figures())
        if drawn[name]
    ]


def _differences(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    return ((name, value - theirs[name]) for name, value in ours.items() if name in theirs)


def _bounds(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[int(0.025 * len(ordered))], ordered[min(len(ordered) - 1, int(0.975 * len(ordered)))]

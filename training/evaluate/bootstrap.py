"""How sure a figure is: the cluster bootstrap, with dialogues as clusters.

Turns of one dialogue are no independent tries, so dialogues are drawn, not turns (Field & Welsh 2007,
"Bootstrapping clustered data"). It knows numbers only.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the bounds between which 95 % of the drawn means lie."""

    mean: float
    low: float
    high: float

    @property
    def parts_from_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0


def mean_interval(values: Mapping[str, Sequence[float]], *, seed: int = 0, draws: int = DRAWS) -> Interval:
    """The mean over all values, and its interval; `values` by cluster. Raises `ValueError` without any."""
    clusters = [(sum(each), len(each)) for each in values.values() if each]
    if not clusters:
        raise ValueError("no values to take a mean of")
    rng = random.Random(seed)
    drawn = sorted(_mean(rng.choices(clusters, k=len(clusters))) for _ in range(draws))
    return Interval(_mean(clusters), drawn[int(0.025 * draws)], drawn[int(0.975 * draws)])


def paired_interval(
    ours: Mapping[str, Mapping[str, float]], theirs: Mapping[str, Mapping[str, float]], *, seed: int = 0
) -> Interval:
    """The mean difference on the items that both have: cluster -> item -> value."""
    differences: dict[str, list[float]] = defaultdict(list)
    for cluster, items in ours.items():
        for item, value in items.items():
            if item in theirs.get(cluster, {}):
                differences[cluster].append(value - theirs[cluster][item])
    return mean_interval(differences, seed=seed)


def _mean(clusters: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in clusters) / sum(count for _, count in clusters)

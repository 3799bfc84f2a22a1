"""How far reviewers agree beyond chance: Krippendorff's alpha for names of verdicts.

Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section on nominal data,
https://repository.upenn.edu/handle/20.500.14332/2089. It knows verdicts and who gave them, and no dialogue.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

ENOUGH = 0.667
"""Below this, Krippendorff advises to draw no conclusions; 0.8 is his usual bar."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """`alpha` is 1 for perfect agreement, 0 for chance, below 0 for worse; None where it is not defined: no unit
    with two verdicts, or one and the same verdict everywhere. `units` are those with at least two verdicts, `same`
    those with one verdict only."""

    alpha: float | None
    units: int
    same: int


def agreement(units: Iterable[Mapping[str, Hashable]]) -> Agreement:
    """Alpha over `units`, each the values by observer; who did not judge a unit is simply absent.

    With o(c,k) the coincidences (each ordered pair of a unit's m values counts 1/(m-1)), n(c) their sums and n their
    total: alpha = 1 - (n-1) * sum over c != k of o(c,k) / sum over c != k of n(c) n(k).
    """
    weights: dict[tuple[Hashable, Hashable], float] = {}
    judged = same = 0
    for unit in units:
        values = list(unit.values())
        if len(values) < 2:  # noqa: PLR2004 - nobody to agree with
            continue
        judged += 1
        same += len(set(values)) == 1
        for place, one in enumerate(values):
            for other in values[:place] + values[place + 1 :]:
                weights[one, other] = weights.get((one, other), 0.0) + 1 / (len(values) - 1)
    totals: dict[Hashable, float] = {}
    for (one, _), weight in weights.items():
        totals[one] = totals.get(one, 0.0) + weight
    total = sum(totals.values())
    by_chance = total**2 - sum(count**2 for count in totals.values())
    if by_chance < 1e-9:  # noqa: PLR2004 - one value everywhere: nothing to tell apart
        return Agreement(None, judged, same)
    disagreed = sum(weight for (one, other), weight in weights.items() if one != other)
    return Agreement(1 - (total - 1) * disagreed / by_chance, judged, same)

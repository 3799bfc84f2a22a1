"""What a student costs: each turn, and its training spread over the turns it is to serve.

It knows rows, manifests and the price of a machine's hour. A cost that is not known is None, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import get_args

from bot.models.files import ArtifactError
from bot.models.kinds import KINDS
from bot.models.manifest import Manifest, read_manifest
from bot.sections import Provider
from training.evaluate.rows import Row

TRAINED = {kind.name for kind in KINDS} - set(get_args(Provider))
"""Kinds that only training makes; what an API serves may be anybody's, and is told by its id."""
PER = 1_000
"""Costs are given for so many turns."""


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars for `PER` turns: `serving` them, `training` as its share of them, and `total`.

    `training_usd`, `training_seconds`, `training_tokens` and `dialogues` are the manifest's. `why` says how the
    figures came about, or why there are none.
    """

    serving: float | None
    training: float | None
    total: float | None
    training_usd: float | None
    training_seconds: float | None
    training_tokens: int | None
    dialogues: int | None
    why: str


def manifest_of(models: Path, name: str, version: str) -> Manifest | None:
    """The manifest of a published version, None where it is none or cannot be read."""
    try:
        return read_manifest(models / name / version, name, version)
    except (ArtifactError, OSError):
        return None


def cost(
    rows: Sequence[Row], manifest: Manifest | None, turns: int, machine_hour: float | None = None
) -> Cost:
    """What `PER` turns cost when the training is to serve `turns` of them.

    Where replies are metered, serving is their mean; where the model runs here, the mean time of a turn at
    `machine_hour` dollars an hour, if that is given, one turn after another: an upper bound, since a machine
    answers several at once.
    """
    asked = [row for row in rows if row.voiced and not row.cache_hit]
    hosted = any(row.cost_usd is not None for row in asked) or bool(manifest and manifest.endpoint)
    serving, why = None, "no turns"
    if asked and hosted:
        known = [row.cost_usd for row in asked if row.cost_usd is not None]
        serving = PER * fmean(known) if len(known) == len(asked) else None
        why = "metered by the service" if serving is not None else "the price is not known"
    elif asked and machine_hour is not None:
        serving = PER * fmean(row.latency_ms for row in asked) / 3_600_000 * machine_hour
        why = f"runs here, at ${machine_hour:g} an hour of the machine"
    elif asked:
        why = "runs here; electricity is not metered"
    trained = _training_cost(rows, manifest, machine_hour)
    share = None if trained is None else PER * trained / turns
    total = None if serving is None or share is None else serving + share
    of = manifest.training if manifest else None
    return Cost(
        serving,
        share,
        total,
        trained,
        of.seconds if of else None,
        of.tokens if of else None,
        manifest.data.dialogues if manifest else None,
        why,
    )


def _training_cost(
    rows: Sequence[Row], manifest: Manifest | None, machine_hour: float | None
) -> float | None:
    """US dollars: nothing for what was never trained, what was paid, or the machine's time."""
    if manifest is None:
        trained = any(row.kind in TRAINED or row.version.startswith("ft:") for row in rows)
        return None if trained else 0.0
    training = manifest.training
    if training.cost_usd is not None:
        return training.cost_usd
    if manifest.endpoint is None and training.seconds is not None and machine_hour is not None:
        return training.seconds / 3600 * machine_hour
    return None

"""Gates: whether a freshly trained version may take the live one's place, and if not, why it waits.

A gate compares what two manifests say; it trains, measures and loads nothing. A person's `python -m bot use`
goes over it. It is the one way by which training publishes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.models import artifact, catalogue
from bot.models.files import ArtifactError
from bot.models.manifest import GATE, Manifest, read_manifest
from bot.sections import Gates

log = structlog.get_logger(__name__)

LOWER_IS_BETTER = ("loss", "seconds", "latency_ms", "cost_usd")
"""Figures whose name ends so should be small; all others should be large."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One named figure of two versions. `worse_by` is None where one of them does not have it."""

    metric: str
    ours: float | None
    live: float | None
    worse_by: float | None


def compare(ours: Mapping[str, Any], live: Mapping[str, Any], metric: str) -> Comparison:
    """Look `metric` up in two evaluations; a dot leads into a part, such as `comparison.optimised`."""
    one, other = _number(ours, metric), _number(live, metric)
    if one is None or other is None:
        return Comparison(metric, one, other, None)
    return Comparison(metric, one, other, one - other if metric.endswith(LOWER_IS_BETTER) else other - one)


def promotion(models: Path, manifest: Manifest, gates: Gates) -> tuple[bool, str]:
    """Whether this version may go live, and the reason in a line. Nothing is changed."""
    if not gates.enabled:
        return True, "gates are off"
    live = _live(models, manifest)
    if isinstance(live, str):
        return True, live
    found = [compare(manifest.evaluation, live.evaluation, metric) for metric in gates.metrics]
    behind = [each for each in found if each.worse_by is not None and each.worse_by > gates.tolerance]
    notes = list(_notes(found))
    if manifest.data.sha256 != live.data.sha256:
        notes.append("they learned from different dialogues")
    what = "; ".join(_line(each, live.version) for each in behind) or f"not behind {live.version}"
    return not behind, what + (f" ({'; '.join(notes)})" if notes else "")


def publish(
    models: Path, manifest: Manifest, files: Mapping[str, Path | bytes], *, promote: bool, gates: Gates
) -> Path:
    """Publish a version as `artifact.publish` does, live only if it was to be and passes; returns its folder.

    What the gate found is kept in the manifest, so that everybody who lists the version can say it.
    """
    if not promote:
        return artifact.publish(models, manifest, files, promote=False)
    passes, reason = promotion(models, manifest, gates)
    noted = {**manifest.evaluation, GATE: {"passed": passes, "reason": reason}}
    folder = artifact.publish(
        models, manifest.model_copy(update={"evaluation": noted}), files, promote=passes
    )
    if not passes:
        log.warning(
            "version waits as a candidate", model=manifest.name, version=manifest.version, reason=reason
        )
    return folder


def _live(models: Path, manifest: Manifest) -> Manifest | str:
    """The live version's manifest, or why there is none to compare with."""
    try:
        promoted = catalogue.promotions(models, manifest.name)
        if not promoted:
            return "no version is live yet"
        version = promoted[0].version
        return read_manifest(models / manifest.name / version, manifest.name, version)
    except ArtifactError as error:
        return f"the live version cannot be compared with: {error}"


def _number(evaluation: Mapping[str, Any], metric: str) -> float | None:
    found: Any = evaluation
    for part in metric.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def _line(each: Comparison, version: str) -> str:
    return f"{each.metric} is {each.ours:.4g}, and {each.live:.4g} in {version}"


def _notes(found: list[Comparison]) -> Iterator[str]:
    """Figures that one of the two does not have: they decide nothing, but nobody should think they were met."""
    missing = [each for each in found if each.worse_by is None and (each.ours, each.live) != (None, None)]
    if missing:
        yield f"not compared: {', '.join(each.metric for each in missing)}"
    if all(each.worse_by is None for each in found):
        yield "none of the named figures is known of both"

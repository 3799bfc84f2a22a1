"""The report of a comparison as one plain object, which JSON, page, pictures and documents are made of.

It gathers what others measured; it must not know how any of it will look.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.student.lessons import read_curriculum
from bot.student.records.reading import DataError, read_json
from bot.student.records.text import files_in
from training.corpus.read import sound
from training.corpus.stats import REAL_QUARTILES
from training.evaluate import compare, costs, counts, metrics, stages
from training.evaluate.compare import Speaker
from training.evaluate.conversations import side_by_side
from training.evaluate.metrics import METRICS
from training.evaluate.stages import GOLDEN_FILE, Ear
from training.evaluate.written import Evaluation

SCHEMA = 1
REPORT = "report.json"
DIGITS = 4


def assemble(  # noqa: PLR0913 - what a report is made of
    run: Evaluation,
    *,
    data: Path,
    turns: int,
    machine_hour: float | None = None,
    people: Mapping[str, Any] | None = None,
    draws: int = compare.DRAWS,
) -> dict[str, Any]:
    """The whole report of a run.

    `data` is the folder with dialogues, lessons and published models, `people` what persons judged.

    Raise `DataError` where the run has no model's rows.
    """
    models, controls = compare.speakers(run)
    if not models:
        raise DataError(f"{run.id}: has rows of controls only; nothing to compare")
    sections = sorted({row.section for row in run.rows})
    ear = stages.read_ear(data / "dialogues")
    report = {
        "schema": SCHEMA,
        "run": {
            "id": run.id,
            **{
                key: run.settings.get(key)
                for key in ("preset", "seed", "seeds", "prompt_version", "started_at")
                if key in run.settings
            },
            "rows": len(run.rows),
            "sections": sections,
            "draws": draws,
        },
        "corpus": count(data),
        "turns": turns,
        "machine_hour": machine_hour,
        "stage_names": list(stages.STAGES),
        "real_quartiles": list(REAL_QUARTILES),
        "metrics": [
            {
                "id": each.id,
                "name": each.name,
                "side": each.side,
                "low": each.low,
                "high": each.high,
                "source": each.source,
                "separates": metrics.separates(each, {one.name: one.rows for one in controls}),
            }
            for each in METRICS
        ],
        "models": [_model(each, data / "models", ear, turns, machine_hour, draws) for each in models],
        "controls": [
            {"name": each.name, "version": each.version, "rows": len(each.rows), "figures": each.figures()}
            for each in controls
        ],
        "golden_stages": stages.as_authored(ear, data / "dialogues"),
        "pairs": [asdict(each) | {"parts": each.parts} for each in compare.pairs(models, count=draws)],
        "people": people or {"ratings": [], "blind": []},
        "transcripts": side_by_side(models, controls),
    }
    rounded: dict[str, Any] = _rounded(report)
    return rounded


def _model(  # noqa: PLR0913 - what a report is made of
    speaker: Speaker, published: Path, ear: Ear, turns: int, machine_hour: float | None, draws: int
) -> dict[str, Any]:
    found = compare.estimates(speaker, count=draws)
    golden = [row for row in speaker.rows if row.section == "golden"]
    manifest = costs.manifest_of(published, speaker.rows[0].model, speaker.version)
    return {
        "name": speaker.name,
        "version": speaker.version,
        "kind": speaker.kind,
        "rows": len(speaker.rows),
        "seeds": len({row.seed for row in speaker.rows}),
        "figures": {
            name: asdict(each)
            | ({"inside": metrics.BY_ID[name].inside(each.value)} if name in metrics.BY_ID else {})
            for name, each in found.items()
        },
        "bands": [asdict(each) | {"inside": each.inside} for each in metrics.bands(golden)] if golden else [],
        "voiced": counts.voiced(speaker.rows),
        "latency_ms": counts.latency(speaker.rows),
        "words": counts.lengths(speaker.rows),
        "stages": stages.confusion(ear, speaker.rows),
        "cost": asdict(costs.cost(speaker.rows, manifest, turns, machine_hour)),
    }


def count(data: Path) -> dict[str, int]:
    """How much there is to learn from: dialogues, turns, children, lessons, misconceptions. Raise `DataError`."""
    lessons = read_curriculum(data).lessons.values()
    roles: Counter[str] = Counter()
    dialogues = golden = 0
    for path in files_in(data / "dialogues", "*.jsonl"):
        for _, dialogue in sound([path]):
            dialogues += 1
            golden += path.name == GOLDEN_FILE
            roles.update(turn.role.value for turn in dialogue.turns)
    return {
        "dialogues": dialogues,
        "golden": golden,
        "teacher_turns": roles["teacher"],
        "student_turns": roles["student"],
        "children": len(files_in(data / "children", "*.toml")),
        "lessons": len(lessons),
        "misconceptions": sum(len(lesson.misconceptions) for lesson in lessons),
    }


def winner(report: Mapping[str, Any], figure: str) -> str | None:
    """The one model that is ahead of every other in `figure` beyond chance, None where there is no such one."""
    names = [model["name"] for model in report["models"]]
    ahead = {
        (pair["ours"], pair["theirs"]) if pair["difference"] > 0 else (pair["theirs"], pair["ours"])
        for pair in report["pairs"]
        if pair["figure"] == figure and pair["parts"]
    }
    best = [name for name in names if all((name, other) in ahead for other in names if other != name)]
    return best[0] if best and len(names) > 1 else None


def write(report: Mapping[str, Any], path: Path) -> None:
    """Write it as JSON, the same bytes for the same report; raise `DataError`."""
    try:
        path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None


def read(path: Path) -> dict[str, Any]:
    """A report as `write` wrote it; raise `DataError`."""
    if not path.exists():
        raise DataError(f"{path}: no report yet; python -m training compare writes it")
    found = read_json(dict[str, Any], path)
    if found.get("schema") != SCHEMA:
        raise DataError(f"{path}: expected a report of schema {SCHEMA}; python -m training compare writes it")
    return found


def _rounded(value: Any) -> Any:
    """Floats to so many digits behind the point, small ones to as many that say something."""
    if isinstance(value, float):
        return round(value, DIGITS) if abs(value) >= 0.01 else float(f"{value:.{DIGITS}g}")  # noqa: PLR2004
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(each) for each in value]
    return value

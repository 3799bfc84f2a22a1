"""An evaluation as it was written down: which runs there are, their settings and rows. It knows no figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.student.records.reading import DataError, read_json
from training.evaluate.rows import Row, read_rows

SETTINGS, ROWS = "settings.json", "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation as it was written down."""

    id: str
    settings: Mapping[str, Any]
    rows: tuple[Row, ...]


def find(runs: Path, run: str | None) -> Path:
    """The folder of a run by id or path, of the newest one when None; raise `DataError`."""
    if run is not None:
        for folder in (runs / run, Path(run)):
            if (folder / ROWS).is_file():
                return folder
        raise DataError(
            f"{runs / run}: no evaluation there (expected {ROWS}); see python -m training evaluate"
        )
    found = sorted(
        (each.parent for each in runs.glob(f"*/{ROWS}")), key=lambda folder: (folder / ROWS).stat().st_mtime
    )
    if not found:
        raise DataError(f"{runs}: no evaluation yet; run python -m training evaluate MODEL first")
    return found[-1]


def read(folder: Path) -> Evaluation:
    """An evaluation's settings and rows; raise `DataError`."""
    path = folder / SETTINGS
    settings = read_json(dict[str, Any], path) if path.exists() else {}
    rows = read_rows(folder / ROWS)
    if not rows:
        raise DataError(f"{folder / ROWS}: no whole conversation in it yet")
    return Evaluation(folder.name, settings, tuple(rows))

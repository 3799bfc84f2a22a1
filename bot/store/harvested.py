"""The files that harvested dialogues went into, and how somebody's dialogues leave them again.

Beside each `dialogues/harvested-DATE.jsonl` lies `harvested-DATE.lineage.json`, which says where every dialogue
comes from; pairs for preference training lie in `preferences/harvested-DATE.jsonl`. It knows ids and lines, and
nothing of the database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

DIALOGUES, PREFERENCES = "dialogues", "preferences"


def dialogues_file(data: Path, name: str) -> Path:
    """Where the dialogues of that publication lie; `name` is such as `harvested-2026-03-02`."""
    return data / DIALOGUES / f"{name}.jsonl"


def lineage_file(data: Path, name: str) -> Path:
    """Where their origin is written: `{"dialogues": {id: lineage or tombstone}}`."""
    return data / DIALOGUES / f"{name}.lineage.json"


def preferences_file(data: Path, name: str) -> Path:
    """Where the pairs of a better and a worse line lie."""
    return data / PREFERENCES / f"{name}.jsonl"


def read_lineage(path: Path) -> dict[str, Any]:
    """The sidecar's content, empty where there is none. Raises `OSError` or `ValueError`."""
    if not path.exists():
        return {"dialogues": {}}
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not isinstance(found.get("dialogues"), dict):
        raise ValueError(f"{path}: expected an object with 'dialogues'")
    return found


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file, none where there is no file. Raises `OSError` or `ValueError`."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Replace a JSONL file as a whole: a crash leaves the old one or the new one. Without rows it goes away."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if text:
        _replace(path, text)
    else:
        path.unlink(missing_ok=True)


def write_lineage(path: Path, lineage: dict[str, Any]) -> None:
    """Replace a sidecar as a whole."""
    _replace(path, json.dumps(lineage, ensure_ascii=False, indent=1) + "\n")


def bury(data: Path, ids: Collection[str], when: str) -> int:
    """Take the dialogues with these ids out of every harvested file; leave a tombstone in the sidecar that says
    when. Gives how many dialogues left. Doing it again changes nothing. Raises `OSError` or `ValueError`.
    """
    gone = set(ids)
    count = 0
    for path in sorted((data / DIALOGUES).glob("harvested-*.jsonl")) if gone else ():
        # Lines last: while a line is still there, the next call finds it again.
        preferences = preferences_file(data, path.stem)
        pairs = read_lines(preferences)
        if any(pair.get("dialogue") in gone for pair in pairs):
            write_lines(preferences, (pair for pair in pairs if pair.get("dialogue") not in gone))
        rows = read_lines(path)
        here = [row["id"] for row in rows if row.get("id") in gone]
        if here:
            sidecar = lineage_file(data, path.stem)
            lineage = read_lineage(sidecar)
            lineage["dialogues"].update({each: {"gone": when} for each in here})
            write_lineage(sidecar, lineage)
            write_lines(path, (row for row in rows if row.get("id") not in gone))
            count += len(here)
    return count


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

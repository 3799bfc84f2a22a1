"""The files that harvested dialogues went into, and how somebody's dialogues leave them again.

Beside each `dialogues/harvested-DATE.jsonl` lies `harvested-DATE.lineage.json`, which says where every dialogue
comes from; pairs for preference training lie in `preferences/harvested-DATE.jsonl`. A run of training that keeps
dialogues' words says in its `lineage.json` whose. It knows ids and lines, and nothing of the database.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.student.records.reading import read_json
from bot.student.records.text import lines_of

DIALOGUES, PREFERENCES, RUNS = "dialogues", "preferences", "runs"
RUN_LINEAGE = "lineage.json"
_ID = re.compile(r"harvested-[0-9a-f]{16}")
"""The id of a harvested dialogue, as a harvest makes it."""


@dataclass(frozen=True, slots=True)
class _Sidecar:
    dialogues: dict[str, dict[str, Any]]


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
    return {"dialogues": read_json(_Sidecar, path).dialogues}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file, none where there is no file. Raises `OSError` or `ValueError`."""
    if not path.exists():
        return []
    return [json.loads(line) for line in lines_of(path) if line.strip()]


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
    """Take the dialogues with these ids out of every harvested file, and of all `*.jsonl` below `data` that were made
    from them (pairs, splits, a cloud's training files); leave a tombstone in the sidecars that says when.

    Gives how many lines left. Doing it again changes nothing. Raises `OSError` or `ValueError`.
    """
    gone = set(ids)
    if not gone:
        return 0
    for path in data.rglob(".*.new"):
        if _names(path, gone):
            path.unlink()  # what a crash left of a write
    count = 0
    for run in sorted(data.glob(f"{RUNS}/*/{RUN_LINEAGE}")):
        count += _bury_run(run, gone, when)
    for sidecar in sorted((data / DIALOGUES).glob("harvested-*.lineage.json")):
        _entomb(sidecar, gone, when)
    # Lines last: while a line is still there, the next call finds it again.
    for path in sorted(data.rglob("*.jsonl")):
        if _names(path, gone):
            count += _strike(path, gone)
    return count


def write_run(folder: Path, lineage: Mapping[str, Sequence[int]]) -> None:
    """Say in a run's folder whose words its `*.jsonl` files hold, by dialogue, so that `bury` finds them: rows as a
    cloud takes them have no ids."""
    told = {identifier: {"turns": ids} for identifier, ids in lineage.items()}
    if told or (folder / RUN_LINEAGE).exists():
        write_lineage(folder / RUN_LINEAGE, {"dialogues": told})


def learned(data: Path, ids: Collection[str]) -> list[str]:
    """The published versions, as "name version", whose manifests name one of these dialogues. Raises `OSError`."""
    found = []
    for path in sorted(data.glob("models/*/*/manifest.json")):
        try:
            lineage = json.loads(path.read_text(encoding="utf-8"))["data"]["lineage"]
            if not set(ids).isdisjoint(lineage):
                found.append(f"{path.parent.parent.name} {path.parent.name}")
        except (ValueError, KeyError, TypeError):
            continue  # no lineage, or no version that could be served
    return found


def _bury_run(sidecar: Path, gone: Collection[str], when: str) -> int:
    """Nobody can tell which rows of a run's files are whose: all of them go."""
    if not _entomb(sidecar, gone, when):
        return 0
    count = 0
    for path in sidecar.parent.glob("*.jsonl"):
        with path.open("rb") as file:
            count += sum(1 for _ in file)
        path.unlink()
    return count


def _entomb(sidecar: Path, gone: Collection[str], when: str) -> bool:
    """Whether one of them was in the sidecar and still alive."""
    lineage = read_lineage(sidecar)
    here = [each for each, told in lineage["dialogues"].items() if each in gone and "gone" not in told]
    if here:
        lineage["dialogues"].update({each: {"gone": when} for each in here})
        write_lineage(sidecar, lineage)
    return bool(here)


def _ids(line: str) -> set[str]:
    return set(_ID.findall(line))


def _names(path: Path, gone: Collection[str]) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return any(not _ids(line).isdisjoint(gone) for line in file)


def _strike(path: Path, gone: Collection[str]) -> int:
    """Leave the lines out that name one of them; the file is replaced as a whole, and without lines it goes away."""
    with path.open(encoding="utf-8") as file:
        lines = list(file)
    kept = [line for line in lines if _ids(line).isdisjoint(gone)]
    if kept:
        _replace(path, "".join(kept))
    else:
        path.unlink()
    return len(lines) - len(kept)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

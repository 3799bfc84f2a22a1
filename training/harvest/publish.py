"""Approved candidates become files: dialogues, where they come from, and pairs of a better and a worse line.

The files are written from the database alone, so writing them again changes nothing, and a crash in between is mended
by the next call. Who left since is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bot.store import harvested
from bot.store.candidates import Candidates
from bot.store.rows import Candidate, CandidateState, Review
from bot.student.records.dialogue import Dialogue, Role
from bot.student.records.reading import DataError


@dataclass(frozen=True, slots=True)
class Published:
    """One publication: its files, and how many dialogues and pairs they hold."""

    name: str
    dialogues: int
    pairs: int
    path: Path


async def publish(candidates: Candidates, data: Path, day: date, *, least: int = 1) -> list[Published]:
    """Assign what was approved (by at least `least` people, rejected by none) to today's publication, and bring
    all files in line with the database. Raises `StoreError`, `DataError`.
    """
    await candidates.approve(f"harvested-{day.isoformat()}", least)
    done = []
    try:
        for name in await candidates.publications():
            done.append(_write(data, name, await candidates.published(name), day))
        harvested.bury(data, await candidates.left(), day.isoformat())
    except (OSError, ValueError) as error:
        raise DataError(f"harvested files: {error}") from None
    return done


def _write(data: Path, name: str, rows: list[tuple[Candidate, Review | None]], day: date) -> Published:
    path, sidecar = harvested.dialogues_file(data, name), harvested.lineage_file(data, name)
    ours = {row.key for row, _ in rows}
    lineage = harvested.read_lineage(sidecar)
    # Lines of another database under the same name stay: they are not ours to judge.
    lines = [line for line in harvested.read_lines(path) if line.get("id") not in ours]
    pairs = [
        pair
        for pair in harvested.read_lines(harvested.preferences_file(data, name))
        if pair.get("dialogue") not in ours
    ]
    own = new = 0
    for row, review in rows:
        if (
            row.state is not CandidateState.PENDING
            or review is None
            or row.record is None
            or row.lineage is None
        ):
            tombstone = lineage["dialogues"].get(row.key, {})
            lineage["dialogues"][row.key] = tombstone if "gone" in tombstone else {"gone": day.isoformat()}
            continue
        original = Dialogue.from_json(row.record)
        final = Dialogue.from_json(review.record or row.record)
        lines.append(final.to_json())
        lineage["dialogues"][row.key] = _lineage(row.lineage, original, final)
        found = preferences(original, final, row.lineage["rejected"])
        pairs += found
        own, new = own + 1, new + len(found)
    lines.sort(key=lambda line: str(line["id"]))
    pairs.sort(key=lambda pair: str(pair["id"]))
    harvested.write_lineage(sidecar, {"dialogues": dict(sorted(lineage["dialogues"].items()))})
    harvested.write_lines(harvested.preferences_file(data, name), pairs)
    harvested.write_lines(path, lines)
    return Published(name, own, new, path)


def _lineage(lineage: Mapping[str, Any], original: Dialogue, final: Dialogue) -> dict[str, Any]:
    """Where a dialogue comes from; the worse lines are in the pairs. `edited` are the turns that a person changed: a
    reviewer, whoever suggested a line, or the teacher who put right how a turn was heard."""
    told = {name: value for name, value in lineage.items() if name not in ("rejected", "put_right")}
    put_right = lineage.get("put_right", ())
    edited = [
        place
        for place, (was, now) in enumerate(zip(original.turns, final.turns, strict=True))
        if was != now or str(place) in lineage["rejected"] or place in put_right
    ]
    return {**told, "edited": edited}


def preferences(original: Dialogue, final: Dialogue, rejected: Mapping[str, str]) -> list[dict[str, Any]]:
    """A pair for every line of the child that a person replaced: with the dialogue before it, the line that is
    better and the model's own. What somebody only respelled is a pair, too."""
    pairs = []
    for place, (was, now) in enumerate(zip(original.turns, final.turns, strict=True)):
        worse = rejected.get(str(place), was.content)
        if now.role is not Role.STUDENT or now.content == worse:
            continue
        pairs.append(
            {
                "id": f"{final.id}-{place}",
                "dialogue": final.id,
                "child": final.child,
                "lesson": final.lesson,
                "turns": [turn.to_json() for turn in final.turns[:place]],
                "thought": now.thought.to_json() if now.thought else None,
                "chosen": now.content,
                "rejected": worse,
            }
        )
    return pairs

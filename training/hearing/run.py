"""The ear trained on everything that people labelled, measured, and published.

Words on the terminal, progress and files; what is learned is `fit`, from what `rows`, the pictures `picture`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import time
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import track

from bot.cli.exits import fail
from bot.config import Settings
from bot.models.ear import FILE, write_reader
from bot.models.files import ArtifactError
from bot.models.kinds.ear import EAR, NAME
from bot.models.manifest import Data, Manifest, Prompt, Training
from bot.student.lessons import read_curriculum
from bot.student.voicing.prompt import VERSION
from training.corpus.read import OPEN_TALK
from training.evaluate import gates
from training.hearing import picture, rows
from training.hearing.fit import Scores, fit, label, scores, seen
from training.hearing.rows import Labelled

IN_LESSONS, IN_OPEN_TALK = 1.5, 0.1
"""How much a labelled line of a lesson and one of open talk count beside one of a teaching dialogue: chosen on
`lessons-two.jsonl` with the reader trained without it."""
PUT_RIGHT = 3.0
"""The same of a turn of real practice that a person put right: there the ear was wrong."""
STRANGERS = "strangers"
"""Lines of people who have seen neither rules nor lessons' help: measured on, never learned from."""


def run(settings: Settings, *, publish: bool, candidate: bool) -> None:
    """Train it, and `publish` it as a version: live, or a `candidate` beside the old one, which listens on."""
    console, started = Console(stderr=True), time.perf_counter()
    curriculum = read_curriculum(settings.data)
    learned = rows.training(settings.data, curriculum)
    kept = list(rows.from_file(settings.data / "hearing" / f"{STRANGERS}.jsonl", curriculum))
    if not learned:
        fail(f"{settings.data}: no labelled turns; expected dialogues, open/ and hearing/")
    found = [seen(row, curriculum) for row in track(learned, "reading turns", console=console)]
    with console.status(f"fitting {len(learned):,} turns"):
        reader = fit(learned, found, [_counts(row) for row in learned])
    said = [_heard(reader.read(seen(row, curriculum))) for row in kept]
    result = scores(kept, said)
    version = f"hearing-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    folder = settings.data / "runs" / version
    folder.mkdir(parents=True, exist_ok=True)
    picture.confusion(result, folder / "confusion.png")
    figures = _figures(result, kept, said)
    (folder / "result.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    console.print(
        f"{len(learned):,} turns learned, {len(kept)} of strangers: accuracy {figures['accuracy']:.3f}, "
        f"macro-F1 {figures['macro_f1']:.3f}, help recalled {figures['help_recalled']:.0%}, "
        f"wrong teaching taken for help {figures['wrong_as_help']} of {figures['wrong']}"
    )
    console.print(f"the picture: {folder / 'confusion.png'}")
    if not publish:
        return
    manifest = Manifest(
        name=NAME,
        version=version,
        kind=EAR.name,
        prompt=Prompt(version=VERSION),
        data=Data(
            sha256=_checksum(learned), dialogues=0, split={"turns": len(learned), "strangers": len(kept)}
        ),
        training=Training(
            method="hearing",
            settings={"in_lessons": IN_LESSONS, "in_open_talk": IN_OPEN_TALK},
            seconds=round(time.perf_counter() - started, 1),
            packages={"scikit-learn": importlib.metadata.version("scikit-learn")},
        ),
        evaluation=figures,
    )
    try:
        gates.publish(
            settings.data / "models",
            manifest,
            {FILE: write_reader(reader)},
            promote=not candidate,
            gates=settings.gates,
        )
    except ArtifactError as error:
        fail(str(error))
    console.print(f"published as {NAME} {version}")


def _counts(row: Labelled) -> float:
    if row.source in OPEN_TALK:
        return IN_OPEN_TALK
    if row.source.startswith(rows.HARVESTED):
        return PUT_RIGHT
    return IN_LESSONS if row.source in rows.LESSONS else 1.0


def _heard(likely: dict[str, float]) -> str:
    return max(likely, key=lambda move: likely[move])


def _figures(result: Scores, kept: list[Labelled], said: list[str]) -> dict[str, Any]:
    wrong = [name for row, name in zip(kept, said, strict=True) if label(row.moves[0]) == "reinforces"]
    return {
        "accuracy": round(result.accuracy, 4),
        "macro_f1": round(result.macro_f1, 4),
        "help_recalled": round(result.recall.get("helps", 0.0), 4),
        "wrong": len(wrong),
        "wrong_as_help": wrong.count("helps"),
        "recall": {move: round(share, 3) for move, share in result.recall.items()},
    }


def _checksum(learned: list[Labelled]) -> str:
    lines = (f"{row.lesson}\t{row.text}\t{'+'.join(row.moves)}\n" for row in learned)
    return hashlib.sha256("".join(lines).encode()).hexdigest()

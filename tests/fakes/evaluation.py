"""A small evaluation as it lies on the disk: two models and the controls, with figures that are known beforehand.

What is said comes from the golden dialogues; who says it, how fast and how well is made up.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.fakes.students import DATA
from training.evaluate.rows import Row

NASTY = "<script>alert('x')</script> & \"quotes\""
GAIN = 0.5
"""By how much more often the trained model is as it should be in the arms."""


def golden(model: str, kind: str, *, dialogues: int, spoil: float, seed: int = 0) -> Iterator[Row]:
    """The golden turns, of which a share is said like a grown-up."""
    rng = random.Random(f"{model}:{seed}")
    lines = (DATA / "dialogues" / "test.jsonl").read_text(encoding="utf-8").splitlines()[:dialogues]
    for line in lines:
        record = json.loads(line)
        teacher, turn = "", 0
        said = [each for each in record["turns"] if each["role"] == "student"]
        for each in record["turns"]:
            if each["role"] == "teacher":
                teacher = each["content"]
                continue
            turn += 1
            spoiled = rng.random() < spoil
            text = "Thank you, I understand now that this makes sense to me." if spoiled else each["content"]
            yield Row(
                model=model,
                version="1",
                kind=kind,
                section="golden",
                item=f"{record['id']}/{turn:03}",
                cluster=record["id"],
                seed=seed,
                turn=1,
                child=record["child"],
                lesson=record["lesson"],
                teacher=teacher,
                text=text,
                thought=each["thought"],
                voiced=None if kind == "control" else "phrasing" if spoiled else "model",
                scores={}
                if kind == "control"
                else {
                    "voiced.model": float(not spoiled),
                    "voiced.phrasing": float(spoiled),
                    "states": float(not spoiled),
                },
                latency_ms=400.0 + 100 * turn,
                prompt_tokens=100,
                completion_tokens=10,
                cost_usd=0.0001 if kind == "openai" else None,
                last=turn == len(said),
            )


def arms(model: str, kind: str, share: float, *, clusters: int, seed: int = 0) -> Iterator[Row]:
    """One row for each family of items and arm, as expected in that share of them."""
    rng = random.Random(f"arms:{model}:{seed}")
    names = ("arms.none", "arms.tell", "arms.generic2", "arms.misaligned", "arms.targeted4")
    for cluster in range(clusters):
        scores = {name: float(rng.random() < share) for name in names}
        scores["arms.misaligned"] = 1 - scores["arms.misaligned"]
        yield Row(
            model=model,
            version="1",
            kind=kind,
            section="arms",
            item=f"idea-{cluster}",
            cluster=f"idea-{cluster}",
            seed=seed,
            turn=1,
            child="mia",
            lesson="2.NBT.B.5-subtract",
            teacher="What is 52 minus 17?",
            text=f"It's 45. {NASTY}" if cluster == 0 else "It's 45.",
            thought={"kind": "answer", "answer": "45", "stage": "holds"},
            voiced=None if kind == "control" else "model",
            scores=scores,
            latency_ms=500.0,
            cost_usd=0.0001 if kind == "openai" else None,
        )


def rows(*, dialogues: int = 12, clusters: int = 30) -> list[Row]:
    """`base` and the better `starter`, and the controls."""
    found: list[Row] = []
    for model, kind, spoil, share in (
        ("base", "embedded", 0.4, 0.4),
        ("starter", "lora", 0.05, 0.4 + GAIN),
        ("golden", "control", 0.0, 1.0),
        ("adult", "control", 1.0, 0.0),
    ):
        found += golden(model, kind, dialogues=dialogues, spoil=spoil)
        found += arms(model, kind, share, clusters=clusters)
    return found


def write(folder: Path, made: Sequence[Row], models: Sequence[str] = ("base", "starter")) -> Path:
    """Lay a run's folder out."""
    folder.mkdir(parents=True)
    settings = {
        "preset": "small",
        "seed": 0,
        "prompt_version": "2",
        "started_at": "2026-01-01T00:00:00+00:00",
        "models": [{"name": name, "version": "1", "kind": "embedded"} for name in models],
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "rows.jsonl").write_text("".join(row.to_line() + "\n" for row in made), encoding="utf-8")
    return folder

"""An optimised program as a version: its state checked, its manifest, and what the gates say of it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from bot.config import Settings
from bot.models import catalogue, manifest
from bot.models.program import StudentSimulationModel
from bot.models.program_state import STATE_FILE, check_state
from bot.student.records.dialogue import Dialogue
from bot.student.voicing import prompt
from training.evaluate import gates
from training.harvest.origin import Origins


def written(program: StudentSimulationModel, folder: Path) -> bytes:
    """The program's state, checked as the bot will check it, and kept in the run's folder."""
    state = (json.dumps(program.dump_state(), ensure_ascii=False, indent=1) + "\n").encode()
    check_state(state)
    (folder / STATE_FILE).write_bytes(state)
    return state


def publish(  # noqa: PLR0913 - what a manifest is made of
    settings: Settings,
    name: str,
    seed: int,
    base: manifest.Base,
    state: bytes,
    learnt: list[Dialogue],
    validated: list[Dialogue],
    origins: Origins,
    record: dict[str, Any],
) -> str:
    """Publish the program and give its version; it goes live where it is surely better and the gates let it."""
    models = settings.data / "models"
    version = catalogue.next_version(models, name)
    lines = sorted(dialogue.to_line() for dialogue in (*learnt, *validated))
    gates.publish(
        models,
        manifest.Manifest(
            name=name,
            version=version,
            kind="dspy",
            base=base,
            prompt=manifest.Prompt(version=prompt.VERSION),
            data=manifest.Data(
                sha256=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
                dialogues=len(lines),
                split={"training": len(learnt), "validation": len(validated)},
                generation=origins.generation([*learnt, *validated]),
                lineage=origins.lineage([*learnt, *validated]),
            ),
            training=manifest.Training(
                method="dspy",
                settings=record["settings"],
                seed=seed,
                seconds=record["seconds"],
                tokens=record["tokens"],
                cost_usd=record["cost_usd"],
                packages={"dspy": importlib.metadata.version("dspy")},
            ),
            evaluation=record["comparison"],
        ),
        {STATE_FILE: state},
        promote=record["comparison"]["low"] > 0,
        gates=settings.gates,
    )
    return version

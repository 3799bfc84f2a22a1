"""A finished LoRA run becomes a published version, which the bot finds like any other.

It knows a run's result and the manifest. Whether it should be published at all is the command's question.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path
from typing import Any

from bot.models.lora import base_checksum
from bot.models.manifest import Base, Manifest, Prompt, Training
from bot.models.manifest import Data as DataEntry
from bot.sections import Gates
from bot.student.voicing.prompt import VERSION
from training.evaluate import gates
from training.methods.gguf_adapter import CONFIG, GGUF, WEIGHTS
from training.methods.lora_settings import Data, Result, Settings

PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "gguf")


def publish(  # noqa: PLR0913 - what a manifest is made of
    result: Result,
    settings: Settings,
    data: Data,
    gguf: Path,
    models: Path,
    name: str,
    *,
    promote: bool,
    gate: Gates = Gates(),  # noqa: B008 - frozen
) -> Path:
    """Publish the run's adapter as a version of `name`, the run's id being the version; returns its folder.

    `gguf` is the base that it was trained on. Raise `ArtifactError` when it would not be served.
    """
    agreement = result.agreement
    manifest = Manifest(
        name=name,
        version=result.folder.name,
        kind="lora",
        base=Base(id=gguf.stem, sha256=base_checksum(gguf)),
        prompt=Prompt(version=VERSION),
        data=DataEntry(
            sha256=data.sha256,
            dialogues=len(data.train),
            split={"train": len(data.train), "validation": len(data.validation)},
            generation=data.origins.generation(data.dialogues),
            lineage=data.origins.lineage(data.dialogues),
        ),
        training=Training(
            method="lora",
            settings=_settings(settings, gguf),
            seed=settings.seed,
            seconds=round(result.seconds, 1),
            tokens=result.tokens,
            packages={package: importlib.metadata.version(package) for package in PACKAGES},
            git_sha=_git_sha(),
        ),
        evaluation={
            "validation_loss": result.validation_loss,
            "base_validation_loss": result.base_loss,
            "same_replies": agreement and {"prompts": agreement.prompts, "same": agreement.same},
        },
    )
    files: dict[str, Path | bytes] = {each: result.adapter / each for each in (WEIGHTS, CONFIG, GGUF)}
    return gates.publish(models, manifest, files, promote=promote, gates=gate)


def _settings(settings: Settings, gguf: Path) -> dict[str, Any]:
    """The base by its name: a path on this machine would tell others nothing."""
    return {**settings.model_dump(), "base": gguf.name}


def _git_sha() -> str | None:
    """The commit that is checked out, None outside of a clone."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - git is where the user has it
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()

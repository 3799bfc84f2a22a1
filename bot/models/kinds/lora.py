"""A LoRA adapter for the embedded model, on whichever engine runs it: PEFT's two files and llama.cpp's one."""

from __future__ import annotations

from pathlib import Path

from bot.models import lora
from bot.models.base import StudentModel
from bot.models.embedded import EmbeddedModel
from bot.models.engines.base import Engine
from bot.models.files import ArtifactError
from bot.models.kinds.base import ArtifactKind
from bot.models.manifest import Manifest
from bot.models.opening import Opener, replies


def _examine(opener: Opener, manifest: Manifest, folder: Path) -> None:
    if manifest.base is None or manifest.base.sha256 is None:
        raise ArtifactError("base: expected the sha256 of the GGUF file the adapter was trained on")
    lora.check(folder, opener.runs_here(manifest.base))


async def _open(opener: Opener, manifest: Manifest, folder: Path) -> StudentModel:
    picked = await opener.engines.choice()
    if picked.name == "vllm":
        # The server reads the files itself, and our checked copy is out of its sight.
        folder = opener.settings.data / "models" / manifest.name / manifest.version
    adapter, cue = folder / lora.GGUF, opener.cue()

    def served_by(engine: Engine) -> StudentModel:
        return EmbeddedModel(
            manifest.name,
            manifest.version,
            engine,
            temperature=opener.settings.engine.temperature,
            adapter=adapter,
        )

    return served_by(await opener.engines.put_on(adapter, lambda engine: replies(served_by(engine), cue)))


LORA = ArtifactKind("lora", frozenset({lora.GGUF, lora.WEIGHTS, lora.CONFIG}), _examine, _open)

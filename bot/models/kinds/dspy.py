"""A prompt that DSPy optimised, for the embedded model or one behind an API: the program's state in one file."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any

from bot.models.base import StudentModel
from bot.models.files import ArtifactError
from bot.models.kinds.base import ArtifactKind
from bot.models.manifest import Manifest
from bot.models.opening import Opener, price, proved
from bot.models.program_state import STATE_FILE, ProgramError, read_state


def _examine(opener: Opener, manifest: Manifest, folder: Path) -> None:
    if manifest.base is not None and manifest.base.sha256 is not None:
        opener.runs_here(manifest.base)
    else:
        opener.served_at(manifest)
    try:
        read_state(folder)
    except ProgramError as error:
        raise ArtifactError(str(error)) from None


async def _open(opener: Opener, manifest: Manifest, folder: Path) -> StudentModel:
    # DSPy takes seconds to import, during which everybody else is to be answered.
    program = await asyncio.to_thread(importlib.import_module, "bot.models.program")
    settings = opener.settings
    backend: Any
    if manifest.endpoint is None:
        backend = program.Embedded(await opener.engines.llama_cpp(), settings.engine.temperature)
    else:
        wanted = opener.served_at(manifest)
        backend = program.Endpoint(
            model=wanted.model,
            base_url=wanted.base_url,
            api_key=settings.key(wanted.key_variable),
            timeout_s=wanted.timeout_seconds,
            max_retries=wanted.max_retries,
            temperature=wanted.temperature,
            price=price(settings, wanted),
        )
    try:
        model: StudentModel = program.open_program(manifest.name, manifest.version, folder, backend)
    except program.ProgramError as error:
        raise ArtifactError(str(error)) from None
    return await proved(model, opener.cue())


DSPY = ArtifactKind("dspy", frozenset({STATE_FILE}), _examine, _open)

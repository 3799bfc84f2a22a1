"""A model that was trained behind an API: no files, only the id to ask for and the address to ask at."""

from __future__ import annotations

from pathlib import Path

from bot.models.base import StudentModel
from bot.models.kinds.base import ArtifactKind
from bot.models.manifest import Manifest
from bot.models.opening import Opener, chat_model, proved


def _examine(opener: Opener, manifest: Manifest, _: Path) -> None:
    opener.served_at(manifest)


async def _open(opener: Opener, manifest: Manifest, _: Path) -> StudentModel:
    return await proved(chat_model(opener.settings, manifest.name, opener.served_at(manifest)), opener.cue())


OPENAI = ArtifactKind("openai", frozenset(), _examine, _open)

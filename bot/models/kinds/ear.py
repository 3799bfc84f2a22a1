"""A trained ear: what hears a teacher's move. It gives the child no words, so no conversation chooses it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.models.ear import FILE, Ear, read_reader
from bot.models.files import ArtifactError
from bot.models.kinds.base import ArtifactKind
from bot.models.manifest import Manifest
from bot.models.opening import Opener

NAME = "ear"
"""The published name that the bot listens with."""


def _examine(_: Opener, __: Manifest, folder: Path) -> None:
    read_reader(folder)


async def _open(_: Opener, __: Manifest, folder: Path) -> Ear:
    reader = await asyncio.to_thread(read_reader, folder)
    likely = reader.read({"w:why": 1.0})
    if not 0.999 < sum(likely.values()) < 1.001:  # noqa: PLR2004 - shares of one whole
        raise ArtifactError(f"{FILE}: its likelihoods do not add up")
    return Ear(reader)


EAR = ArtifactKind("ear", frozenset({FILE}), _examine, _open, speaks=False)

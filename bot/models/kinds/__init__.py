"""The kinds of published version: from a manifest and its files to something that is open.

A kind is a file here that makes an `ArtifactKind`, and its line in `KINDS`; nothing else names it.
"""

from __future__ import annotations

from typing import Any

from bot.models.files import MANIFEST, ArtifactError
from bot.models.kinds.base import ArtifactKind
from bot.models.kinds.dspy import DSPY
from bot.models.kinds.ear import EAR
from bot.models.kinds.lora import LORA
from bot.models.kinds.openai import OPENAI
from bot.models.manifest import Manifest

KINDS: tuple[ArtifactKind[Any], ...] = (DSPY, OPENAI, LORA, EAR)
"""All that can be published."""


def kind_of(manifest: Manifest) -> ArtifactKind[Any]:
    """What `manifest` says it is; raise `ArtifactError` for what this bot does not know."""
    for kind in KINDS:
        if kind.name == manifest.kind:
            return kind
    known = ", ".join(kind.name for kind in KINDS)
    raise ArtifactError(f"{MANIFEST}: kind: expected one of {known}, got {manifest.kind[:40]!r}")

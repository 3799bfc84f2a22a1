"""Published model versions on disk: `data/models/<name>/<version>/`, and which one is live.

It knows folders and manifests. What a version is made of and how it is loaded is the registry's business.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.I)


class ArtifactError(ValueError):
    """No such version, or one that is not whole; the message says which there are."""


def versions(models: Path, name: str) -> list[str]:
    """The published versions of `name`, oldest first: folders that hold a manifest."""
    if not NAME.fullmatch(name):
        raise ArtifactError(f"{name!r} is no model name: letters, digits, dots and dashes only")
    folder = models / name
    found = [path.parent for path in folder.glob("*/manifest.json") if NAME.fullmatch(path.parent.name)]
    return [path.name for path in sorted(found, key=lambda path: (path / "manifest.json").stat().st_mtime_ns)]


def use(models: Path, name: str, version: str | None) -> str:
    """Make `version` (None: the newest) the live one; returns it. Raises `ArtifactError`."""
    known = versions(models, name)
    if not known:
        raise ArtifactError(f"no published model {name!r} in {models}")
    chosen = version or known[-1]
    if chosen not in known:
        raise ArtifactError(f"{name} has no version {chosen!r}; there are: {', '.join(known)}")
    pointer = models / name / "current.json"
    fresh = pointer.with_name("current.json.new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"version": chosen}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(pointer)
    return chosen

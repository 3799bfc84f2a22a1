"""The published versions of each model in `data/models/<name>/<version>/`, and which of them is live.

It knows folders and the pointer current.json. What is in a version, and how one is published, others know.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.models.files import MANIFEST, ArtifactError, encoded, plain_json, sync, why, write
from bot.models.manifest import GATE, NAME, Name, read_manifest

POINTER = "current.json"
REMEMBERED_PROMOTIONS = 100


class Promotion(BaseModel):
    """A version that is or was the live one, and since when (ISO 8601).

    `by` is "hand" where a person chose it; `over` says what a gate had against it.
    """

    model_config = ConfigDict(frozen=True)

    version: Name
    since: str = ""
    by: str = ""
    over: str = ""


class _Past(BaseModel):
    """What current.json holds beside the live version."""

    before: tuple[Promotion, ...] = ()


def names(models: Path) -> list[str]:
    """Every name with at least one published version."""
    found = {
        path.parent.parent.name for path in models.glob(f"*/*/{MANIFEST}") if NAME.fullmatch(path.parent.name)
    }
    return sorted(name for name in found if NAME.fullmatch(name))


def versions(models: Path, name: str) -> list[str]:
    """The published versions of `name`, oldest first by what their manifests say: folders that hold one.

    One whose manifest cannot be read counts as made when the file was: a copy of a folder has new times.
    """
    if not NAME.fullmatch(name):
        raise ArtifactError(f"{name!r} is no model name: letters, digits, dots and dashes only")
    found = []
    for manifest in (models / name).glob(f"*/{MANIFEST}"):
        try:
            file = manifest.lstat()
        except FileNotFoundError:
            continue
        if NAME.fullmatch(manifest.parent.name):
            made = _made(manifest, file.st_mtime_ns, file.st_size)
            found.append((made, file.st_mtime_ns, manifest.parent.name))
    return [version for *_, version in sorted(found)]


@lru_cache(maxsize=1000)
def _made(manifest: Path, changed_ns: int, _size: int) -> float:
    """When a version was made, in seconds since 1970; `changed_ns` and size tell whether to look again."""
    try:
        made = datetime.fromisoformat(plain_json(manifest)["created_at"])
        return (made if made.tzinfo else made.replace(tzinfo=UTC)).timestamp()
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return changed_ns / 1e9


def next_version(models: Path, name: str) -> str:
    """The number after the highest one published: "1", "2", "3", …"""
    return str(1 + max((int(each) for each in versions(models, name) if each.isdecimal()), default=0))


def promotions(models: Path, name: str) -> list[Promotion]:
    """The live version and those before it, newest first; empty when none was ever promoted.

    Raise `ArtifactError` when current.json cannot be read.
    """
    try:
        found = plain_json(models / name / POINTER)
        return [Promotion.model_validate(found), *_Past.model_validate(found).before]
    except FileNotFoundError:
        return []
    except ValidationError:
        raise ArtifactError(
            f'{name}: {POINTER}: expected {{"version": "…"}}; mend it with python -m bot use {name}'
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{name}: {POINTER}: {why(error)}") from None


def held_back(models: Path, name: str, version: str) -> str:
    """What a gate has against this version, as its manifest says; "" where nothing, or nobody asked."""
    try:
        gate = read_manifest(models / name / version, name, version).evaluation.get(GATE)
    except ArtifactError:
        return ""
    return str(gate.get("reason", "")) if isinstance(gate, dict) and gate.get("passed") is False else ""


def use(models: Path, name: str, version: str | None, *, by: str = "") -> str:
    """Make `version` (None: the newest) the live one and record it; returns it. Raises `ArtifactError`.

    `by` is "hand" for a person, whose choice goes over a gate; that is recorded, too.
    """
    known = versions(models, name)
    if not known:
        raise ArtifactError(f"no published model {name!r} in {models}")
    chosen = version or known[-1]
    if chosen not in known:
        raise ArtifactError(f"{name} has no version {chosen!r}; there are: {', '.join(known)}")
    try:
        before = promotions(models, name)
    except ArtifactError:
        before = []
    if not before or before[0].version != chosen:
        over = held_back(models, name, chosen)
        now = Promotion(
            version=chosen, since=datetime.now(UTC).isoformat(timespec="seconds"), by=by, over=over
        )
        _promote(models / name, now, before)
    return chosen


def _promote(folder: Path, promotion: Promotion, before: list[Promotion]) -> None:
    now, *past = (
        each.model_dump(exclude_defaults=True) for each in (promotion, *before[:REMEMBERED_PROMOTIONS])
    )
    fresh = folder / f".{POINTER}.{secrets.token_hex(4)}"
    write(fresh, encoded({**now, "before": past}))
    fresh.replace(folder / POINTER)
    sync(folder)

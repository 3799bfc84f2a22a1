"""All that is known of a published version: what it is, what it was made of and how, and what was measured of it.

It knows the manifest's form. Which kinds of version there are, and what they consist of, `kinds` knows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from bot.models.files import MANIFEST, ArtifactError, plain_json, why
from bot.student.records.reading import Expected, parse

SCHEMA = 1
"""Of the manifest; it changes when an older bot could misread a newer manifest, or the other way round."""
GATE = "gate"
"""Of a manifest's evaluation: `{"passed", "reason"}` where training asked whether the version may go live."""
LARGEST_FILE = 2 << 30
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.I)

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), Expected("64 hexadecimal digits")]
Name = Annotated[str, Field(pattern=rf"(?i)^{NAME.pattern}$"), Expected("letters, digits, dots and dashes")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


class Base(_Part):
    """What a version was trained on or runs on: a GGUF file by its checksum, or an API by its address.

    `id` is the model's name; of a version served by an API, it is the model id that is sent.
    """

    id: str = Field(min_length=1)
    sha256: Sha256 | None = None
    endpoint: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.sha256 is None) == (self.endpoint is None):
            raise ValueError("expected either sha256 or endpoint")
        return self


class FileEntry(_Part):
    """One file as it was published."""

    sha256: Sha256
    bytes: NonNegativeInt = Field(le=LARGEST_FILE)


class Prompt(_Part):
    """The rendering it was trained with: `bot.student.voicing.prompt.VERSION` at the time."""

    version: str


class Data(_Part):
    """What it was trained on: the checksum of the dialogues, how many they were, and how they were split.

    `generation` is how many generations of a model's own words deep they are: 0 is written by people, 1 harvested
    from the log, None not known. `lineage` gives for each harvested dialogue the ids of the logged turns in it.
    """

    sha256: Sha256
    dialogues: NonNegativeInt
    split: str | dict[str, Any]
    generation: NonNegativeInt | None = None
    lineage: dict[str, tuple[NonNegativeInt, ...]] = Field(default_factory=dict)


class Training(_Part):
    """How it was made. What is not known or was not counted is None, never 0."""

    method: str
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    packages: dict[str, str] = Field(default_factory=dict)
    git_sha: str | None = None


class Manifest(_Part):
    """All that is known of a version. `files` is filled in by `publish`."""

    schema_number: int = Field(default=SCHEMA, alias="schema")
    name: Name
    version: Name
    kind: str = Field(min_length=1)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    base: Base | None = None
    """None where it needs no other model."""
    files: dict[str, FileEntry] = Field(default_factory=dict)
    prompt: Prompt
    data: Data
    training: Training
    evaluation: dict[str, Any] = Field(default_factory=dict)

    @property
    def endpoint(self) -> str | None:
        """The address of the API that serves it; None for what runs here."""
        return self.base.endpoint if self.base else None


def read_manifest(folder: Path, name: str, version: str) -> Manifest:
    """The manifest in `folder`, which must say that it is `version` of `name`; raise `ArtifactError`."""
    if folder.is_symlink():
        raise ArtifactError(f"{folder.name}: is a symbolic link; expected a folder")
    try:
        found = plain_json(folder / MANIFEST)
    except FileNotFoundError:
        raise ArtifactError(f"{MANIFEST}: is missing; was the folder published whole?") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{MANIFEST}: {why(error)}") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA or isinstance(schema, bool):
        raise ArtifactError(
            f"{MANIFEST}: schema is {schema!r}; this bot reads {SCHEMA}: publish the model anew"
        )
    manifest = parse(Manifest, found, place=MANIFEST, error=ArtifactError)
    for key, wanted, given in (("name", name, manifest.name), ("version", version, manifest.version)):
        if wanted != given:
            raise ArtifactError(f"{MANIFEST}: {key} is {given!r}, but the folder is that of {wanted!r}")
    return manifest

"""Published model versions on disk: `data/models/<name>/<version>/`, which one is live, and publishing.

It knows folders, manifests and checksums. What is inside a version's files, and how they are served, is the
registry's business. A version is immutable: it appears whole, under a name that was free, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, model_validator

SCHEMA = 1
"""Of the manifest; it changes when an older bot could misread a newer manifest, or the other way round."""
MANIFEST = "manifest.json"
POINTER = "current.json"
GATE = "gate"
"""Of a manifest's evaluation: `{"passed", "reason"}` where training asked whether the version may go live."""
FILE_TYPES = (".json", ".safetensors", ".gguf")
"""What can be read without running it; pickle and .bin are not among them."""
LARGEST_JSON = 8 << 20
LARGEST_FILE = 2 << 30
REMEMBERED_PROMOTIONS = 100

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.I)
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_CHUNK = 1 << 20

Kind = Literal["dspy", "openai", "lora"]
FILES_OF: Mapping[Kind, frozenset[str]] = {
    "dspy": frozenset({"program.json"}),
    "openai": frozenset(),
    "lora": frozenset({"adapter_model.safetensors", "adapter_config.json", "adapter.gguf"}),
}
"""The files each kind consists of: these and no others."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ArtifactError(ValueError):
    """No such version, or one that cannot be trusted; one line on what is wrong and what would be right."""


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
    name: str = Field(pattern=rf"(?i)^{NAME.pattern}$")
    version: str = Field(pattern=rf"(?i)^{NAME.pattern}$")
    kind: Kind
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    base: Base
    files: dict[str, FileEntry] = Field(default_factory=dict)
    prompt: Prompt
    data: Data
    training: Training
    evaluation: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version that is or was the live one, and since when (ISO 8601).

    `by` is "hand" where a person chose it; `over` says what a gate had against it.
    """

    version: str
    since: str
    by: str = ""
    over: str = ""


# Which versions there are, and which one is live.


def names(models: Path) -> list[str]:
    """Every name with at least one published version."""
    found = {
        path.parent.parent.name for path in models.glob(f"*/*/{MANIFEST}") if NAME.fullmatch(path.parent.name)
    }
    return sorted(name for name in found if NAME.fullmatch(name))


def versions(models: Path, name: str) -> list[str]:
    """The published versions of `name`, oldest first: folders that hold a manifest."""
    if not NAME.fullmatch(name):
        raise ArtifactError(f"{name!r} is no model name: letters, digits, dots and dashes only")
    found = []
    for manifest in (models / name).glob(f"*/{MANIFEST}"):
        try:
            published = manifest.lstat().st_mtime_ns
        except FileNotFoundError:
            continue
        if NAME.fullmatch(manifest.parent.name):
            found.append((published, manifest.parent.name))
    return [version for _, version in sorted(found)]


def next_version(models: Path, name: str) -> str:
    """The number after the highest one published: "1", "2", "3", …"""
    return str(1 + max((int(each) for each in versions(models, name) if each.isdecimal()), default=0))


def promotions(models: Path, name: str) -> list[Promotion]:
    """The live version and those before it, newest first; empty when none was ever promoted.

    Raise `ArtifactError` when current.json cannot be read.
    """
    pointer = models / name / POINTER
    try:
        found = _json(pointer)
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{name}: {POINTER}: {_reason(error)}") from None
    rows = [found, *found.get("before", ())] if isinstance(found, dict) else [found]
    if not all(isinstance(row, dict) and _is_name(row.get("version")) for row in rows):
        raise ArtifactError(
            f'{name}: {POINTER}: expected {{"version": "…"}}; mend it with python -m bot use {name}'
        )
    return [
        Promotion(row["version"], *(str(row.get(key, "")) for key in ("since", "by", "over"))) for row in rows
    ]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


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
        since = datetime.now(UTC).isoformat(timespec="seconds")
        _promote(models / name, Promotion(chosen, since, by, held_back(models, name, chosen)), before)
    return chosen


def _promote(folder: Path, promotion: Promotion, before: list[Promotion]) -> None:
    now, *past = (
        {key: value for key, value in asdict(each).items() if value}
        for each in (promotion, *before[:REMEMBERED_PROMOTIONS])
    )
    fresh = folder / f".{POINTER}.{secrets.token_hex(4)}"
    _write(fresh, _encoded({**now, "before": past}))
    fresh.replace(folder / POINTER)
    _sync(folder)


# Publishing.


def publish(
    models: Path, manifest: Manifest, files: Mapping[str, Path | bytes], *, promote: bool = True
) -> Path:
    """Publish `files` (a path to copy or the content, by file name) as a new version; returns its folder.

    Without `promote` it is a candidate: there, but not live until `use`. Raise `ArtifactError` when the
    version exists already or something would be refused on loading; then nothing was changed.
    """
    home = models / manifest.name
    _check_files(manifest.kind, files)
    if (home / manifest.version).exists():
        raise ArtifactError(
            f"{manifest.name} has a version {manifest.version!r} already: versions never change"
        )
    home.mkdir(parents=True, exist_ok=True)
    staging = home / f".staging-{manifest.version}-{secrets.token_hex(4)}"
    staging.mkdir()
    try:
        entries = {}
        for name, content in files.items():
            target = staging / name
            if isinstance(content, bytes):
                _write(target, content)
            else:
                shutil.copyfile(content, target)
                _sync(target)
            entries[name] = FileEntry(sha256=checksum(target), bytes=target.stat().st_size)
        _sync(staging)
        whole = manifest.model_copy(update={"files": entries})
        _write(staging / MANIFEST, _encoded(whole.model_dump(mode="json", by_alias=True)))
        _sync(staging)
        read_manifest(staging, manifest.name, manifest.version)
        staging.rename(home / manifest.version)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, OSError):
            raise ArtifactError(f"{manifest.name} {manifest.version}: {_reason(error)}") from None
        raise
    _sync(home)
    if promote:
        use(models, manifest.name, manifest.version)
    return home / manifest.version


# Loading.


def take(folder: Path, into: Path | None = None) -> Manifest:
    """The manifest of the version in `folder`, after everything about its files was found to be right.

    With `into` (an empty folder) the files are copied there as they are checked, so that what is loaded is
    what was checked, whatever becomes of `folder`. Raise `ArtifactError`.
    """
    name, version = folder.parent.name, folder.name
    manifest = read_manifest(folder, name, version)
    _check_files(manifest.kind, manifest.files)
    try:
        entries = list(os.scandir(folder))
        for entry in sorted(entries, key=lambda entry: entry.name):
            _check_entry(entry, manifest)
        missing = sorted(manifest.files.keys() - {entry.name for entry in entries})
        if missing:
            raise ArtifactError(f"{missing[0]}: is missing; was the folder copied whole?")
        for file_name, wanted in manifest.files.items():
            _take_file(folder / file_name, wanted, into and into / file_name)
    except OSError as error:
        raise ArtifactError(_reason(error)) from None
    return manifest


def read_manifest(folder: Path, name: str, version: str) -> Manifest:
    """The manifest in `folder`, which must say that it is `version` of `name`; raise `ArtifactError`."""
    if folder.is_symlink():
        raise ArtifactError(f"{folder.name}: is a symbolic link; expected a folder")
    try:
        found = _json(folder / MANIFEST)
    except FileNotFoundError:
        raise ArtifactError(f"{MANIFEST}: is missing; was the folder published whole?") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{MANIFEST}: {_reason(error)}") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA or isinstance(schema, bool):
        raise ArtifactError(
            f"{MANIFEST}: schema is {schema!r}; this bot reads {SCHEMA}: publish the model anew"
        )
    try:
        manifest = Manifest.model_validate_json(json.dumps(found))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise ArtifactError(f"{MANIFEST}: {key}: {reason}") from None
    for key, wanted, given in (("name", name, manifest.name), ("version", version, manifest.version)):
        if wanted != given:
            raise ArtifactError(f"{MANIFEST}: {key} is {given!r}, but the folder is that of {wanted!r}")
    return manifest


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """The content of a JSON file of a version; raise `ArtifactError` for what is no plain, small JSON."""
    try:
        return _json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path.name}: {_reason(error)}") from None


def _check_files(kind: Kind, files: Mapping[str, object]) -> None:
    for name in files:
        if not FILE_NAME.fullmatch(name):
            raise ArtifactError(
                f"files: {name!r} leaves the folder; expected a plain name such as adapter.gguf"
            )
        if Path(name).suffix not in FILE_TYPES:
            raise ArtifactError(
                f"files: {name}: files of this type are not loaded, only {', '.join(FILE_TYPES)}"
            )
    wanted = FILES_OF[kind]
    for word, names_ in (("misses", wanted - files.keys()), ("does not take", files.keys() - wanted)):
        if names_:
            raise ArtifactError(f"files: a version of kind {kind} {word} {min(names_)}")


def _check_entry(entry: os.DirEntry[str], manifest: Manifest) -> None:
    if entry.is_symlink():
        raise ArtifactError(f"{entry.name}: is a symbolic link; expected a file")
    if not entry.is_file():
        raise ArtifactError(f"{entry.name}: is not a file; a version has no folders")
    if Path(entry.name).suffix not in FILE_TYPES:
        raise ArtifactError(f"{entry.name}: files of this type are not loaded, only {', '.join(FILE_TYPES)}")
    if entry.name != MANIFEST and entry.name not in manifest.files:
        raise ArtifactError(f"{entry.name}: is not in the manifest; a version never changes")


def _take_file(path: Path, wanted: FileEntry, target: Path | None) -> None:
    digest = hashlib.sha256()
    size = 0
    with _opened(path) as source, (target or Path(os.devnull)).open("wb") as copy:
        # Never more than was promised: what grows under our eyes must not fill the disk.
        while size <= wanted.bytes and (chunk := source.read(_CHUNK)):
            digest.update(chunk)
            copy.write(chunk)
            size += len(chunk)
    if size != wanted.bytes:
        more = "more than " if size > wanted.bytes else ""
        raise ArtifactError(
            f"{path.name}: has {more}{min(size, wanted.bytes)} bytes, the manifest says {wanted.bytes}"
        )
    if digest.hexdigest() != wanted.sha256:
        raise ArtifactError(f"{path.name}: is not the file that was published: its checksum differs")


def _opened(path: Path) -> Any:
    """A regular file, never what a link or a pipe put in its place leads to."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactError(f"{path.name}: is not a file")
    return os.fdopen(descriptor, "rb")


def _json(path: Path) -> Any:
    with _opened(path) as file:
        content = file.read(LARGEST_JSON + 1)
    if len(content) > LARGEST_JSON:
        raise ValueError(f"is larger than {LARGEST_JSON >> 20} MiB")
    return json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"holds {name}, which is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"holds {text[:20]}, which is too large for a number")
    return number


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        name = Path(str(error.filename)).name if error.filename else ""
        return f"{name}: {error.strerror}" if name and name != MANIFEST else str(error.strerror)
    if isinstance(error, ArtifactError):
        return str(error)
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "is not valid JSON"
    return str(error)


def _encoded(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

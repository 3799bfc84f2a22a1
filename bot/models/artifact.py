"""Publishing a version: `data/models/<name>/<version>/` appears whole, under a name that was free, or not at all.
And taking one: nothing of it is loaded before all of its files were found to be right.

It knows folders, manifests and checksums. What is inside a version's files is the business of its kind.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.models.catalogue import use
from bot.models.files import (
    LARGEST_JSON,
    MANIFEST,
    ArtifactError,
    checksum,
    encoded,
    opened,
    sync,
    why,
    write,
)
from bot.models.kinds import kind_of
from bot.models.kinds.base import ArtifactKind
from bot.models.manifest import FileEntry, Manifest, read_manifest
from bot.student.records.text import is_dropping

FILE_TYPES = (".json", ".safetensors", ".gguf")
"""What can be read without running it; pickle and .bin are not among them."""
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_CHUNK = 1 << 20


def publish(
    models: Path, manifest: Manifest, files: Mapping[str, Path | bytes], *, promote: bool = True
) -> Path:
    """Publish `files` (a path to copy or the content, by file name) as a new version; returns its folder.

    Without `promote` it is a candidate: there, but not live until `use`. Raise `ArtifactError` when the
    version exists already or something would be refused on loading; then nothing was changed.
    """
    home = models / manifest.name
    _check_files(kind_of(manifest), files)
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
                write(target, content)
            else:
                shutil.copyfile(content, target)
                sync(target)
            entries[name] = FileEntry(sha256=checksum(target), bytes=target.stat().st_size)
        sync(staging)
        whole = manifest.model_copy(update={"files": entries})
        write(staging / MANIFEST, encoded(whole.model_dump(mode="json", by_alias=True)))
        sync(staging)
        read_manifest(staging, manifest.name, manifest.version)
        staging.rename(home / manifest.version)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, OSError):
            raise ArtifactError(f"{manifest.name} {manifest.version}: {why(error)}") from None
        raise
    sync(home)
    if promote:
        use(models, manifest.name, manifest.version)
    return home / manifest.version


def take(folder: Path, into: Path | None = None) -> Manifest:
    """The manifest of the version in `folder`, after everything about its files was found to be right.

    With `into` (an empty folder) the files are copied there as they are checked, so that what is loaded is
    what was checked, whatever becomes of `folder`. Raise `ArtifactError`.
    """
    name, version = folder.parent.name, folder.name
    manifest = read_manifest(folder, name, version)
    _check_files(kind_of(manifest), manifest.files)
    try:
        entries = [entry for entry in os.scandir(folder) if not is_dropping(entry.name)]
        for entry in sorted(entries, key=lambda entry: entry.name):
            _check_entry(entry, manifest)
        missing = sorted(manifest.files.keys() - {entry.name for entry in entries})
        if missing:
            raise ArtifactError(f"{missing[0]}: is missing; was the folder copied whole?")
        for file_name, wanted in manifest.files.items():
            _take_file(folder / file_name, wanted, into and into / file_name)
    except OSError as error:
        raise ArtifactError(why(error)) from None
    return manifest


def _check_files(kind: ArtifactKind[Any], files: Mapping[str, object]) -> None:
    for name in files:
        if not FILE_NAME.fullmatch(name):
            raise ArtifactError(
                f"files: {name!r} leaves the folder; expected a plain name such as adapter.gguf"
            )
        if Path(name).suffix not in FILE_TYPES:
            raise ArtifactError(
                f"files: {name}: files of this type are not loaded, only {', '.join(FILE_TYPES)}"
            )
    for word, names_ in (("misses", kind.files - files.keys()), ("does not take", files.keys() - kind.files)):
        if names_:
            raise ArtifactError(f"files: a version of kind {kind.name} {word} {min(names_)}")


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
    with opened(path) as source, (target or Path(os.devnull)).open("wb") as copy:
        # Never more than was promised: what grows under our eyes must not fill the disk.
        while size <= wanted.bytes and (chunk := source.read(_CHUNK)):
            digest.update(chunk)
            copy.write(chunk)
            size += len(chunk)
    if size != wanted.bytes and _is_with_other_line_ends(path, wanted):
        raise ArtifactError(
            f"{path.name}: its line ends were changed, as git does with core.autocrlf; check the folder out again: "
            "git config core.autocrlf false, then git checkout -- data/models"
        )
    if size != wanted.bytes:
        more = "more than " if size > wanted.bytes else ""
        raise ArtifactError(
            f"{path.name}: has {more}{min(size, wanted.bytes)} bytes, the manifest says {wanted.bytes}"
        )
    if digest.hexdigest() != wanted.sha256:
        raise ArtifactError(f"{path.name}: is not the file that was published: its checksum differs")


def _is_with_other_line_ends(path: Path, wanted: FileEntry) -> bool:
    if path.stat().st_size > LARGEST_JSON:
        return False
    content = path.read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha256(content).hexdigest() == wanted.sha256

"""The files of a version folder, read within bounds and written so that a crash leaves no half of one.

It knows bytes, JSON and checksums; nothing of manifests and of what the files mean.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

LARGEST_JSON = 8 << 20
MANIFEST = "manifest.json"
"""Of a version; its name is left out where an error is about it anyway."""


class ArtifactError(ValueError):
    """No such version, or one that cannot be trusted; one line on what is wrong and what would be right."""


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """The content of a JSON file of a version; raise `ArtifactError` for what is no plain, small JSON."""
    try:
        return plain_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path.name}: {why(error)}") from None


def opened(path: Path) -> BinaryIO:
    """A regular file, never what a link or a pipe put in its place leads to."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactError(f"{path.name}: is not a file")
    return os.fdopen(descriptor, "rb")


def plain_json(path: Path) -> Any:
    """The same; raise `OSError` or `ValueError`."""
    with opened(path) as file:
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


def why(error: Exception) -> str:
    """An error of reading or writing in one line."""
    if isinstance(error, OSError):
        name = Path(str(error.filename)).name if error.filename else ""
        return f"{name}: {error.strerror}" if name and name != MANIFEST else str(error.strerror)
    if isinstance(error, ArtifactError):
        return str(error)
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "is not valid JSON"
    return str(error)


def encoded(value: object) -> bytes:
    """JSON as it is written into a version."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def write(path: Path, content: bytes) -> None:
    """A new file, on the disk when this returns."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

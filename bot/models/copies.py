"""The files that published versions are served from: copies of our own, as they were checked.

They lie beside the database, where the bot may write and nobody tidies up; a copy that vanishes all the same is made
again. It knows folders, locks and checksums; what a version is, and which one answers, others know.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

import structlog

from bot.models import artifact
from bot.models.files import ArtifactError, why
from bot.models.manifest import Manifest

log = structlog.get_logger(__name__)

FOLDER = "serving"
LOCK = "lock"
ABANDONED_SECONDS = 3600
"""A younger folder without a lock may be one that is just being made."""
PASSING = frozenset(
    {
        errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EAGAIN, errno.EINTR,
        errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT,
    }
)  # fmt: skip
"""What a full disk, a process with too many open files, or a network says: it tells nothing of the file."""


def passes(error: BaseException | None) -> bool:
    """Whether what went wrong may be nobody's fault and over in a while, be it said in other words meanwhile."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in PASSING:
            return True
        error = error.__cause__ or error.__context__
    return False


class Copies:
    """The copies of one process, in a folder of its own below `beside`. All of it blocks."""

    def __init__(self, beside: Path) -> None:
        self._home = beside / FOLDER
        self._own: Path | None = None
        self._lock: sqlite3.Connection | None = None
        self._made = 0
        self._wanting: dict[Path, str] = {}

    def take(self, version: Path) -> tuple[Manifest, Path]:
        """Copy the files of a published version; its manifest, and where they lie. Raise `ArtifactError`."""
        self._made += 1
        copy = None
        try:
            copy = self._folder() / f"{version.parent.name}-{version.name}-{self._made}"
            copy.mkdir(parents=True)
            return artifact.take(version, copy), copy
        except BaseException as error:
            if copy is not None:
                self.drop(copy)
            if isinstance(error, OSError):
                raise ArtifactError(f"cannot be copied to {self._home}: {why(error)}") from error
            raise

    def keep(self, copy: Path, version: Path, manifest: Manifest) -> None:
        """Make the copy again where something of it is gone; what cannot be made again now is told, once."""
        if all((copy / name).is_file() for name in manifest.files):
            self._wanting.pop(copy, None)
            return
        try:
            again = copy.with_name(f"{copy.name}-{secrets.token_hex(4)}")
            again.mkdir(parents=True)
            try:
                if artifact.take(version, again) != manifest:
                    raise ArtifactError("what is published there is another version by now")
                copy.mkdir(exist_ok=True)
                if self._own == copy.parent and not (self._own / LOCK).is_file():
                    self._lock = _held(self._own)
                for name in manifest.files:
                    (again / name).replace(copy / name)
            finally:
                shutil.rmtree(again, ignore_errors=True)
        except (ArtifactError, OSError) as error:
            reason = why(error)
            if self._wanting.get(copy) != reason:
                log.error("files of a model vanished", copy=str(copy), reason=reason)
            self._wanting[copy] = reason
        else:
            self._wanting.pop(copy, None)
            log.warning("files of a model vanished and were copied again", copy=str(copy))

    def drop(self, copy: Path) -> None:
        """Let go of a copy."""
        self._wanting.pop(copy, None)
        shutil.rmtree(copy, ignore_errors=True)

    def close(self) -> None:
        """Let go of all."""
        if self._lock is not None:
            self._lock.close()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            with suppress(OSError):
                self._home.rmdir()  # the last one
        self._own = self._lock = None

    def _folder(self) -> Path:
        """This process's own folder, held by a lock that a crash lets go of."""
        if self._own is None or not (self._own / LOCK).is_file():
            try:
                self._own = self._begun()
            except OSError as error:
                if passes(error):
                    raise
                self._home = Path(tempfile.gettempdir()) / f"pupil-{FOLDER}-{os.getpid()}"
                log.warning("models are served from the temporary folder", reason=why(error))
                self._own = self._begun()
        return self._own

    def _begun(self) -> Path:
        self._home.mkdir(parents=True, exist_ok=True)
        self._clear()
        own = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self._home))
        if self._lock is not None:
            self._lock.close()
        self._lock = _held(own)
        return own

    def _clear(self) -> None:
        """Remove what programs left that are gone."""
        for left in self._home.iterdir():
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > ABANDONED_SECONDS and (lock := _held(left)):
                    with closing(lock):
                        shutil.rmtree(left, ignore_errors=True)


def _held(folder: Path) -> sqlite3.Connection | None:
    """The folder's lock, None where another program has it. SQLite's is one that every system has."""
    lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        lock.close()
        return None
    return lock

"""Copies of a SQLite database in a folder: made whole, kept in number, and cleaned of who asked to be forgotten.

Whoever makes or cleans copies has the folder alone, so that no copy of before outlives its cleaning. It knows files
and databases; what is cleaned in a copy is `person`'s business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.store import person
from bot.store.database import Database, StoreError, private
from bot.store.revisions import migrate
from bot.store.rows import BackupsReport

PATTERN = "pupil-*.db"
HALF = ".pupil-"
"""How the name of a copy begins that is not whole yet."""
LOCK = ".lock"
WAIT_SECONDS = 600
"""A copy of a large database takes minutes."""


async def make(database: Database, folder: Path, keep: int) -> tuple[Path, int]:
    """Write one more copy and remove the oldest above `keep`; gives the copy and how many are gone.

    Raises `StoreError`. A copy appears whole or not at all.
    """
    file = folder / f"pupil-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.db"
    async with _alone(folder):
        await asyncio.to_thread(_tidy, folder)
        await asyncio.to_thread(private, _fresh(file))
        await database.copy_to(_fresh(file))
        return file, await asyncio.to_thread(_take_in, file, keep)


async def forget(folder: Path, author_hash: str) -> BackupsReport:
    """Take a person out of every copy, each replaced as a whole, as `person.forget` takes them out of a database.

    A copy of an older program is brought up to date with it. What cannot be read is left as it is, and named.
    Raises `StoreError` where the folder cannot be used.
    """
    if not await asyncio.to_thread(folder.is_dir):
        return BackupsReport()
    cleaned, damaged = 0, []
    async with _alone(folder):
        await asyncio.to_thread(_tidy, folder)
        for file in await asyncio.to_thread(_copies, folder):
            try:
                # A look costs less than a copy, and most people are in few.
                if await asyncio.to_thread(_holds, file, author_hash):
                    cleaned += await _clean(file, author_hash)
            except (StoreError, sqlite3.Error):
                damaged.append(file.name)
    return BackupsReport(cleaned, tuple(damaged))


async def usable(folder: Path) -> None:
    """Raise `StoreError` where copies cannot be written."""
    async with _alone(folder):
        await asyncio.to_thread(private, probe := folder / f"{HALF}probe")
        await asyncio.to_thread(probe.unlink)


async def _clean(file: Path, author_hash: str) -> bool:
    """Whether the person was in there. Raises `StoreError` or `sqlite3.Error` for what is no whole database."""
    fresh = _fresh(file)
    await asyncio.to_thread(_copy, file, fresh)
    url = f"sqlite+aiosqlite:///{fresh}"
    await migrate(url)
    database = Database(url)
    try:
        async with database.writing() as connection:
            report, _ = await person.forget(connection, author_hash)
        await database.scrub()
    finally:
        await database.aclose()
    if report.found:
        await asyncio.to_thread(_replace, fresh, file)
    await asyncio.to_thread(_tidy, file.parent)
    return report.found


def _copies(folder: Path) -> list[Path]:
    return sorted(folder.glob(PATTERN))


def _tidy(folder: Path) -> None:
    """What a crash, or a copy that cannot be read, left half made."""
    for half in folder.glob(f"{HALF}*"):
        half.unlink()


def _take_in(file: Path, keep: int) -> int:
    _replace(_fresh(file), file)
    # None is newer than the one just made: names beyond it are of a clock that ran ahead, so they go first.
    old = sorted(_copies(file.parent), key=lambda each: (each <= file, each))[:-keep]
    for each in old:
        each.unlink()
    return len(old)


def _replace(fresh: Path, file: Path) -> None:
    with fresh.open("rb") as opened:
        os.fsync(opened.fileno())
    fresh.replace(file)


def _copy(file: Path, fresh: Path) -> None:
    with _sound(file) as source:
        private(fresh)
        source.execute("VACUUM INTO ?", (str(fresh),))


def _holds(file: Path, author_hash: str) -> bool:
    """Whether any row of any table is of that person, however old the program that made it."""
    with _sound(file) as source:
        tables = [name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = {row[1] for row in source.execute(f'PRAGMA table_info("{table}")')}
            looked_for = f'SELECT 1 FROM "{table}" WHERE author_hash = ? LIMIT 1'  # noqa: S608 - our own tables
            if "author_hash" in columns and source.execute(looked_for, (author_hash,)).fetchone():
                return True
    return False


@contextlib.contextmanager
def _sound(file: Path) -> Iterator[sqlite3.Connection]:
    """A whole database, to be read. Raises `StoreError` or `sqlite3.Error` for a damaged one."""
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
        # A damaged index would hide rows from whoever looks for them.
        (sound,) = source.execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise StoreError(f"{file}: damaged: {sound}")
        yield source


def _fresh(file: Path) -> Path:
    return file.with_name(f".{file.name}.new")


@contextlib.asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """Hold the folder; a crash lets go of it. SQLite's lock is one that every system has."""
    try:
        lock = await asyncio.to_thread(_lock, folder)
        with contextlib.closing(lock):
            await asyncio.to_thread(lock.execute, "BEGIN EXCLUSIVE")
            yield
    except (OSError, sqlite3.OperationalError) as error:
        raise StoreError(
            f"{folder}: the backups cannot be worked on ({error}); is the folder writable?"
        ) from None


def _lock(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True)
    private(folder / LOCK)
    return sqlite3.connect(folder / LOCK, WAIT_SECONDS, isolation_level=None, check_same_thread=False)

"""A copy put back in the place of a SQLite database: checked, brought up to date, and swapped as a whole.

It knows files and what an answer to the question of consent looks like; nothing else of what is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.store.database import StoreError, private
from bot.store.revisions import migrate

BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps of one database."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in the database now: how many turns, the last one's time, and which of the answers to the question of
    consent the copy did not know. `before` is where the old database lies, if there was one; `refusals_read` whether
    it could be read."""

    turns: int
    last: str
    answers: int
    before: Path | None
    refusals_read: bool


async def restore(copy: Path, file: Path) -> Restored:
    """Put `copy` in the place of the database `file`, which is moved aside.

    Consent that was given or taken back since the copy was made is carried over. Raises `StoreError`: nothing has
    changed then.
    """
    fresh = file.with_name(f".{file.name}.restored")
    try:
        await asyncio.to_thread(_take, copy, fresh)
        await migrate(f"sqlite+aiosqlite:///{fresh}")
        return await asyncio.to_thread(_swap, fresh, file)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{copy}: cannot be restored ({error}); nothing was changed") from None
    finally:
        for ending in BESIDE:
            fresh.with_name(fresh.name + ending).unlink(missing_ok=True)


def _take(copy: Path, fresh: Path) -> None:
    if not copy.is_file():
        raise StoreError(f"{copy}: there is no such file; copies lie in the folder of [jobs] backups")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    fresh.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as source:
            (sound,) = source.execute("PRAGMA quick_check(1)").fetchone()
            ours = source.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            if sound != "ok" or not ours:
                raise StoreError(f"{copy}: {'no copy of a practice log' if sound == 'ok' else 'damaged'}")
            private(fresh)
            source.execute("VACUUM INTO ?", (str(fresh),))
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{copy}: not a whole database ({error})") from None


def _swap(fresh: Path, file: Path) -> Restored:
    before, answers, read = None, 0, True
    if file.exists() and file.stat().st_size:
        _let_go(file)
        try:
            answers = _carry_over(file, fresh)
        except sqlite3.DatabaseError:
            read = False
    with contextlib.closing(sqlite3.connect(fresh)) as database:
        turns, last = database.execute("SELECT count(*), max(said_at) FROM turns").fetchone()
    with fresh.open("rb") as opened:
        os.fsync(opened.fileno())
    if file.exists():
        before = file.with_name(f"{file.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        for ending in BESIDE[1:]:
            if (part := file.with_name(file.name + ending)).exists():
                part.rename(before.with_name(before.name + ending))
        # A name more, not a move: at every moment there is a database.
        os.link(file, before)
    fresh.replace(file)
    return Restored(turns, str(last or "never")[:16], answers, before, read)


def _let_go(file: Path) -> None:
    """Raise `StoreError` where a program has the database open; else empty its log into it."""
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=0)) as database:
            database.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise StoreError(f"{file}: in use; stop the bot first") from None
        raise
    except sqlite3.DatabaseError:
        pass  # damaged, which may be why somebody restores


def _carry_over(old: Path, fresh: Path) -> int:
    with contextlib.closing(sqlite3.connect(fresh, uri=True)) as database, database:
        database.execute("ATTACH ? AS old", (f"{old.absolute().as_uri()}?mode=ro",))
        return database.execute(
            "INSERT INTO consents (author_hash, state, at) SELECT author_hash, state, at FROM old.consents"
            " WHERE at > (SELECT coalesce(max(at), '') FROM main.consents) ORDER BY id"
        ).rowcount

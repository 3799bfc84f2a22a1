"""The revision of a database's tables: is it this program's?

One look at the table that names it answers that for every database in use. What a look cannot settle (a new, an
older or a stranger's database) is `migrating`'s, which brings Alembic: a third of a second, and memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from types import ModuleType

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select

from bot.store import months
from bot.store.database import Database, StoreError

NEWEST = "0009"
"""The newest revision in the folder `migrations`."""

_VERSION = Table("alembic_version", MetaData(), Column("version_num", Text))


async def ready(database: Database) -> None:
    """Check that the database has the newest revision; fill a new, empty one.

    Raises `StoreError` when it is older, newer, or not ours.
    """
    if not await _is_newest(database):
        await (await _migrating()).settle(database)
    if not database.read_only:
        await database.log_ahead()
        # Whoever may make no tables here, or has to wait too long: turns find a place without it.
        with contextlib.suppress(StoreError):
            await months.prepare(database)


async def migrate(url: str) -> str:
    """Bring the database at `url` to the newest revision, creating it when new; give the revision.

    Raises `StoreError` when it is newer than this program, or not ours; it is unchanged then.
    """
    database = Database(url)
    try:
        return NEWEST if await _is_newest(database) else await (await _migrating()).migrate(database)
    finally:
        await database.aclose()


async def _is_newest(database: Database) -> bool:
    def look(connection: Connection) -> bool:
        if not inspect(connection).has_table(_VERSION.name):
            return False
        return list(connection.execute(select(_VERSION.c.version_num)).scalars()) == [NEWEST]

    async with database.reading() as connection:
        return await connection.run_sync(look)


async def _migrating() -> ModuleType:
    """Imported in a thread: whoever talks with the child meanwhile is answered."""
    return await asyncio.to_thread(importlib.import_module, "bot.store.migrating")

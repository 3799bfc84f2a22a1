"""How a database's tables become this program's: filled when new, brought forward when older, else refused.

It knows Alembic and the folder `migrations`; what the tables hold is written there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from bot.store.database import Database, StoreError, one_at_a_time

MIGRATIONS = Path(__file__).parent / "migrations"


async def settle(database: Database) -> None:
    """Fill a new, empty database. Raises `StoreError` when it is older, newer, or not ours."""
    async with database.reading() as connection:
        found = await connection.run_sync(_look)
    if found.empty and database.read_only:
        raise StoreError(f"{database.name}: the database is empty; run the bot once to fill it")
    if found.empty:
        await _upgrade(database)
    elif found.revision != found.newest:
        _refuse_strangers(database, found)
        raise StoreError(
            f"{database.name}: the database is at revision {found.revision}, older than this program "
            f"({found.newest}); run `python -m bot migrate`"
        )


async def migrate(database: Database) -> str:
    """Bring it to the newest revision; give that. Raises `StoreError`: it is unchanged then."""
    async with database.reading() as connection:
        found = await connection.run_sync(_look)
    if not found.empty:
        _refuse_strangers(database, found)
    await _upgrade(database)
    return found.newest


def alembic_config() -> Config:
    """Alembic's settings, without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@dataclass(frozen=True, slots=True)
class _Found:
    revision: str | None
    newest: str
    known: frozenset[str]
    empty: bool


def _look(connection: Connection) -> _Found:
    scripts = ScriptDirectory(str(MIGRATIONS))
    # Tables first: where another program fills the database in between, its revision is seen as well.
    empty = not inspect(connection).get_table_names()
    return _Found(
        revision=MigrationContext.configure(connection).get_current_revision(),
        newest=scripts.get_current_head() or "",
        known=frozenset(script.revision for script in scripts.walk_revisions()),
        empty=empty,
    )


def _refuse_strangers(database: Database, found: _Found) -> None:
    if found.revision is None:
        raise StoreError(f"{database.name}: the database holds another program's tables; name another one")
    if found.revision not in found.known:
        raise StoreError(
            f"{database.name}: the database is at revision {found.revision}, newer than this program knows; "
            "update the program"
        )


async def _upgrade(database: Database) -> None:
    def upgrade(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    # One transaction, begun as a write: of two programs that start at once, the second finds it done.
    async with database.writing() as connection:
        await one_at_a_time(connection, "migrate")
        await connection.run_sync(upgrade)

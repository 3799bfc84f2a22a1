"""The database's revisions: created, checked, brought forward, refused."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Connection, column, create_engine, insert, table

from bot.store import Store, StoreError, migrate, migrating, revisions
from bot.store.database import Database
from bot.store.tables import UtcDateTime, metadata
from tests.databases import DATABASES, empty

NEXT = '''"""One more table."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "0009"
def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    {then}
'''

CLAIMS = table(
    "claims",
    column("message_key"),
    column("payload", JSON()),
    column("claimed_at", UtcDateTime()),
    column("state"),
)
"""As much of it as there always was."""
LEFT = {
    "message_key": "discord:1",
    "payload": {
        "key": "discord:1",
        "platform": "discord",
        "channel": "room",
        "thread": None,
        "author_hash": "a" * 32,
        "text": "What is 52 minus 17?",
        "message_id": "discord:1",
        "created_at": "2026-03-01T12:00:00+00:00",
    },
    "claimed_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    "state": "claimed",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pupil.db"


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def be_newer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, then: str = "pass") -> None:
    """Be a newer program: a copy of the migrations with one more."""
    folder = tmp_path / "newer"
    shutil.copytree(migrating.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_later.py").write_text(NEXT.format(then=then), encoding="utf-8")
    monkeypatch.setattr(migrating, "MIGRATIONS", folder)
    monkeypatch.setattr(revisions, "NEWEST", "9999")


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return names


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


async def create(path: Path) -> None:
    store = await Store.open(url(path))
    await store.aclose()


async def test_migrations_make_exactly_the_tables_of_the_code(path: Path) -> None:
    assert await migrate(url(path)) == "0009"
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


async def test_comparison_notices_a_difference(path: Path) -> None:
    await create(path)
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE turns DROP COLUMN latency_ms")
    connection.execute("DROP INDEX uq_conversations_current")
    connection.close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as opened:
        found = compare_metadata(MigrationContext.configure(opened), metadata)
    engine.dispose()
    assert sorted(entry[0] for entry in found) == ["add_column", "add_index"]


async def test_migrating_twice_changes_nothing(path: Path) -> None:
    await migrate(url(path))
    before = tables(path)
    assert await migrate(url(path)) == "0009"
    assert tables(path) == before


async def test_an_older_database_is_refused_until_migrated(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(path)
    be_newer(monkeypatch, tmp_path)
    with pytest.raises(StoreError, match=r"pupil\.db.*revision 0009, older.*python -m bot migrate"):
        await Store.open(url(path))
    assert "later" not in tables(path)
    assert await migrate(url(path)) == "9999"
    assert "later" in tables(path)
    await create(path)


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005", "0007", "0008"])
async def test_a_database_of_each_revision_comes_forward_with_what_waits_in_it(
    tmp_path: Path, kind: str, revision: str
) -> None:
    address = await empty(kind, tmp_path)
    database = Database(address)

    def be_older(connection: Connection) -> None:
        config = migrating.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with database.writing() as connection:
        await connection.run_sync(be_older)
        await connection.execute(insert(CLAIMS).values(LEFT))
    await database.aclose()
    assert await migrate(address) == revisions.NEWEST
    store = await Store.open(address)
    [left] = await store.outbox.take_over("discord")
    assert left.message.text == "What is 52 minus 17?"
    await store.aclose()


async def test_a_newer_database_is_refused_and_left_alone(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        be_newer(newer, tmp_path)
        await migrate(url(path))
    before = tables(path)
    for attempt in (Store.open, migrate):
        with pytest.raises(StoreError, match=r"revision 9999, newer than this program knows; update"):
            await attempt(url(path))
    assert tables(path) == before


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(path)
    before = tables(path)
    with monkeypatch.context() as newer:
        be_newer(newer, tmp_path, then="op.drop_table('no_such')")
        with pytest.raises(StoreError, match="no such table: no_such"):
            await migrate(url(path))
    assert tables(path) == before
    await create(path)


async def test_another_programs_database_is_refused_untouched(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = content(path)
    for attempt in (Store.open, migrate):
        with pytest.raises(StoreError, match="another program's tables"):
            await attempt(url(path))
    assert content(path) == before


@pytest.mark.parametrize("kind", DATABASES)
async def test_several_at_once_create_one_database(tmp_path: Path, kind: str) -> None:
    address = await empty(kind, tmp_path)
    stores = await asyncio.gather(*(Store.open(address) for _ in range(4)))
    for store in stores:
        await store.writable()
        await store.aclose()


async def test_reading_creates_nothing(path: Path) -> None:
    with pytest.raises(StoreError, match="no such database"):
        await Store.open(url(path), read_only=True)
    assert content(path) is None
    sqlite3.connect(path).close()  # leaves an empty file
    with pytest.raises(StoreError, match="the database is empty"):
        await Store.open(url(path), read_only=True)
    assert content(path) == b""


async def test_the_newest_revision_is_the_one_in_the_folder(path: Path) -> None:
    await create(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revisions.NEWEST,)]
    connection.close()


def test_a_database_in_use_is_opened_without_alembic(path: Path) -> None:
    asyncio.run(create(path))
    opening = (
        "import asyncio, sys\nfrom bot.store import Store\n"
        f"asyncio.run(Store.open({url(path)!r}))\nprint('alembic' in sys.modules)"
    )
    program = subprocess.run([sys.executable, "-c", opening], capture_output=True, text=True, check=True)
    assert program.stdout.split() == ["False"]

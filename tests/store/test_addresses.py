"""Addresses of databases as people's folders and hosts give them: odd paths of SQLite, hosted PostgreSQL's parameters."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.config import load
from bot.store import Store, StoreError, hosted
from tests.databases import POSTGRES, empty

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
HOSTED = "sslmode=require&channel_binding=require&connect_timeout=5"


@pytest.mark.parametrize("name", ["what?.db", "a%20b#c.db", "ä ö+&=.db", "100%.db", "p.db?mode=ro"])
async def test_any_name_of_a_file_is_that_file(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "how? 50%"
    folder.mkdir()
    (tmp_path / "config.toml").write_text(f"database = 'how? 50%/{name}'\n", encoding="utf-8")
    settings = load(tmp_path / "config.toml", environment_file=None)
    await (await Store.open(settings.database_url)).aclose()
    assert (folder / name).is_file()
    assert {each.name for each in folder.iterdir() if not each.name.startswith(name)} == set()
    reader = await Store.open(settings.database_url, read_only=True)
    await reader.aclose()


@asynccontextmanager
async def listening(answer: bytes) -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """A server that reads one packet of PostgreSQL's, answers with these bytes, and hangs up."""
    seen: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = await reader.readexactly(4)
        await seen.put(length + await reader.readexactly(struct.unpack("!i", length)[0] - 4))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


async def test_what_hosts_write_into_an_address_reaches_the_server() -> None:
    async with listening(b"N") as (port, seen):
        with pytest.raises(StoreError) as caught:
            await Store.open(f"postgresql://pupil:hunter2@127.0.0.1:{port}/x?{HOSTED}")
        assert await seen.get() == SSL_REQUEST
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    query = "sslmode=disable&application_name=course&options=-c%20statement_timeout%3D5000"
    async with listening(b"") as (port, seen):
        with pytest.raises(StoreError):
            await Store.open(f"postgresql://pupil:hunter2@127.0.0.1:{port}/x?{query}")
        told = (await seen.get())[8:].split(b"\0")
        pairs = dict(zip(told[::2], told[1::2], strict=False))
    assert pairs[b"application_name"] == b"course"
    assert pairs[b"jit"] == b"off"
    assert pairs[b"options"] == b"-c statement_timeout=5000"


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("sslmod=require", "unknown parameter 'sslmod'; there are: .*sslmode"),
        ("connect_timeout=soon", "connect_timeout: expected a number, got 'soon'"),
        ("sslmode=always", "sslmode"),
    ],
)
async def test_a_wrong_parameter_is_one_line(query: str, problem: str) -> None:
    with pytest.raises(StoreError, match=problem) as caught:
        await Store.open(f"postgresql://pupil:hunter2@127.0.0.1:1/x?{query}")
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_pooler_is_asked_without_prepared_statements() -> None:
    plain, arguments = hosted.split(make_url("postgresql+asyncpg://u:p@h/x?pgbouncer=true&ssl=true"))
    assert dict(plain.query) == {}
    assert (arguments["statement_cache_size"], arguments["prepared_statement_cache_size"]) == (0, 0)
    assert arguments["prepared_statement_name_func"]() == ""
    assert arguments["server_settings"] == {"application_name": "pupil"}
    assert arguments["dsn"] == "postgresql://?sslmode=require"


@pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL server is named")
async def test_a_real_server_takes_it(tmp_path: Path) -> None:
    url = await empty("postgresql", tmp_path)
    query = {"sslmode": "prefer", "channel_binding": "prefer", "connect_timeout": "5", "pgbouncer": "true"}
    store = await Store.open(
        make_url(url)
        .update_query_dict({**query, "application_name": "course"})
        .render_as_string(hide_password=False)
    )
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT application_name FROM pg_stat_activity"))
        assert "course" in set(found.scalars())
    await engine.dispose()
    await store.aclose()

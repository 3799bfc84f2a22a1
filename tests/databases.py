"""The databases that the store is tested on: SQLite, and PostgreSQL where PUPIL_TEST_POSTGRES_URL names a server.

Each of pytest's workers has a database of its own there, emptied for each test.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

POSTGRES = os.environ.get("PUPIL_TEST_POSTGRES_URL")
DATABASES = ("sqlite", "postgresql") if POSTGRES else ("sqlite",)


async def empty(kind: str, folder: Path) -> str:
    """The address of an empty database of that kind; a file lies in `folder`."""
    if kind == "sqlite":
        return f"sqlite+aiosqlite:///{folder / 'pupil.db'}"
    assert POSTGRES
    name = f"pupil_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    server = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await server.dispose()
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)

"""Databases of both kinds, empty; PostgreSQL only where PUPIL_TEST_POSTGRES_URL names one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store import Store
from tests.training.harvest.logs import Log

POSTGRES = os.environ.get("PUPIL_TEST_POSTGRES_URL")


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRES else ["sqlite"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'pupil.db'}"
    assert POSTGRES
    engine = create_async_engine(POSTGRES)
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    return POSTGRES


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    (tmp_path / "data").mkdir()
    opened = await Store.open(url, data=tmp_path / "data")
    yield opened
    await opened.aclose()


@pytest.fixture
def log(store: Store) -> Log:
    return Log(store)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "left-out.jsonl"

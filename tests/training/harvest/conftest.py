"""Databases of both kinds, empty; PostgreSQL only where PUPIL_TEST_POSTGRES_URL names one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.databases import DATABASES, empty
from tests.training.harvest.logs import Log


@pytest.fixture(params=DATABASES)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return await empty(request.param, tmp_path)


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

"""Turns by month on PostgreSQL: brought there whole, made ahead, dropped when old, each number given once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store import Store, StoreError, migrate, migrating, months
from bot.store.database import Database
from bot.store.months import Month
from bot.store.rows import ClaimedMessage, Consent, FeedbackKind, StudentTurn, TeacherTurn
from bot.student.records.dialogue import Thought, ThoughtKind
from tests.databases import POSTGRES, empty

pytestmark = pytest.mark.skipif(
    not POSTGRES, reason="no PostgreSQL server is named; SQLite has one table for all turns"
)

NOW = datetime.now(UTC)
ANN = "a" * 32


@pytest.fixture
async def url(tmp_path: Path) -> str:
    return await empty("postgresql", tmp_path)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(url)
    yield opened
    await opened.aclose()


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(url)
    yield made
    await made.dispose()


async def rows(engine: AsyncEngine, statement: str) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(statement)]


async def partitions(engine: AsyncEngine) -> dict[str, int]:
    """How many turns lie in each partition that has any."""
    found = await rows(engine, "SELECT tableoid::regclass::text, count(*) FROM turns GROUP BY 1 ORDER BY 1")
    return dict(found)


async def say(store: Store, at: datetime, key: str) -> int:
    """Log one exchange of that time; give the id of the child's turn."""
    place = await store.conversation("discord", "room", None)
    await store.claim(ClaimedMessage(key, "discord", "room", None, ANN, "What?", key, at))
    student = StudentTurn(
        "45",
        at,
        Thought(ThoughtKind.ANSWER, "45", words=1),
        "model",
        "base",
        "1",
        "3",
        "mia",
        "2.NBT.B.5-subtract",
    )
    logged = await store.log_exchange(key, place.id, TeacherTurn("What?", at, ANN, key), student, None)
    assert logged.student_id
    return logged.student_id


def back(count: int) -> datetime:
    """A moment in the middle of the month so many before this one."""
    return Month(Month.of(NOW).number - count).begins + timedelta(days=14)


async def make(store: Store, *counts: int) -> None:
    async with store._database.writing() as connection:
        await months.make(connection, [Month.of(back(count)) for count in counts])


async def test_an_older_log_comes_whole_into_its_months(url: str, engine: AsyncEngine) -> None:
    database = Database(url)

    def be_older(connection: Connection) -> None:
        config = migrating.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")

    async with database.writing() as connection:
        await connection.run_sync(be_older)
        await connection.exec_driver_sql(
            "INSERT INTO conversations (platform, channel, thread, turns, created_at, updated_at)"
            " VALUES ('discord', 'room', '', 400, now(), now())"
        )
        # From fifteen months ago until now, one that a broken clock wrote, and one of the distant future.
        await connection.exec_driver_sql(
            "INSERT INTO turns (conversation_id, number, role, content, said_at, author_hash, thought)"
            " SELECT 1, n, CASE WHEN n % 2 = 1 THEN 'teacher' ELSE 'student' END, 'line ' || n, CASE n"
            " WHEN 1 THEN '1970-01-01+00' WHEN 2 THEN '2199-01-01+00' ELSE now() - (400 - n) * interval '27 hours' END,"
            " CASE WHEN n % 2 = 1 THEN 'ann' END, CASE WHEN n % 2 = 0 THEN '{\"kind\": \"chat\"}'::json END"
            " FROM generate_series(1, 400) AS n"
        )
        await connection.exec_driver_sql("INSERT INTO feedback VALUES (2, 'ann', 'up', NULL, now())")
    await database.aclose()
    everything = "SELECT * FROM turns ORDER BY id"
    before = await rows(engine, everything.replace("*", "turns::text"))
    assert await migrate(url) == "0009"
    assert await rows(engine, everything.replace("*", "turns::text")) == before
    where = await partitions(engine)
    assert where.pop("turns_other") == 2
    assert set(where) <= {Month.of(back(count)).partition for count in range(17)}
    assert len(where) > 12
    assert await rows(engine, "SELECT turn_id FROM feedback") == [(2,)]
    store = await Store.open(url)
    assert await say(store, NOW, "discord:new") == 402
    assert len(await store.turns(1, 1000)) == 402
    await store.aclose()


async def test_the_months_to_come_are_there_and_made_again(store: Store, engine: AsyncEngine) -> None:
    ahead = months._wanted(NOW)
    assert len(ahead) == months.AHEAD + 1
    async with store._database.reading() as connection:
        assert await months.found(connection) == ahead
    assert await store.prepare_months() == 0
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"DROP TABLE {ahead[-1].partition}")
    assert await store.prepare_months() == 1


async def test_a_turn_without_its_month_is_taken_and_moves_there_later(
    store: Store, engine: AsyncEngine
) -> None:
    await say(store, back(5), "discord:late")
    assert await partitions(engine) == {"turns_other": 2}
    before = [asdict(turn) for turn in await store.turns(1, 9)]
    await make(store, 5)
    assert await partitions(engine) == {Month.of(back(5)).partition: 2}
    assert [asdict(turn) for turn in await store.turns(1, 9)] == before


async def test_retention_drops_old_months_and_deletes_within_the_one_it_cuts(
    store: Store, engine: AsyncEngine
) -> None:
    await make(store, 1, 2, 3, 4)
    said = [await say(store, back(count), f"discord:{count}") for count in (4, 3, 2, 1, 0)]
    await say(store, back(2) + timedelta(days=5), "discord:kept")
    for turn in said:
        await store.add_feedback(turn, ANN, FeedbackKind.UP)
    report = await store.purge(back(2) + timedelta(days=1))
    assert report.turns == 6
    assert await partitions(engine) == {Month.of(back(count)).partition: 2 for count in (2, 1, 0)}
    there = {
        name for (name,) in await rows(engine, "SELECT relname FROM pg_class WHERE relname ~ '^turns_2'")
    }
    assert not there & {Month.of(back(count)).partition for count in (3, 4)}
    assert [turn for (turn,) in await rows(engine, "SELECT turn_id FROM feedback ORDER BY 1")] == said[3:]
    assert [turn.number for turn in await store.turns(1, 99)] == [7, 8, 9, 10, 11, 12]


async def test_a_month_that_somebody_reads_is_emptied_and_dropped_another_night(
    store: Store, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(months, "PATIENCE", "20ms")
    await make(store, 3)
    await say(store, back(3), "discord:1")
    async with engine.connect() as dump:
        await dump.exec_driver_sql("SELECT count(*) FROM turns")  # its transaction goes on
        assert (await store.purge(back(1))).turns == 2
        await say(store, NOW, "discord:2")
    old = Month.of(back(3)).partition
    assert await rows(engine, f"SELECT count(*) FROM {old}") == [(0,)]  # noqa: S608
    await store.purge(back(1))
    assert await rows(engine, f"SELECT to_regclass('{old}')") == [(None,)]


async def test_every_number_is_given_once_over_the_edge_of_a_month(store: Store, engine: AsyncEngine) -> None:
    await make(store, 1)
    edge = Month.of(NOW).begins
    times = [edge + timedelta(seconds=count - 10) for count in range(20)]
    await asyncio.gather(*(say(store, at, f"discord:{at.timestamp()}") for at in times))
    assert [turn.number for turn in await store.turns(1, 99)] == list(range(1, 41))
    assert len(await partitions(engine)) == 2
    # And the month itself refuses a number that it has.
    with pytest.raises(StoreError, match="does not fit"):
        async with store._database.writing() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO turns (conversation_id, number, role, content, said_at)"
                " SELECT conversation_id, number, role, content, said_at + interval '1 second' FROM turns WHERE number = 40"
            )


async def test_who_is_forgotten_is_forgotten_in_every_month(store: Store) -> None:
    await make(store, 1, 2)
    for count in (0, 1, 2):
        await say(store, back(count), f"discord:{count}")
    await store.set_consent(ANN, Consent.ON)
    report = await store.forget(ANN)
    assert (report.teacher_turns, report.student_turns) == (3, 3)
    assert await store.turns(1, 99) == []

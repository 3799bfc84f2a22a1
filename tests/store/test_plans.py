"""Every question that is asked often finds its rows by an index, as both databases say of the statements themselves.

The statements are those that the store makes, caught on their way; a log of ten thousand turns stands for a long one.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.store import Store
from bot.store.rows import ClaimedMessage, Consent, FeedbackKind, Spoken, StudentTurn, TeacherTurn
from bot.student.records.dialogue import MoveKind, Thought, ThoughtKind
from tests.databases import DATABASES, empty
from tests.fakes import long_log

TURNS = 10_000
NOW = datetime.now(UTC)
LONG = ("turns", "claims", "conversations")
"""Tables that grow with every practice; the others grow with people and courses."""
Asked = tuple[str, Any]


@pytest.fixture(scope="module", params=DATABASES)
async def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    url = await empty(request.param, tmp_path_factory.mktemp("long"))
    await long_log.fill(url, TURNS, NOW)
    opened = await Store.open(url)
    yield opened
    await opened.aclose()


@contextmanager
def caught(store: Store) -> Iterator[list[Asked]]:
    """What is asked of the database meanwhile."""
    asked: list[Asked] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH", "INSERT")):
            asked.append((statement, parameters[0] if many else parameters))

    engine = store._database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


async def scanned(store: Store, asked: list[Asked]) -> list[str]:
    """Long tables that one of these statements reads from end to end."""
    found = []
    async with store._database.reading() as connection:
        for statement, parameters in asked:
            if store._database.is_sqlite:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found += [row.detail for row in plan if re.match(rf"SCAN ({'|'.join(LONG)})", row.detail)]
            else:
                plan = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                (told,) = plan.scalar_one()
                found += [f"{node} in {statement}" for node in _whole(told["Plan"], await _filled(connection))]
    return found


async def _filled(connection: Any) -> set[str]:
    """The long tables, and the partitions that hold enough for a plan to matter."""
    found = await connection.exec_driver_sql(
        "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND reltuples > 200"
    )
    return {row.relname for row in found if row.relname.startswith(LONG)}


def _whole(plan: dict[str, Any], filled: set[str]) -> Iterator[str]:
    """The parts of a plan that read a long table without looking anything up in it."""
    scan = plan["Node Type"] in {"Seq Scan", "Index Scan", "Index Only Scan"}
    if scan and plan.get("Relation Name") in filled and "Index Cond" not in plan:
        yield f"{plan['Node Type']} on {plan['Relation Name']}"
    for part in plan.get("Plans", ()):
        yield from _whole(part, filled)


# What is asked: each of these on the long log.


def _message(key: str) -> ClaimedMessage:
    return ClaimedMessage(key, "discord", "room7", None, "person3", "What is 52 minus 17?", key, NOW)


async def _reply(store: Store) -> None:
    key = f"discord:{datetime.now(UTC).timestamp()}"
    assert await store.claim(_message(key))
    place, _ = await store.so_far("discord", "room7", None, lambda _: 20)
    teacher = TeacherTurn("What is 52 minus 17?", NOW, "person3", key, MoveKind.ASKS)
    thought = Thought(ThoughtKind.ANSWER, "45", words=1)
    student = StudentTurn("45", NOW, thought, "model", "base", "1", "3", "mia", long_log.LESSON)
    spoken = Spoken("n", "45", None, False, place.id, teacher, student, None, None, NOW)
    assert await store.outbox.speak(key, spoken)
    await store.log_exchange(key, place.id, teacher, student, None)


async def _budget(store: Store) -> None:
    await store.spent(NOW.replace(hour=0, minute=0, second=0, microsecond=0), "person3")


async def _reaction(store: Store) -> None:
    turn = await store.find_turn("discord:41")
    assert turn
    await store.add_feedback(turn.id, "person3", FeedbackKind.UP)


async def _status(store: Store) -> None:
    await store.turns((await store.conversation("discord", "room7", None)).id, 200)


async def _debrief(store: Store) -> None:
    found = await store.practices.newest("discord", "room7", None, "person3")
    await store.practices.said(found.id if found else 1, 200)


async def _recovery(store: Store) -> None:
    await store.outbox.take_over("discord")
    await store.unanswered()


async def _try_again(store: Store) -> None:
    place = await store.conversation("discord", "room7", None)
    moments = await store.tries.moments(place)
    await store.tries.mind_at(moments[0])


async def _harvest_page(store: Store) -> None:
    await anext(store.turns_stream(forgotten=True))


async def _week(store: Store) -> None:
    await store.harvests.week(NOW - timedelta(days=1))


async def _forget(store: Store) -> None:
    report = await store.forget("person5")
    assert report.teacher_turns > 400


async def _unsay(store: Store) -> None:
    assert await store.unsay("discord:8") == 2


async def _consent(store: Store) -> None:
    await store.set_consent("person4", Consent.OFF)
    await store.consent("person4")


async def _retention(store: Store) -> None:
    await store.purge(NOW - timedelta(days=360))


async def _export(store: Store) -> None:
    assert len((await store.export("person2"))["turns"]) > 400


QUESTIONS: tuple[Callable[[Store], Awaitable[None]], ...] = (
    _reply, _budget, _reaction, _status, _debrief, _recovery, _try_again, _harvest_page, _week, _consent, _export,
    _unsay, _forget, _retention,
)  # fmt: skip
OFFLINE = {"_retention": r"Seq Scan on conversations|SCAN conversations"}
"""Once a night a read of all conversations, whose index every reply would have to keep."""


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.__name__.strip("_"))
async def test_a_question_reads_no_long_table_from_end_to_end(
    store: Store, question: Callable[[Store], Awaitable[None]]
) -> None:
    with caught(store) as asked:
        await question(store)
    assert asked
    found = await scanned(store, asked)
    allowed = OFFLINE.get(question.__name__, "$^")
    assert [each for each in found if not re.match(allowed, each)] == []


async def test_a_scan_would_be_seen(store: Store) -> None:
    for table in LONG:
        assert await scanned(store, [(f"SELECT count(*) FROM {table} WHERE lower(CAST({table} AS text)) = ''", ())] if not store._database.is_sqlite else [(f"SELECT * FROM {table} WHERE abs(rowid) = 1", ())])

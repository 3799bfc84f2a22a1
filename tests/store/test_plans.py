"""Every question that is asked often finds its rows by an index, as both databases say of the statements themselves.

The statements are those that the store makes, caught on their way; a log of some thousand turns stands for a long one.
"""

from __future__ import annotations

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

TURNS = 6_000
NOW = datetime.now(UTC)
LONG = ("turns", "claims", "conversations")
"""Tables that grow with every practice; the others grow with people and courses."""
MONTH = re.compile(r"turns_\d{4}_\d{2}")
PARTIAL = ("ix_claims_waiting", "ix_claims_author_hash", "ix_conversations_branch_of")
"""Indexes of the few rows that are not settled: to read one from end to end is to look them up."""
SCAN = re.compile(rf"SCAN ({'|'.join(LONG)})(?:.* USING INDEX (\w+))?")
Asked = tuple[str, Any]


@pytest.fixture(params=DATABASES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = await empty(request.param, tmp_path)
    await long_log.fill(url, TURNS, NOW, a_person=100, over=45)
    opened = await Store.open(url)
    yield opened
    await opened.aclose()


@contextmanager
def caught(store: Store) -> Iterator[list[Asked]]:
    """What is asked of the database meanwhile."""
    asked: list[Asked] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, _m: bool) -> None:
        # What is done with a month's own table is meant to read all of it.
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH", "INSERT")) and not MONTH.search(
            statement
        ):
            asked.append((statement, parameters[0] if isinstance(parameters, list) else parameters))

    engine = store._database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


async def scanned(store: Store, asked: list[Asked]) -> list[Asked]:
    """Long tables that one of these statements reads from end to end, each with the statement."""
    found: list[Asked] = []
    filled: set[str] = set()
    async with store._database.reading() as connection:
        if not store._database.is_sqlite:
            # As if the tables were too long to be read, which a few thousand rows are not.
            filled = await _filled(connection)
            for way in ("seqscan", "hashjoin", "mergejoin"):
                await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        for statement, parameters in dict(asked).items():
            if store._database.is_sqlite:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                scans = [SCAN.match(row.detail) for row in plan]
                found += [(scan[1], statement) for scan in scans if scan and scan[2] not in PARTIAL]
            else:
                plan = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                (told,) = plan.scalar_one()
                read = set(_whole(told["Plan"], filled))
                found += [(table, statement) for table in read]
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
    few = plan.get("Index Name", "").startswith(PARTIAL)
    if scan and plan.get("Relation Name") in filled and "Index Cond" not in plan and not few:
        yield plan["Relation Name"].split("_")[0]
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
    assert report.teacher_turns == 50


async def _unsay(store: Store) -> None:
    assert await store.unsay("discord:8") == 2


async def _consent(store: Store) -> None:
    await store.set_consent("person4", Consent.OFF)
    await store.consent("person4")


async def _retention(store: Store) -> None:
    await store.purge(NOW - timedelta(days=40))


async def _export(store: Store) -> None:
    assert len((await store.export("person2"))["turns"]) == 50


QUESTIONS: tuple[Callable[[Store], Awaitable[None]], ...] = (
    _reply, _budget, _reaction, _status, _debrief, _recovery, _try_again, _harvest_page, _week, _consent, _export,
    _unsay, _forget, _retention,
)  # fmt: skip
NIGHTLY = {"retention": {"conversations"}}
"""Once a night a read of all conversations, for whose index every reply would pay."""


async def test_no_question_reads_a_long_table_from_end_to_end(store: Store) -> None:
    # That a read of all would be seen, first.
    everything = ("SELECT * FROM turns WHERE content LIKE 'x%'", ())
    assert {table for table, _ in await scanned(store, [everything])} == {"turns"}
    found = {}
    for question in QUESTIONS:
        with caught(store) as asked:
            await question(store)
        assert asked
        name = question.__name__.strip("_")
        read = [each for each in await scanned(store, asked) if each[0] not in NIGHTLY.get(name, ())]
        if read:
            found[name] = read
    assert found == {}

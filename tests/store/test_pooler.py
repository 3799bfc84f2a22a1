"""Three programs behind PgBouncer in transaction mode, which hands each transaction whatever server is free."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store import Store, StoreError
from bot.store.rows import ClaimedMessage, Consent, Spoken, StudentTurn, TeacherTurn
from bot.student.records.dialogue import Thought, ThoughtKind
from tests.databases import POSTGRES, empty
from tests.fakes import pooler

pytestmark = [
    pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL server is named"),
    pytest.mark.skipif(not pooler.PROGRAM, reason="there is no pgbouncer here; apt-get install pgbouncer"),
]
NOW = datetime.now(UTC)
ANN = "a" * 32
TALKS, EXCHANGES = 6, 4


async def talk(store: Store, room: str, number: int = EXCHANGES) -> None:
    """A whole conversation, as the bot has it."""
    for count in range(number):
        key = f"discord:{room}-{count}"
        assert await store.claim(ClaimedMessage(key, "discord", room, None, ANN, "What?", key, NOW))
        place, _ = await store.so_far("discord", room, None, lambda _: 20)
        thought = Thought(ThoughtKind.ANSWER, "45", words=1)
        student = StudentTurn("45", NOW, thought, "model", "base", "1", "3", "mia", "2.NBT.B.5-subtract")
        teacher = TeacherTurn("What?", NOW, ANN, key)
        spoken = Spoken("n", "45", None, False, place.id, teacher, student, None, None, NOW)
        assert await store.outbox.speak(key, spoken)
        await store.log_exchange(key, place.id, teacher, student, "{}", mind_before=place.mind)


async def test_all_that_a_store_does_works_behind_a_pooler(tmp_path: Path) -> None:
    url = await empty("postgresql", tmp_path)
    async with pooler.before(url) as address:
        stores = await asyncio.gather(*(Store.open(address) for _ in range(3)))
        for store in stores:
            await store.outbox.take_over("discord")  # from here on each is known to be alive
        talks = (talk(stores[count % 3], f"room{count}") for count in range(TALKS))
        await asyncio.gather(*talks, *(store.outbox.take_over("discord") for store in stores))
        first = stores[0]
        for store in stores:
            assert len(await store.turns(1, 99)) == 2 * EXCHANGES
            await store.set_consent(ANN, Consent.ON)
        assert len([turn async for turn in first.turns_stream()]) == TALKS * 2 * EXCHANGES
        assert await first.harvests.repeated_lines(10, 2) == {"what?"}
        assert await first.prepare_months() == 0
        assert len((await first.export(ANN))["turns"]) == TALKS * EXCHANGES
        reader = await Store.open(address, read_only=True)
        assert len(await reader.turns(1, 99)) == 2 * EXCHANGES
        with pytest.raises(StoreError, match="read-only"):
            await reader.writable()
        assert (await first.forget(ANN)).teacher_turns == TALKS * EXCHANGES
        await first.purge(datetime.now(UTC))
        for store in (*stores, reader):
            await store.aclose()


async def test_named_statements_would_break_there(tmp_path: Path) -> None:
    url = await empty("postgresql", tmp_path)
    async with pooler.before(url, ignored="jit") as address:
        plain = address.replace("pgbouncer=true", "")
        stores = [await Store.open(plain) for _ in range(3)]
        for store in stores:
            await store.outbox.take_over("discord")
        with pytest.raises(StoreError, match="prepared statement"):
            await asyncio.gather(*(talk(stores[count % 3], f"room{count}") for count in range(TALKS)))
        for store in stores:
            await store.aclose()

"""Several programs on one database, each with a classroom of its own: one message at a time in a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot import delivery, left_behind
from bot.app import App
from bot.messages import Outgoing
from bot.store import Store, StoreError
from bot.student.records.dialogue import Role
from tests.fakes.students import Listener, ScriptedModel, message, room


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pupil.db"


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def said(app: App) -> list[str]:
    place = await app.store.conversation("discord", "room", None)
    return [each.content for each in await app.store.turns(place.id, 99) if each.role is Role.TEACHER]


async def test_what_another_program_answers_is_waited_for_and_no_other_conversation_waits(path: Path) -> None:
    slow, heard = ScriptedModel(), list[str]()
    slow.hang()
    async with room(path, slow, classroom={"reply_seconds": 1.0}) as one, room(path) as other:
        first = asyncio.create_task(one.classroom.receive(message("One?"), Listener(log=heard)))
        await until(lambda: slow.cues)
        second = asyncio.create_task(other.classroom.receive(message("Two?"), Listener(log=heard)))
        third = asyncio.create_task(other.classroom.receive(message("Three?"), Listener(log=heard)))
        assert await other.classroom.receive(message("Hi!", channel="elsewhere"), Listener())
        assert not second.done(), "the first is still being thought about"
        assert all(await asyncio.gather(second, third))
        await first
        # The first got a notice: its model hung. Those behind it came in their order all the same.
        assert await said(other) == ["Two?", "Three?"]


async def test_messages_that_come_to_programs_by_turns_keep_their_order(path: Path) -> None:
    async with AsyncExitStack() as stack:
        apps = [await stack.enter_async_context(room(path, ScriptedModel(delay=0.02))) for _ in range(3)]
        asked, taken = [f"What is {20 + number} plus 3?" for number in range(9)], []
        for number, text in enumerate(asked):
            taken.append(await apps[number % 3].classroom.take(message(text), Listener()))
        assert all(await asyncio.gather(*taken))
        assert await said(apps[0]) == asked


async def test_what_one_program_failed_at_holds_up_no_other(path: Path) -> None:
    broken = ScriptedModel()
    broken.enqueue(RuntimeError("a fault of ours"))
    async with room(path, broken) as one, room(path) as other:
        listener = Listener()
        assert await one.classroom.receive(message("One?", key="discord:one"), listener) is None
        assert "was not lost" in listener.notices[0]
        assert await other.classroom.receive(message("Two?"), Listener())
        assert [each.key for each in await other.store.unanswered()] == ["discord:one"], (
            "for the next program"
        )


async def test_an_answer_that_could_not_be_logged_is_logged_when_the_store_can(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said once, and without a restart."""
    monkeypatch.setattr(delivery, "STORE_TRIES", 1)
    monkeypatch.setattr(left_behind, "BEAT_SECONDS", 0.02)
    log, fails = Store.log_exchange, [StoreError("the disk is full")]

    async def full(*given: Any, **more: Any) -> object:
        if fails:
            raise fails.pop()
        return await log(*given, **more)

    class Found(Listener):
        async def find(self, outgoing: Outgoing) -> list[str]:
            return ["discord:room:there"] if self.sent else []

    monkeypatch.setattr(Store, "log_exchange", full)
    listener = Found()
    async with room(path) as app:
        await app.classroom.recover("discord", lambda _: listener)
        assert await app.classroom.receive(message("One?"), listener)
        async with asyncio.timeout(20):
            while await app.store.unanswered():
                await asyncio.sleep(0.01)
        assert await app.classroom.receive(message("Two?"), listener)
        assert await said(app) == ["One?", "Two?"]
    assert len(listener.words) == 2


async def test_the_budget_is_one_of_all_programs(path: Path) -> None:
    sections: dict[str, Any] = {
        "models": {"gpt": {"model": "gpt-4o-mini"}},
        "budget": {"per_day": 0.5},
        "student": {"model": "gpt"},
    }
    models = [ScriptedModel("gpt", cost_usd=0.3) for _ in range(2)]
    async with (
        room(path, models[0], ScriptedModel(), **sections) as one,
        room(path, models[1], ScriptedModel(), **sections) as other,
    ):
        listener = Listener()
        answers = [await each.classroom.receive(message(), listener) for each in (one, other, one, other)]
    assert [answer is not None for answer in answers] == [True, True, False, False]
    assert [len(each.cues) for each in models] == [1, 1]

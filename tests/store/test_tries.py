"""Another try and what is assigned, on every database: what is read from where, and what goes with whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.rows import ConversationRow
from tests.databases import DATABASES, empty
from tests.store.test_store import ANN, BEN, message, student, teacher

ROOM = ("discord", "room", None)


@pytest.fixture(params=DATABASES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(await empty(request.param, tmp_path))
    yield opened
    await opened.aclose()


async def say(store: Store, key: str, *, author: str = ANN) -> ConversationRow:
    """One exchange in the room; the state after it is named like it."""
    now = await store.conversation(*ROOM)
    assert await store.claim(message(key, author=author))
    mind = f"mind {key}"
    said = teacher(key, author)
    await store.log_exchange(f"discord:{key}", now.id, said, student(f"to {key}"), mind, mind_before=now.mind)
    return await store.conversation(*ROOM)


async def back(store: Store, turn: int) -> ConversationRow:
    """Before that turn of a teacher."""
    now = await store.conversation(*ROOM)
    moment = (await store.tries.moments(now))[turn - 1]
    return await store.tries.branch(now, moment, await store.tries.mind_at(moment))


async def said_so_far(store: Store, most: int = 99) -> list[str]:
    _, said = await store.so_far(*ROOM, lambda _: most)
    return [turn.content for turn in said]


async def test_a_try_goes_on_where_the_other_was(store: Store) -> None:
    first = [await say(store, key) for key in ("a", "b", "c")]
    await back(store, 3)
    second = await say(store, "d")
    third = await back(store, 2)
    assert (third.branch_of, third.branch_at, third.turns, third.mind) == (first[0].id, 2, 2, "mind a")
    assert await said_so_far(store) == ["a", "to a"]
    await say(store, "e")
    assert await said_so_far(store) == ["a", "to a", "e", "to e"]
    assert await said_so_far(store, 3) == ["to a", "e", "to e"]
    assert [turn.number for turn in await store.turns(third.id, 9)] == [3, 4]
    assert second.ended_at is None
    moments = await store.tries.moments(await store.conversation(*ROOM))
    assert [(each.conversation_id, each.number, each.content) for each in moments] == [
        (first[0].id, 1, "a"),
        (third.id, 3, "e"),
    ]
    assert [each.said_before is None for each in moments] == [True, False]


async def test_a_try_of_a_try_reads_through_both(store: Store) -> None:
    await say(store, "a")
    await say(store, "b")
    await back(store, 2)
    await say(store, "c")
    await say(store, "d")
    await back(store, 3)
    await say(store, "e")
    assert await said_so_far(store) == ["a", "to a", "c", "to c", "e", "to e"]
    assert [each.content for each in await store.tries.moments(await store.conversation(*ROOM))] == [
        "a",
        "c",
        "e",
    ]


async def test_who_is_forgotten_leaves_the_tries_that_go_on_from_there(store: Store) -> None:
    await say(store, "a", author=BEN)
    await say(store, "b")
    await back(store, 2)
    await say(store, "c")
    await back(store, 2)
    await say(store, "d")
    await store.forget(BEN)
    now = await store.conversation(*ROOM)
    assert now.mind is None
    moments = await store.tries.moments(now)
    assert [each.content for each in moments] == ["", "d"]
    assert [await store.tries.mind_at(each) for each in moments] == [None, None]
    assert await said_so_far(store) == ["d", "to d"]


async def test_whoever_comes_later_takes_nothing_of_the_first_try(store: Store) -> None:
    await say(store, "a")
    first = await say(store, "b")
    await back(store, 2)
    await say(store, "c", author=BEN)
    await store.forget(BEN)
    moments = await store.tries.moments(first)
    assert [(each.content, await store.tries.mind_at(each)) for each in moments] == [
        ("a", None),
        ("b", "mind a"),
    ]


async def test_what_is_assigned_holds_for_the_channel_and_its_threads(store: Store) -> None:
    await store.tries.assign("discord", "room", "pairs")
    await store.tries.assign("discord", "room", "whisper")
    assert await store.tries.assignment("discord", "room") == "whisper"
    assert (await store.conversation(*ROOM)).scenario == "whisper"
    assert (await store.conversation("discord", "room", "thread")).scenario == "whisper"
    assert (await store.conversation("slack", "room", None)).scenario is None
    await store.tries.assign("discord", "room", None)
    assert await store.tries.assignment("discord", "room") is None
    assert (await store.new_conversation(*ROOM)).scenario == "whisper"
    assert (await store.conversation("discord", "room", "another")).scenario is None


async def test_an_assignment_goes_with_the_only_one_who_spoke_there(store: Store) -> None:
    await store.tries.assign("discord", "room", "pairs")
    await say(store, "a")
    await say(store, "b", author=BEN)
    await store.forget(ANN)
    assert await store.tries.assignment("discord", "room") == "pairs"
    await store.forget(BEN)
    assert await store.tries.assignment("discord", "room") is None

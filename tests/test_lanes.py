"""A conversation's queue while messages that another program left are taken over into it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.lanes import Job, Lanes
from bot.messages import Answer
from bot.store.rows import ClaimedMessage, Left, Standing
from tests.fakes.students import Listener, message

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LEFT = Left(ClaimedMessage("discord:1", "discord", "room", None, "ann", "Hi.", "discord:1", NOON), None, None)


def queue(lanes: Lanes, key: str, left: Left | None = None) -> Job:
    claimed = asyncio.get_running_loop().create_future()
    claimed.set_result(Standing.NOW)
    said = message(key=key, sent_at=NOON)
    return lanes.enqueue(said, Listener(), None, claimed, missed=left is not None, left=left)


async def test_what_is_taken_over_while_another_message_begins_is_served_after_it() -> None:
    served, taken = list[str](), list[Job]()

    async def serve(job: Job) -> Answer | None:
        served.append(job.message.key)
        return None

    async def may_begin(_: Job, __: Sequence[str]) -> bool:
        if not taken:
            taken.append(queue(lanes, "discord:1", LEFT))
        return True

    lanes = Lanes(serve, may_begin, lambda _: None)
    own = queue(lanes, "discord:2")
    async with asyncio.timeout(5):
        await own.done
        await taken[0].done
    assert served == ["discord:2", "discord:1"]


async def test_of_one_moment_the_message_with_the_lower_key_goes_first() -> None:
    served, may = list[str](), asyncio.Event()

    async def serve(job: Job) -> Answer | None:
        served.append(job.message.key)
        return None

    async def may_begin(job: Job, keys: Sequence[str]) -> bool:
        await may.wait()
        return job.message.key == keys[0]

    lanes = Lanes(serve, may_begin, lambda _: None)
    waiting = [queue(lanes, "discord:2"), queue(lanes, "discord:3"), queue(lanes, "discord:1", LEFT)]
    await asyncio.sleep(0)
    may.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*(each.done for each in waiting))
    assert served.index("discord:1") < served.index("discord:3")

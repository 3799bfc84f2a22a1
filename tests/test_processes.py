"""Several processes behind one Slack endpoint, killed at random: every message once, and in order. In short what
`python -m benchmarks.processes kill` does for minutes."""

from __future__ import annotations

import asyncio
import os
import random
import time
from contextlib import suppress

import pytest

from tests.databases import DATABASES
from tests.fakes.many_bots import many_bots

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="bots are forked"),
    pytest.mark.timeout(600),
]
MESSAGES = 8


@pytest.mark.parametrize("kind", DATABASES[-1:])
async def test_every_message_once_and_in_order_while_processes_are_killed(kind: str) -> None:
    async with many_bots(kind, 2, 3, beat=0.1) as bots:
        await bots.begin()
        killing = asyncio.create_task(bots.kill_at_random(0.4, random.Random(7)))
        rooms = bots.slack.rooms
        talks = (
            bots.talk(room, MESSAGES, time.monotonic() + 600, 2, random.Random(number))
            for number, room in enumerate(rooms)
        )
        counts = await asyncio.gather(*talks)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        assert counts == [MESSAGES] * len(rooms)
        assert await bots.wrong(dict(zip(rooms, counts, strict=True))) == []

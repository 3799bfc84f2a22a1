"""One message at a time in a conversation, whichever programs answer there: whether it is a message's turn.

It asks the store's outbox, and knows nothing of what becomes of the message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.lanes import Job
from bot.store import StoreError
from bot.store.rows import Standing

if TYPE_CHECKING:
    from bot.store import Store

FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.02, 0.5
"""How soon, and at the most how late, it is seen that another program has answered what comes before."""
IN_LINE_LOOKS = 120
"""A minute: for so long a message waits behind one that came before it while nobody is answered there. By then what a
dead program left is long taken over; whatever else it may be must not hold everybody up."""


class InLine:
    """The messages of one process in the queues that it shares with others."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def may_begin(self, job: Job, queue: Sequence[str]) -> bool:
        """Whether this message, the first of its queue here, is to be served now; where its turn has not come, after a
        pause."""
        try:
            job.standing = await job.claimed
            if job.standing is Standing.WAITS:
                in_order = job.behind < IN_LINE_LOOKS
                job.standing = await self._store.outbox.begin(job.message.key, queue, in_order=in_order)
        except StoreError as error:
            job.trouble = error
        if job.trouble or job.standing in (Standing.NONE, Standing.NOW):
            return True
        job.behind += job.standing is Standing.BEHIND
        await asyncio.sleep(min(FIRST_LOOK_SECONDS * 2**job.looks, LOOK_SECONDS))
        job.looks += 1
        return False

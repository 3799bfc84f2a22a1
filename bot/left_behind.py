"""What programs that are no more left behind: taken over at the start, and from then on whenever another one dies.

It knows the store's outbox and the queues; how a message is answered is the classroom's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.health import start
from bot.lanes import Lanes
from bot.messages import Answer, Message, Place, Responder
from bot.store import StoreError
from bot.store.rows import ClaimedMessage, Left, Standing

if TYPE_CHECKING:
    from bot.store import Store

log = structlog.get_logger(__name__)

BEAT_SECONDS = 2.0
"""A program that is silent for seven of these is taken for dead; see `bot.store.programs`."""

ResponderFor = Callable[[ClaimedMessage], Responder | None]


class LeftBehind:
    """All that this program takes over. What is older than `recover` is given up, unless it may have been sent."""

    def __init__(self, store: Store, lanes: Lanes, recover: timedelta) -> None:
        self._store = store
        self._lanes = lanes
        self._recover = recover
        self._platforms: dict[str, ResponderFor] = {}
        self._beat: asyncio.Task[None] | None = None
        self._stopped = False
        self._one_at_a_time = asyncio.Lock()
        self._sent_again: set[str] = set()

    async def take_up(
        self, platform: str, responder_for: ResponderFor
    ) -> list[asyncio.Future[Answer | None]]:
        """Put what nobody holds any more on `platform` into the queues, and go on looking for it."""
        self._platforms[platform] = responder_for
        if self._beat is None:
            self._beat = start(self._beats(), "saying that this program lives")
        async with self._one_at_a_time:
            return await self._take_over(platform)

    def stop(self) -> None:
        """Look for nothing more. While something is in hand, this program goes on saying that it lives."""
        self._stopped = True

    async def leave(self) -> None:
        """This program ends: what it did not finish is free for whoever comes next."""
        self._stopped = True
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        try:
            await self._store.outbox.leave()
        except StoreError as error:
            log.warning("left without a word", reason=str(error))

    async def _take_over(self, *platforms: str) -> list[asyncio.Future[Answer | None]]:
        oldest = datetime.now(UTC) - self._recover
        taken = []
        for left in await self._store.outbox.take_over(*platforms):
            waiting = left.message
            # What may have been sent is looked for, however old it is.
            wanted = left.spoken is not None or waiting.created_at >= oldest
            responder = self._platforms[waiting.platform](waiting) if wanted else None
            if responder is None:
                await self._store.mark_failed(waiting.key, "left unanswered by a crash")
                continue
            taken.append(self._enqueue(left, responder))
        if taken:
            log.info("took over what was left behind", count=len(taken))
        return taken

    def _enqueue(self, left: Left, responder: Responder) -> asyncio.Future[Answer | None]:
        waiting = left.message
        message = Message(
            key=waiting.key,
            platform=waiting.platform,
            channel=waiting.channel,
            thread=waiting.thread,
            author="",
            author_hash=waiting.author_hash,
            text=waiting.text,
            sent_at=waiting.created_at,
            private=waiting.private,
        )
        claimed: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        claimed.set_result(Standing.WAITS)
        return self._lanes.enqueue(message, responder, None, claimed, missed=True, left=left).done

    async def _mend(self) -> None:
        """What this program gave up on, the database being away for instance, must hold up no conversation: what was
        said is logged now, once; the rest waits for the next program."""
        for left in await self._store.outbox.held():
            waiting = left.message
            place = Place(waiting.platform, waiting.channel, waiting.thread)
            if self._lanes.has(place, waiting.key) or waiting.platform not in self._platforms:
                continue
            responder = self._platforms[waiting.platform](waiting) if left.spoken else None
            if responder is not None and waiting.key not in self._sent_again:
                self._sent_again.add(waiting.key)
                self._enqueue(left, responder)
            else:
                await self._store.outbox.set_aside(waiting.key)

    async def _beats(self) -> None:
        """Say now and then that this program lives, and see who does not any more."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if self._stopped:
                    await self._store.outbox.renew()
                    continue
                async with self._one_at_a_time:
                    await self._take_over(*self._platforms)
                    await self._mend()
            except StoreError as error:
                log.warning("not seen who is alive", reason=str(error))
            except Exception:
                # Whoever does not say that it lives is taken for dead, and its messages are answered twice.
                log.exception("not all that was left behind was taken up")

"""From the outbox to the platform and into the log: sent until it is taken, looked up before it is sent again.

It knows the store's outbox and a message's responder; not what was said, nor why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.messages import NotSent, NotYet, Outgoing, Responder
from bot.steps import Step, Watch
from bot.store import StoreError
from bot.store.rows import Spoken, StudentTurn

if TYPE_CHECKING:
    from bot.store import Store

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds between two tries where the platform names none; each is twice the one before."""
WORTH_NOTING = 2.0
"""Seconds; a pause from here on is kept in the outbox, so that a restart does not cut it short."""
STORE_TRIES = 6
"""How often what was sent is logged before that is left to the next start: about half a minute of pauses, and what
the database takes to say no."""
T = TypeVar("T")


class TakenOver(RuntimeError):
    """The message is no more this program's: forgotten, or another one's."""


class Delivery:
    """All that one process sends in answer. `keep` is how long a platform that is away is waited for."""

    def __init__(self, store: Store, send_seconds: float, keep: timedelta, watch: Watch) -> None:
        self._store = store
        self._send_seconds = send_seconds
        self._keep = keep
        self._watch = watch

    async def deliver(
        self,
        key: str,
        spoken: Spoken,
        responder: Responder,
        *,
        again: bool = False,
        not_before: datetime | None = None,
    ) -> str | None:
        """Send it; give the platform's id of it. With `again` it may be there already.

        Raises `NotSent` when the platform refuses it or was away for too long, `TakenOver`.
        """
        outgoing = Outgoing(spoken.text, spoken.speaker, spoken.first, nonce=spoken.nonce)
        may_be_there, pauses = again, _pauses()
        if not_before is not None:
            await asyncio.sleep((not_before - datetime.now(UTC)).total_seconds())
        while True:
            # Who was held up for longer than its lease may have been taken for dead, and another one answers.
            if not self._store.outbox.fresh and not await patiently(lambda: self._store.outbox.holds(key)):
                raise TakenOver(key)
            try:
                if may_be_there:
                    async with asyncio.timeout(self._send_seconds):
                        found = await self._find(outgoing, responder)
                    if found is not None:
                        return found
                    if spoken.at + self._keep < datetime.now(UTC):
                        raise NotSent("it is too old")
                self._watch(Step.SENDING, key)
                async with asyncio.timeout(self._send_seconds):
                    return await responder.send(outgoing)
            except NotYet as error:
                reason, pause = str(error), next(pauses) if error.seconds is None else error.seconds
                may_be_there = may_be_there or error.may_be_there
            except TimeoutError:
                reason, pause, may_be_there = "the platform did not answer in time", next(pauses), True
            except NotSent:
                raise
            except Exception as error:  # a platform's own errors are not ours to know
                raise NotSent(str(error) or type(error).__name__) from error
            await self._wait(key, spoken, pause, reason)

    async def _find(self, outgoing: Outgoing, responder: Responder) -> str | None:
        """The message that shows it. What is logged shows another answer in the same words."""
        for message_id in await responder.find(outgoing):
            if await patiently(lambda message_id=message_id: self._store.find_turn(message_id)) is None:  # type: ignore[misc]
                return message_id
        return None

    async def _wait(self, key: str, spoken: Spoken, pause: float, reason: str) -> None:
        until = datetime.now(UTC) + timedelta(seconds=pause)
        if until > spoken.at + self._keep:
            raise NotSent(reason)
        log.warning("answer not sent yet", reason=reason, again_in_s=round(pause, 1))
        if pause >= WORTH_NOTING and not await patiently(lambda: self._store.outbox.postpone(key, until)):
            raise TakenOver(key)
        await asyncio.sleep(pause)

    async def log(
        self,
        key: str,
        spoken: Spoken,
        sent: str | None,
        latency_ms: int | None,
        then: Spoken | None = None,
    ) -> None:
        """Log what was sent, and be done with the message, or put what comes `then` in its place. Raises `StoreError`
        when that cannot be: the outbox keeps it, and whoever starts next finds it sent; or it waits no more, since its
        author was forgotten."""
        student = spoken.student and replace(
            spoken.student,
            said_at=datetime.now(UTC),
            platform_message_id=sent,
            latency_ms=spoken.student.latency_ms if latency_ms is None else latency_ms,
        )
        await patiently(lambda: self._logged(key, spoken, student, then))
        self._watch(Step.LOGGED, key)

    async def _logged(
        self, key: str, spoken: Spoken, student: StudentTurn | None, then: Spoken | None
    ) -> None:
        teacher, mind, before = spoken.teacher, spoken.mind, spoken.mind_before
        place = spoken.conversation_id
        if spoken.follows and student is not None:
            await self._store.outbox.log_answer(key, place, teacher, student, mind, before)
        else:
            await self._store.log_exchange(key, place, teacher, student, mind, mind_before=before, then=then)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Ask the store until it can: a lock or a full disk may pass. Raises the last `StoreError`."""
    pauses = _pauses()
    for _ in range(STORE_TRIES - 1):
        try:
            return await work()
        except StoreError as error:
            if error.final:
                raise
            log.warning("store asked again", reason=str(error))
            await asyncio.sleep(next(pauses))
    return await work()


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)

"""The queue of each conversation: one message after another there, and many conversations at once.

It knows places and the order of arrival. What is done with a message is the classroom's business.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.health import start
from bot.messages import Answer, Message, Place, Responder
from bot.store.rows import Left, Standing


@dataclass(slots=True)
class Job:
    """One message on its way. `claimed` is under way as soon as the message is taken."""

    message: Message
    responder: Responder
    seed: int | None
    claimed: asyncio.Future[Standing]
    done: asyncio.Future[Answer | None]
    came: float
    """When, in the event loop's time."""
    missed: bool = False
    """Heard late: it takes no place from those who speak now."""
    left: Left | None = None
    """What another program had done about it."""
    moment: asyncio.Task[None] | None = None
    """Says that it will take a while."""
    thinking: asyncio.Task[None] | None = None
    """Shows that the child is at it."""
    standing: Standing = Standing.WAITS
    """Whether it may be answered: another program may answer in the same conversation."""
    looks: int = 0
    """How often that was asked in vain ..."""
    behind: int = 0
    """... and how often of these nobody was answered there."""
    trouble: Exception | None = None
    """Why it could not even be asked."""
    begun: bool = False


@dataclass(slots=True)
class _Lane:
    """One conversation's queue, served by one task while there is something in it."""

    jobs: deque[Job] = field(default_factory=deque)
    worker: asyncio.Task[None] | None = None


class Lanes:
    """All queues of one process. `serve` answers one message and raises nothing; `may_begin` says whether it is its
    turn, given the keys of all in its queue, and takes its time where it is not; `counted` is told how many messages
    wait or are in hand, whenever that changes."""

    def __init__(
        self,
        serve: Callable[[Job], Awaitable[Answer | None]],
        may_begin: Callable[[Job, Sequence[str]], Awaitable[bool]],
        counted: Callable[[int], None],
    ) -> None:
        self._serve = serve
        self._may_begin = may_begin
        self._counted = counted
        self._lanes: dict[Place, _Lane] = {}

    def enqueue(  # noqa: PLR0913 - a job's parts
        self,
        message: Message,
        responder: Responder,
        seed: int | None,
        claimed: asyncio.Future[Standing],
        *,
        missed: bool = False,
        left: Left | None = None,
    ) -> Job:
        """Take the next place in the conversation's queue, of what was `left` the one it would have had; `done` gives
        what became of the message."""
        loop = asyncio.get_running_loop()
        job = Job(message, responder, seed, claimed, loop.create_future(), loop.time(), missed, left)
        lane = self._lanes.setdefault(message.place, _Lane())
        place = len(lane.jobs)
        while (
            left
            and place
            and not (before := lane.jobs[place - 1]).begun
            and (before.message.sent_at, before.message.key) > (message.sent_at, message.key)
        ):
            place -= 1
        lane.jobs.insert(place, job)
        self._counted(self.waiting)
        if lane.worker is None:
            lane.worker = start(self._work(message.place, lane), "the queue of a conversation")
        return job

    def last(self, place: Place) -> Job | None:
        """The newest message that waits or is in hand in one conversation."""
        lane = self._lanes.get(place)
        return lane.jobs[-1] if lane and lane.jobs else None

    def waiting_in(self, place: Place) -> int:
        """Messages waiting or in hand in one conversation, without what was missed."""
        lane = self._lanes.get(place)
        return sum(not job.missed for job in lane.jobs) if lane else 0

    def has(self, place: Place, key: str) -> bool:
        """Whether that message waits or is in hand."""
        lane = self._lanes.get(place)
        return lane is not None and any(job.message.key == key for job in lane.jobs)

    def excuse(self, place: Place, seconds: float) -> None:
        """What waits in this conversation may be so much later: it was not the child who was slow."""
        for job in self._lanes[place].jobs:
            job.came += seconds

    @property
    def waiting(self) -> int:
        """Messages waiting or in hand."""
        return sum(len(lane.jobs) for lane in self._lanes.values())

    async def finish(self, seconds: float) -> None:
        """Let what waits be answered for so long, then give the rest up."""
        workers = [lane.worker for lane in self._lanes.values() if lane.worker]
        if workers:
            _, late = await asyncio.wait(workers, timeout=seconds)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, place: Place, lane: _Lane) -> None:
        try:
            while lane.jobs:
                job, answer = lane.jobs[0], None
                # Asked anew each time: what is taken over meanwhile may come first.
                if not await self._may_begin(job, [each.message.key for each in lane.jobs]):
                    continue
                job.begun = True
                try:
                    answer = await self._serve(job)
                finally:
                    lane.jobs.remove(job)  # what was taken over meanwhile may stand before it
                    self._counted(self.waiting)
                    if not job.done.done():
                        job.done.set_result(answer)
        finally:
            for job in lane.jobs:
                job.claimed.cancel()
                job.done.set_result(None)
            self._lanes.pop(place, None)

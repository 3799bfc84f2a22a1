"""The queue before an engine: so many turns at a time, and of those that wait the one whose deadline comes first.

It knows deadlines and how long a turn took so far. What is done in a turn, and for whom, is the business of others.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

WEIGHT = 0.2
"""Of the newest turn in the mean: what is ten turns ago counts a tenth."""
TRIES = 2
"""A turn takes the model's words twice where the first ones cannot stand: time for both, or it is not begun."""


class TooLate(Exception):
    """The turn could not have been finished by its deadline, so it was not begun."""


class Turnstile:
    """One engine's; everything that runs on it goes through here. Deadlines are times of the event loop."""

    def __init__(
        self,
        name: str,
        at_once: int,
        alone: int | None = None,
        places: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`places` says how many there are just now, where that changes."""
        self.name = name
        self._at_once = at_once
        self._places = places
        self._alone = at_once if alone is None else alone
        """So many turns do not slow each other down."""
        self.busy = 0
        """Turns that are being taken."""
        self.seconds = 0.0
        """What one turn takes, as an exponential mean; 0 before the first."""
        self._queue: list[tuple[float, int, asyncio.Future[bool]]] = []
        self._numbers = itertools.count()

    @property
    def at_once(self) -> int:
        """So many turns at a time."""
        return self._places() or self._at_once

    @property
    def waiting(self) -> int:
        """Turns that wait."""
        return sum(not admitted.done() for _, _, admitted in self._queue)

    @property
    def is_quiet(self) -> bool:
        """Whether who is served may take more than it needs, because nobody else is served any later for it."""
        return self.busy <= self._alone

    def expected_wait(self, ahead: int = 0) -> float:
        """Seconds that a turn which came now would wait, with so many others to be taken before it, one by one."""
        queued = 0.0 if self.busy < self.at_once else (self.waiting + 1) * self.seconds / self.at_once
        return queued + ahead * self.seconds

    def has_time(self, deadline: float, tries: int = 1) -> bool:
        """Whether so many tries can be expected to end by then."""
        return asyncio.get_running_loop().time() + tries * self.seconds <= deadline

    @asynccontextmanager
    async def turn(self, deadline: float) -> AsyncIterator[None]:
        """Wait for a place and hold it. Raise `TooLate` as soon as it can no longer be finished by `deadline`."""
        await self._enter(deadline)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            took = loop.time() - began
            self.seconds += (took - self.seconds) * WEIGHT if self.seconds else took
            self.busy -= 1
            self._admit()

    async def _enter(self, deadline: float) -> None:
        if self.busy < self.at_once:
            # Where nobody is served, the mean may be of an hour ago: only serving somebody tells.
            if not self.has_time(deadline, TRIES if self.busy else 0):
                raise TooLate
            self.busy += 1
            return
        admitted = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (deadline, next(self._numbers), admitted))
        try:
            async with asyncio.timeout_at(deadline - TRIES * self.seconds):
                in_time = await admitted
        except BaseException as error:
            if admitted.done() and not admitted.cancelled() and admitted.result():
                self.busy -= 1
                self._admit()
            if isinstance(error, TimeoutError):
                raise TooLate from None
            raise
        if not in_time:
            raise TooLate

    def _admit(self) -> None:
        """Give free places to who waits, the earliest deadline first."""
        while self._queue and self.busy < self.at_once:
            deadline, _, admitted = heapq.heappop(self._queue)
            if admitted.done():
                continue  # it left
            in_time = self.has_time(deadline, TRIES)
            self.busy += in_time
            admitted.set_result(in_time)

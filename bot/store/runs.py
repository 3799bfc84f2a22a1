"""Which jobs ran, when they were due and how they ended: a run is begun once, whoever asks. And what all programs may
only do one after another.

It knows names and times; what a job does is the business of others.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.store import upkeep
from bot.store.database import Database, Work
from bot.store.whole import whole


class Runs:
    """The runs in one database. Methods raise `StoreError`."""

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work

    @whole
    async def begin(self, name: str, due: datetime, limit: timedelta) -> bool:
        """Take the run of `name` due at `due`; False when it is done, or one still runs (for up to `limit`)."""
        async with self._database.writing() as connection:
            return await upkeep.begin_job(connection, name, due, datetime.now(UTC), limit)

    @whole
    async def end(self, name: str, due: datetime, result: str) -> None:
        """Write down how a run ended."""
        async with self._database.writing() as connection:
            await upkeep.end_job(connection, name, due, datetime.now(UTC), result)

    async def last(self, name: str) -> datetime | None:
        """When the newest run of `name` that ended was due, or None when none ever did."""
        async with self._database.reading() as connection:
            return await upkeep.last_job(connection, name)

    @whole
    async def leave(self, name: str, due: datetime) -> None:
        """Take back that a run was begun: it was broken off, and is to be made up for."""
        async with self._database.writing() as connection:
            await upkeep.leave_job(connection, name, due)

    async def in_hand(self, name: str) -> datetime | None:
        """When the newest run of `name` that has not ended began, or None."""
        async with self._database.reading() as connection:
            return await upkeep.job_in_hand(connection, name)

    @whole
    async def spaced(self, what: str, seconds: float) -> float:
        """How many seconds to wait before doing something that all programs together may begin once in so many; who
        asks has taken that moment."""
        async with self._database.writing() as connection:
            return await upkeep.spaced(connection, what, seconds)

    async def results(self) -> dict[str, str]:
        """How the newest run of each job that ended, ended."""
        async with self._database.reading() as connection:
            return await upkeep.job_results(connection)

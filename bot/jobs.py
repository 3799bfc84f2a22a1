"""Scheduled work: harvest, retention, cloud fine-tunes, backups, the weekly summary.

Each run is written down in the store first, so that it happens once, whatever number of bots share the
database, and so that a run missed while the bot was down is made up for once. Whatever trains or
harvests is `python -m training …` in a process of its own. It must not know how any of it works.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from bot import cron
from bot.config import Settings
from bot.health import start
from bot.store import Store, StoreError

log = structlog.get_logger(__name__)

LOOK_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=8), timedelta(days=370))
FAILED = "failed: "
"""How the result of a run begins that failed."""
DUMP = "a PostgreSQL server has backups of its own; use pg_dump, and pg_restore to read them back"
MONTHS = "45 2 * * *"
"""When the turns' partitions of the next months are made; that takes a moment, and most nights nothing."""
LAST_WORDS = 300
"""Characters of a program's output that are kept as its result."""

CONNECT = timedelta(minutes=1)
"""What the platforms take at the most until somebody can be told something there."""

Announce = Callable[[str, str], Awaitable[None]]
"""Say a text in a channel, written as "discord:123" or "slack:C123"."""


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work: when (a cron line), what, and how long it may take."""

    name: str
    cron: str
    work: Callable[[], Awaitable[str]]
    limit: timedelta
    after: timedelta = timedelta(0)
    """How long after the start a missed run is made up for."""


class Jobs:
    """All scheduled work of one process; start it with `start`, end it with `aclose`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        announce: Announce,
        config: Path | None,
        ended: Callable[[str, str | None], None] = lambda _job, _failure: None,
    ) -> None:
        """`ended` is told of each run how it failed, or None where it did not."""
        self._settings = settings
        self._store = store
        self._announce = announce
        self._config = config
        self._ended = ended
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: set[asyncio.Task[Any]] = set()

    def jobs(self) -> list[Job]:
        """What is to be done by the settings; an empty cron line leaves a job out."""
        wanted, hour = self._settings.jobs, timedelta(hours=1)
        found = [
            Job("backup", wanted.backup, self._back_up, hour),
            Job("retention", wanted.retention, self._purge, hour),
            Job("months", MONTHS, self._months, hour),
            Job("harvest", wanted.harvest, lambda: self._training("harvest"), 6 * hour),
            Job("fine-tunes", wanted.fine_tunes, lambda: self._training("openai", "watch"), hour),
            Job("summary", wanted.summary, self._summarise, hour, CONNECT),
        ]
        needless = set()
        if not self._settings.in_file:
            needless.add("backup")  # a PostgreSQL server has backups of its own
        else:
            needless.add("months")  # SQLite has one table for all
        if not self._settings.privacy.keep_days:
            needless.add("retention")
        if not wanted.summary_channel:
            needless.add("summary")
        return [job for job in found if job.cron and job.name not in needless]

    async def start(self) -> None:
        """Make up for what was missed, then run everything when it is due."""
        now = datetime.now(UTC)
        if self._settings.jobs.backup and not self._settings.in_file:
            log.warning("no backups are made here", reason=f"the database is a server: {DUMP}")
        for job in self.jobs():
            trigger = cron.trigger(job.cron)
            self._scheduler.add_job(
                self.run,
                args=[job, trigger],
                trigger=trigger,
                id=job.name,
                coalesce=True,
                misfire_grace_time=None,
            )
            last, due = await self._store.runs.last(job.name), last_due(trigger, now)
            if due is None or (last is not None and due <= last):
                continue
            # What a killed program had in hand is taken over when its time is up: before, it may still run elsewhere.
            begun = await self._store.runs.in_hand(job.name)
            at = max(now + job.after, begun + job.limit) if begun else now + job.after
            if at > now:
                self._scheduler.add_job(self.run, args=[job, trigger], trigger=DateTrigger(at))
            else:
                self._keep(start(self.run(job, trigger), f"the job {job.name}"))
        self._scheduler.start()

    def _keep(self, task: asyncio.Task[Any] | None) -> None:
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def run(self, job: Job, trigger: BaseTrigger) -> None:
        """One run, if nobody else took it; failures are logged and written down, never raised."""
        self._keep(asyncio.current_task())
        due = last_due(trigger, datetime.now(UTC))
        if due is None:
            return
        try:
            if not await self._store.runs.begin(job.name, due, job.limit):
                return
            try:
                result = await self._result(job)
            except asyncio.CancelledError:
                await self._store.runs.leave(job.name, due)
                raise
            await self._store.runs.end(job.name, due, result)
        except StoreError as error:
            log.error("job not written down", job=job.name, reason=str(error))
            self._ended(job.name, f"not written down: {error}")

    async def _result(self, job: Job) -> str:
        try:
            async with asyncio.timeout(job.limit.total_seconds()):
                result = await job.work()
        except TimeoutError:
            failure = f"not done within {job.limit}"
        except Exception as error:  # noqa: BLE001 - one job must not end the others
            failure = str(error) or type(error).__name__
        else:
            log.info("job done", job=job.name, result=result)
            self._ended(job.name, None)
            return result
        log.error("job failed", job=job.name, reason=failure)
        self._ended(job.name, failure)
        return f"{FAILED}{failure}"

    async def aclose(self) -> None:
        """Start nothing more; what is running is stopped, and made up for at the next start."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # The work.

    async def _back_up(self) -> str:
        file, gone = await self._store.back_up(self._settings.jobs.keep_backups)
        return f"wrote {file.name}, removed {gone}"

    async def _purge(self) -> str:
        before = datetime.now(UTC) - timedelta(days=self._settings.privacy.keep_days)
        gone = await self._store.purge(before)
        return (
            f"removed {gone.turns} turns, {gone.ratings} ratings, {gone.claims} claims and "
            f"{gone.candidates} candidates"
        )

    async def _months(self) -> str:
        return f"made {await self._store.prepare_months()} partitions for months to come"

    async def _training(self, *arguments: str) -> str:
        """Run `python -m training …` and give the end of what it said; raise when it failed."""
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "training",
            *arguments,
            *(("--config", str(self._config)) if self._config else ()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await program.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                program.terminate()
            await program.wait()
            raise
        said = output.decode("utf-8", "replace").strip()[-LAST_WORDS:]
        if program.returncode:
            raise RuntimeError(f"exit status {program.returncode}: {said}")
        return said or "done"

    async def _summarise(self) -> str:
        found = await self._store.harvests.week(datetime.now(UTC) - timedelta(days=7))
        text = (
            f"This week {found.teachers} teachers practised: the children said {found.student_turns} things, "
            f"{found.ratings} conversations were rated, and {found.candidates} candidate dialogues wait for review."
        )
        await self._announce(self._settings.jobs.summary_channel, text)
        return "sent"


def last_due(trigger: BaseTrigger, now: datetime) -> datetime | None:
    """The newest moment up to `now` at which `trigger` fires; None when there is none in a year."""
    for span in LOOK_BACK:
        found: datetime | None = None
        due: datetime | None = trigger.get_next_fire_time(None, now - span)
        while due is not None and due <= now:
            found, due = due, trigger.get_next_fire_time(due, due + timedelta(seconds=1))
        if found is not None:
            return found.astimezone(UTC)
    return None

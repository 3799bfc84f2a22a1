"""Scheduled work: once, whoever else runs; made up for when missed; failures are written down."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import cron, logs
from bot.app import _announce, _job_ended
from bot.config import ConfigError, load
from bot.health import Health
from bot.jobs import Job, Jobs, last_due
from bot.metrics import Metrics
from bot.store import Store
from tests.fakes.students import Listener, message, room

EVERY_MINUTE = cron.trigger("* * * * *")
HOUR = timedelta(hours=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    backups = tmp_path / "data" / "backups"
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/pupil.db", backups=backups)
    yield opened
    await opened.aclose()


def jobs(store: Store, tmp_path: Path, toml: str = "") -> Jobs:
    file = tmp_path / "config.toml"
    file.write_text(f'database = "pupil.db"\n{toml}', encoding="utf-8")
    said.clear()
    return Jobs(load(file, environment_file=None), store, announce, file)


said: list[tuple[str, str]] = []


async def announce(channel: str, text: str) -> None:
    said.append((channel, text))


def counted(runs: list[int], *, seconds: float = 0.0, fails: bool = False) -> Job:
    async def work() -> str:
        runs.append(1)
        await asyncio.sleep(seconds)
        if fails:
            raise ValueError("no disk")
        return "fine"

    return Job("counted", "* * * * *", work, HOUR)


def test_the_last_due_moment() -> None:
    now = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
    for line, expected in (
        ("0 3 * * *", datetime(2026, 3, 4, 3, 0, tzinfo=UTC)),
        ("30 12 * * *", now),
        ("31 12 * * *", datetime(2026, 3, 3, 12, 31, tzinfo=UTC)),
        ("0 8 * * mon", datetime(2026, 3, 2, 8, 0, tzinfo=UTC)),
        ("0 0 1 1 *", datetime(2026, 1, 1, tzinfo=UTC)),
        # 2026-03-04 is a Wednesday. Sunday is 0 and 7, and of two days either will do.
        ("0 8 * * 1", datetime(2026, 3, 2, 8, 0, tzinfo=UTC)),
        ("0 8 * * 0", datetime(2026, 3, 1, 8, 0, tzinfo=UTC)),
        ("0 8 * * 7", datetime(2026, 3, 1, 8, 0, tzinfo=UTC)),
        ("0 8 * * 4-6", datetime(2026, 2, 28, 8, 0, tzinfo=UTC)),
        ("0 8 * * Sat-Sun", datetime(2026, 3, 1, 8, 0, tzinfo=UTC)),
        ("0 8 * * 6-7", datetime(2026, 3, 1, 8, 0, tzinfo=UTC)),
        ("0 8 * * */2", datetime(2026, 3, 3, 8, 0, tzinfo=UTC)),
        ("0 8 * * 4/2", datetime(2026, 2, 28, 8, 0, tzinfo=UTC)),
        ("0 8 * * fri,0", datetime(2026, 3, 1, 8, 0, tzinfo=UTC)),
        ("0 8 3 * 0", datetime(2026, 3, 3, 8, 0, tzinfo=UTC)),
        ("0 8 1-31/2 * */7", datetime(2026, 3, 1, 8, 0, tzinfo=UTC)),
    ):
        assert last_due(cron.trigger(line), now) == expected, line


async def test_two_bots_run_it_once(store: Store, tmp_path: Path) -> None:
    runs: list[int] = []
    job = counted(runs, seconds=0.05)
    other = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/pupil.db")
    try:
        ours, theirs = jobs(store, tmp_path), jobs(other, tmp_path)
        await asyncio.gather(*(each.run(job, EVERY_MINUTE) for each in (ours, theirs, ours, theirs)))
    finally:
        await other.aclose()
    assert len(runs) == 1


async def test_none_begins_while_another_one_runs(store: Store) -> None:
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert await store.runs.begin("slow", first, HOUR)
    assert not await store.runs.begin("slow", second, HOUR)
    assert await store.runs.begin("other", second, HOUR)
    await store.runs.end("slow", first, "fine")
    assert await store.runs.begin("slow", second, HOUR)
    # One that died long ago holds nobody up.
    assert await store.runs.begin("slow", datetime(2026, 1, 3, tzinfo=UTC), timedelta(0))


async def test_a_failure_is_written_down_and_the_next_run_comes(store: Store, tmp_path: Path) -> None:
    runs: list[int] = []
    await jobs(store, tmp_path).run(counted(runs, fails=True), EVERY_MINUTE)
    with sqlite3.connect(tmp_path / "pupil.db") as connection:
        [(finished, result)] = connection.execute("SELECT finished_at, result FROM job_runs").fetchall()
    assert finished is not None
    assert result == "failed: no disk"


def backups(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "data" / "backups").glob("*.db"))


async def start_and_stop(store: Store, tmp_path: Path) -> None:
    """A short life of a bot: long enough for what is to be made up for."""
    ours = jobs(store, tmp_path)
    await ours.start()
    async with asyncio.timeout(10):
        await asyncio.gather(*ours._running)
    await ours.aclose()


async def test_a_bot_that_is_never_up_at_night_makes_up_for_it(store: Store, tmp_path: Path) -> None:
    await start_and_stop(store, tmp_path)
    assert len(backups(tmp_path)) == 1, "the first start has missed last night's, too"
    await start_and_stop(store, tmp_path)
    assert len(backups(tmp_path)) == 1
    with sqlite3.connect(tmp_path / "pupil.db") as connection:
        connection.execute("UPDATE job_runs SET due = datetime(due, '-9 days')")
    for _ in range(2):
        await start_and_stop(store, tmp_path)
    assert len(backups(tmp_path)) == 2


async def test_a_run_that_was_stopped_is_made_up_for(store: Store, tmp_path: Path) -> None:
    ours, begun = jobs(store, tmp_path), asyncio.Event()

    async def long() -> str:
        begun.set()
        return str(await asyncio.Event().wait())

    running = asyncio.create_task(ours.run(Job("backup", "0 3 * * *", long, HOUR), cron.trigger("0 3 * * *")))
    await begun.wait()
    await ours.aclose()
    assert running.cancelled()
    await start_and_stop(store, tmp_path)
    assert len(backups(tmp_path)) == 1


async def test_a_run_that_was_killed_is_taken_over_when_its_time_is_up(store: Store, tmp_path: Path) -> None:
    due = last_due(cron.trigger("0 3 * * *"), datetime.now(UTC))
    assert due is not None
    assert await store.runs.begin("backup", due, HOUR)
    ours = jobs(store, tmp_path)
    await ours.start()
    assert not ours._running, "another program may still be at it"
    waits = [job for job in ours._scheduler.get_jobs() if job.args[0].name == "backup" and job.id != "backup"]
    assert [job.next_run_time > datetime.now(UTC) for job in waits] == [True]
    await ours.aclose()
    with sqlite3.connect(tmp_path / "pupil.db") as connection:
        connection.execute("UPDATE job_runs SET started_at = datetime(started_at, '-2 hours')")
    await start_and_stop(store, tmp_path)
    assert len(backups(tmp_path)) == 1
    assert (await store.runs.results())["backup"].startswith("wrote pupil-")


async def test_a_failure_is_an_error_and_told(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logs.set_up("info")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "backups").touch()
    metrics, health = Metrics(), Health()
    ours = jobs(store, tmp_path)
    ours._ended = partial(_job_ended, metrics, health)
    backup = next(job for job in ours.jobs() if job.name == "backup")
    logging.getLogger().addHandler(caplog.handler)
    await ours.run(backup, cron.trigger(backup.cron))
    assert [record.levelname for record in caplog.records if "backup" in record.getMessage()] == ["ERROR"]
    assert "cannot be worked on" in health.troubles["job backup"]
    assert metrics.registry.get_sample_value("pupil_jobs_total", {"job": "backup", "outcome": "failed"}) == 1
    (tmp_path / "data" / "backups").unlink()
    await ours.run(counted([]), EVERY_MINUTE)
    _job_ended(metrics, health, "backup", None)
    assert health.troubles == {}


def test_a_sqlite_address_is_backed_up_as_well_and_has_no_months(store: Store, tmp_path: Path) -> None:
    ours = jobs(store, tmp_path)
    for url, made in (("sqlite:///here.db", True), ("postgresql://pupil:x@here/pupil", False)):
        ours._settings = ours._settings.model_copy(update={"pupil_database_url": SecretStr(url)})
        assert ("backup" in {job.name for job in ours.jobs()}) is made
        assert ("months" in {job.name for job in ours.jobs()}) is not made


@pytest.mark.parametrize("line", ["0 3 * * 8", "0 3 * * 5-1", "0 3 * * moon", "0 3 * *", "0 3 * * */0"])
def test_what_cron_would_not_take_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        cron.trigger(line)


async def test_backups_are_whole_and_only_so_many_are_kept(store: Store, tmp_path: Path) -> None:
    ours = jobs(store, tmp_path, "[jobs]\nkeep_backups = 2\n")
    folder = tmp_path / "data" / "backups"
    folder.mkdir(parents=True)
    for day in (1, 2, 3):
        (folder / f"pupil-2020010{day}-030000.db").touch()
    await store.conversation("console", "here", None)
    backup = next(job for job in ours.jobs() if job.name == "backup")
    assert "removed 2" in await backup.work()
    kept = sorted(folder.glob("*.db"))
    assert len(kept) == 2
    with sqlite3.connect(kept[-1]) as connection:
        assert connection.execute("SELECT platform FROM conversations").fetchall() == [("console",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_old_turns_go_and_new_ones_stay(tmp_path: Path) -> None:
    async with room(tmp_path / "pupil.db") as app:
        for key, days in (("old", 40), ("new", 0)):
            sent = datetime.now(UTC) - timedelta(days=days)
            await app.classroom.receive(message(key=key, sent_at=sent), Listener())
        gone = await app.store.purge(datetime.now(UTC) - timedelta(days=30))
        week = await app.store.harvests.week(datetime.now(UTC) - timedelta(days=7))
    assert gone.turns == 1, "the old teacher's turn; its answer was said today"
    assert (week.student_turns, week.teachers) == (2, 1)


async def test_the_summary_goes_to_its_channel(store: Store, tmp_path: Path) -> None:
    ours = jobs(store, tmp_path, '[jobs]\nsummary_channel = "slack:C1"\n')
    await next(job for job in ours.jobs() if job.name == "summary").work()
    assert said == [
        (
            "slack:C1",
            "This week 0 teachers practised: the children said 0 things, 0 conversations were rated, and "
            "0 candidate dialogues wait for review.",
        )
    ]


async def test_a_summary_that_nobody_can_read_is_not_done(store: Store, tmp_path: Path) -> None:
    ours = jobs(store, tmp_path, '[jobs]\nsummary_channel = "slack:C404"\n')
    ours._announce = partial(_announce, [])
    summary = next(job for job in ours.jobs() if job.name == "summary")
    await ours.run(summary, cron.trigger(summary.cron))
    assert (await store.runs.results())["summary"] == "failed: jobs.summary_channel: slack is not set up here"


@pytest.mark.parametrize("line", ['backup = "whenever"', 'summary_channel = "here"', "keep_backups = 0"])
def test_wrong_settings_are_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[jobs]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"jobs.{line.split(' ', maxsplit=1)[0]}"):
        load(file, environment_file=None)


async def test_a_program_that_fails_says_why(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No such command"):
        await jobs(store, tmp_path)._training("no-such-command")

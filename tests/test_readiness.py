"""What `check` finds beside the parts that the child needs: on real sockets, with nothing of a bot but its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot import readiness, watching
from bot.config import Settings, settings_type
from bot.jobs import FAILED
from bot.metrics import Metrics
from bot.metrics_server import MetricsServer
from bot.store import Store
from tests.fakes.slack_server import BOT_TOKEN, SlackServer
from tests.fakes.students import DATA
from tests.platforms.test_slack import MANIFEST
from tests.store.test_store import read_only_folder


def settings_at(folder: Path, **sections: Any) -> Settings:
    jobs = {"backups": folder / "backups", **sections.pop("jobs", {})}
    given = {"data": DATA, "database": str(folder / "pupil.db"), "jobs": jobs, "metrics": {"enabled": False}}
    return settings_type().model_validate({**given, **sections})


@asynccontextmanager
async def running(troubles: Mapping[str, str], *, ok: bool = True) -> AsyncIterator[int]:
    server = MetricsServer(Metrics(), lambda: ok, troubles)
    try:
        yield await server.start("127.0.0.1", 0)
    finally:
        await server.aclose()


async def part(work: object, settings: Settings) -> readiness.Part:
    return await readiness._wanted("it", lambda: work(settings))  # type: ignore[operator]


async def test_backups_that_cannot_be_written(tmp_path: Path) -> None:
    assert (await part(readiness._backups, settings_at(tmp_path))).ready
    (tmp_path / "file").touch()
    broken = await part(readiness._backups, settings_at(tmp_path, jobs={"backups": tmp_path / "file"}))
    assert (broken.ready, broken.wrong) == (False, True)
    assert "cannot be worked on" in broken.note
    none = await part(readiness._backups, settings_at(tmp_path, jobs={"backup": ""}))
    assert (none.ready, none.wrong) == (False, False)
    server = settings_at(tmp_path, pupil_database_url=SecretStr("postgresql://pupil:x@here/pupil"))
    assert "pg_dump" in (await part(readiness._backups, server)).note


def test_backups_on_a_disk_that_takes_nothing() -> None:
    with read_only_folder() as folder:
        for backups in (folder, folder / "backups"):
            broken = asyncio.run(part(readiness._backups, settings_at(folder, jobs={"backups": backups})))
            assert broken.wrong
            assert f"{backups}: the backups cannot be worked on" in broken.note


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8-sig", "1 children, 1 lessons"), ("utf-16", "mia.toml: is UTF-16"), ("latin-1", "not UTF-8")],
)
async def test_files_as_editors_save_them(tmp_path: Path, encoding: str, said: str) -> None:
    settings = settings_at(tmp_path, data=tmp_path / "data", engine={"gguf": tmp_path / "none.gguf"})
    for name in ("children/mia.toml", "lessons/2.NBT.B.5-subtract.toml"):
        text = "# Zo\xeb\n" + (DATA / name).read_text(encoding="utf-8")
        copy = settings.data / name
        copy.parent.mkdir(parents=True)
        copy.write_bytes(text.encode(encoding))
    (settings.data / "reference").symlink_to(DATA / "reference")
    found = {each.name: each for each in await readiness.check(settings)}["children and lessons"]
    assert (found.ready, said in found.note) == (encoding == "utf-8-sig", True)


async def test_a_budget_that_cannot_count_a_model(tmp_path: Path) -> None:
    limit = {"per_day": 5.0}
    models = {
        "cheap": {"model": "gpt-4o-mini"},
        "x": {"provider": "compatible", "model": "x", "base_url": "https://x"},
    }
    assert not (await part(readiness._budget, settings_at(tmp_path, models=models))).wrong
    wrong = await part(readiness._budget, settings_at(tmp_path, models=models, budget=limit))
    assert (wrong.wrong, wrong.note.split(",")[0]) == (True, "nobody knows the price of x")
    del models["x"]
    assert (await part(readiness._budget, settings_at(tmp_path, models=models, budget=limit))).ready


async def test_a_job_that_failed(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    store = await Store.open(settings.database_url)
    for day, result in ((1, f"{FAILED}no disk"), (2, "wrote one"), (3, f"{FAILED}no disk again")):
        due = datetime(2026, 1, day, tzinfo=UTC)
        await store.runs.begin("backup", due, timedelta(hours=1))
        await store.runs.end("backup", due, result)
        assert (await part(readiness._jobs, settings)).wrong is (FAILED in result)
    await store.aclose()


@pytest.mark.parametrize(
    ("troubles", "ok", "found"),
    [({}, True, None), ({"taking up new models": "ended"}, True, "taking up"), ({}, False, "not ready")],
)
async def test_a_dead_task_of_a_running_bot(
    tmp_path: Path, troubles: dict[str, str], found: str | None, *, ok: bool
) -> None:
    async with running(troubles, ok=ok) as port:
        said = await part(readiness._running, settings_at(tmp_path, metrics={"port": port}))
    assert (said.ready, said.wrong) == (found is None, found is not None)
    assert (found or "all is well") in said.note
    assert not (await part(readiness._running, settings_at(tmp_path, metrics={"port": port}))).wrong


async def test_a_summary_channel_that_cannot_be_read(tmp_path: Path) -> None:
    async def discord(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bot a-token"
        known = request.match_info["channel"] == "1"
        return web.json_response(
            {"id": "1"} if known else {"message": "Unknown Channel"}, status=200 if known else 404
        )

    app = web.Application()
    app.router.add_get("/channels/{channel}", discord)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with SlackServer(MANIFEST) as slack:
            for channel, trouble in (
                ("discord:1", None),
                ("discord:2", "Unknown Channel"),
                ("slack:C0PRACTICE", None),
                ("slack:C0GONE", "channel_not_found"),
            ):
                settings = settings_at(
                    tmp_path,
                    jobs={"summary_channel": channel},
                    discord={"api_base": url},
                    slack={"base_url": slack.base_url},
                    discord_token=SecretStr("a-token"),
                    slack_bot_token=SecretStr(BOT_TOKEN),
                    slack_app_token=SecretStr("xapp-token"),
                )
                found = await part(readiness._summary, settings)
                assert (found.ready, found.wrong) == (trouble is None, trouble is not None), channel
                assert (trouble or "is there") in found.note
    finally:
        await runner.cleanup()
    assert "cannot be asked for" in str(await watching.channel(settings))
    assert "SLACK_BOT_TOKEN" in str(
        await watching.channel(settings_at(tmp_path, jobs={"summary_channel": "slack:C1"}))
    )

"""Tasks beside everything else: none ends unseen; what should last is missed in /healthz and /student status."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.app import watching
from bot.commands import Commands
from bot.health import start
from bot.messages import Place
from bot.metrics_server import MetricsServer
from tests.fakes.students import ScriptedModel, room
from tests.test_metrics import get

ROOT = Path(__file__).parents[1]


async def test_the_end_of_a_task_that_should_last_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(**_: object) -> None:
        raise RuntimeError("no more file handles")

    async with room(tmp_path / "pupil.db", ScriptedModel()) as app:
        monkeypatch.setattr(app.models, "watch", fails)
        server = MetricsServer(app.metrics, lambda: True, app.health.troubles)
        url = f"http://127.0.0.1:{await server.start('127.0.0.1', 0)}/healthz"
        with capture_logs() as logs:
            async with watching(app.models, app.health):
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                told = json.loads((await get(url))[2])
                commands = Commands(app.settings, app.store, app.models, app.classroom, app.health.troubles)
                status = await commands.status(Place("console", "c", None))
        await server.aclose()
    assert told == {"ok": True, "troubles": {"taking up new models": "ended: no more file handles"}}
    assert ("not well", "taking up new models") in status.rows
    assert [(each["log_level"], each["task"]) for each in logs] == [("error", "taking up new models")]


async def test_a_task_that_fails_is_logged_though_nobody_waits_for_it() -> None:
    async def fails() -> None:
        raise ValueError("nobody looks")

    async def works() -> int:
        return 7

    with capture_logs() as logs:
        start(fails(), "a little work")
        assert await start(works(), "more work") == 7
        late = start(asyncio.sleep(60), "something long")
        late.cancel()
        await asyncio.wait([late])
        await asyncio.sleep(0)
    assert [(each["log_level"], each["task"], each["reason"]) for each in logs] == [
        ("error", "a little work", "ended: nobody looks")
    ]


AWAITED = {
    "bot/app.py",
    "bot/classroom.py",
    "bot/cli/exits.py",
    "bot/models/engines/fleet.py",
    "bot/models/published.py",
    "bot/platforms/discord/platform.py",
    "bot/platforms/web/platform.py",
    "bot/replay.py",
    "bot/store/database.py",
}
"""Where whoever begins a task waits for it."""
CATCHING = {"bot/health.py", "bot/platforms/slack/platform.py", "bot/signs.py"}
"""Where nothing that it does can end it unseen."""


def test_no_task_is_begun_whose_end_nobody_sees() -> None:
    """Whoever adds a file here says how the end of its tasks is seen; `health.start` needs no word."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "bot").rglob("*.py")
        if re.search(r"\b(?:create_task|ensure_future)\(", path.read_text(encoding="utf-8"))
    }
    assert found == AWAITED | CATCHING

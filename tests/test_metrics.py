"""The figures of one process and the loopback server that shows them, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.health import Health
from bot.metrics import Metrics
from bot.metrics_server import MetricsServer
from bot.models.engines.base import Load
from tests.fakes.students import Listener, ModelUnavailable, ScriptedModel, message, room


@asynccontextmanager
async def served(metrics: Metrics, healthy: list[bool]) -> AsyncIterator[str]:
    server = MetricsServer(metrics, lambda: healthy[0])
    port = await server.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.aclose()


async def get(url: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.content_type, await response.text()


async def test_health_follows_the_program() -> None:
    healthy = [True]
    async with served(Metrics(), healthy) as url:
        assert (await get(f"{url}/healthz"))[::2] == (200, '{"ok": true}')
        healthy[0] = False
        assert (await get(f"{url}/healthz"))[::2] == (503, '{"ok": false}')
        assert (await get(f"{url}/else"))[0] == 404


async def test_health_tells_of_troubles_and_dead_tasks() -> None:
    health = Health()
    server = MetricsServer(Metrics(), lambda: True, health.troubles)
    url = f"http://127.0.0.1:{await server.start('127.0.0.1', 0)}/healthz"

    async def dies() -> None:
        raise RuntimeError("no more inotify")

    task = asyncio.create_task(dies())
    health.watch(task, "watch")
    health.tell("job backup", "no disk")
    try:
        await asyncio.wait([task])
        status, _, text = await get(url)
        assert (status, json.loads(text)) == (
            200,
            {"ok": True, "troubles": {"job backup": "no disk", "watch": "ended: no more inotify"}},
        )
        health.tell("job backup", None)
        assert "backup" not in (await get(url))[2]
    finally:
        await server.aclose()


async def test_two_metrics_side_by_side() -> None:
    one, other = Metrics(), Metrics()
    one.messages.labels("discord").inc()
    async with served(one, [True]) as first, served(other, [True]) as second:
        assert 'pupil_messages_total{platform="discord"} 1.0' in (await get(f"{first}/metrics"))[2]
        assert "discord" not in (await get(f"{second}/metrics"))[2]


async def test_a_taken_port_is_an_os_error() -> None:
    server = MetricsServer(Metrics(), lambda: True)
    port = await server.start("127.0.0.1", 0)
    second = MetricsServer(Metrics(), lambda: True)
    try:
        with pytest.raises(OSError, match="in use"):
            await second.start("127.0.0.1", port)
    finally:
        await second.aclose()
        await server.aclose()


async def test_a_practice_shows_in_the_figures_without_words_or_people(tmp_path: Path) -> None:
    cloud = ScriptedModel("cloud", cost_usd=0.5)
    async with room(tmp_path / "pupil.db", cloud, ScriptedModel(), student={"model": "cloud"}) as app:
        await app.classroom.receive(message("What is 52 minus 17, Zanzibar?", author="zoe77"), Listener())
        cloud.enqueue(ModelUnavailable("cloud: 503"))
        await app.classroom.receive(message(), Listener())
        await app.classroom.receive(message("Are you a real child?"), Listener())
        async with served(app.metrics, [True]) as url:
            status, kind, text = await get(f"{url}/metrics")
    assert (status, kind) == (200, "text/plain")
    for line in (
        'pupil_messages_total{platform="discord"} 3.0',
        'pupil_replies_total{model="cloud",voiced="model"} 1.0',
        'pupil_replies_total{model="base",voiced="model"} 1.0',
        'pupil_notices_total{flag="honesty"} 1.0',
        'pupil_failures_total{where="model"} 1.0',
        'pupil_tokens_total{direction="prompt",model="cloud"} 100.0',
        'pupil_cost_usd_total{model="cloud"} 0.5',
        "pupil_waiting_messages 0.0",
        "pupil_reply_seconds_count 3.0",
    ):
        assert line in text
    assert "Zanzibar" not in text
    assert "zoe77" not in text


async def test_waiting_messages_are_counted(tmp_path: Path) -> None:
    model = ScriptedModel(delay=0.1)
    async with room(tmp_path / "pupil.db", model) as app:
        tasks = [asyncio.create_task(app.classroom.receive(message(), Listener())) for _ in range(3)]
        while not model.cues:
            await asyncio.sleep(0.005)
        assert app.classroom.waiting == 3
        assert app.metrics.waiting._value.get() == 3
        await asyncio.gather(*tasks)
        assert app.metrics.waiting._value.get() == 0


async def test_what_the_engine_does_is_asked_when_somebody_looks() -> None:
    metrics, load = Metrics(), [Load((), 0, 0)]
    metrics.watch_engine(lambda: load[0])
    async with served(metrics, [True]) as url:
        assert "pupil_engine_requests{" not in (await get(f"{url}/metrics"))[2]
        load[0] = Load((2, 0, 1), 1000, 900)
        shown = (await get(f"{url}/metrics"))[2].splitlines()
    for line in (
        'pupil_engine_requests{server="0"} 2.0',
        'pupil_engine_requests{server="1"} 0.0',
        "pupil_engine_busy_servers 2.0",
        "pupil_engine_prompt_tokens_total 1000.0",
        "pupil_engine_cached_tokens_total 900.0",
    ):
        assert line in shown

"""Several vLLM servers as one engine: one slow, one dead, one that comes late, and queues that push back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.models.engines import fleet as fleets
from bot.models.engines.base import Engine, EngineError, Sampling
from bot.models.engines.fleet import Fleet
from bot.models.registry import Models
from bot.models.turnstile import Turnstile
from tests.fakes.adapters import data_folder
from tests.fakes.students import settings_at
from tests.fakes.vllm_server import BASE, VllmServer
from tests.models.test_vllm import HELLO, adapter_in, nothing_against

DRAWN = Sampling(max_tokens=12, temperature=0.5, seed=7)
SILENT = "127.0.0.1:9"
"""Nothing listens there."""


@pytest.fixture
async def three() -> AsyncIterator[list[VllmServer]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(VllmServer()) for _ in range(3)]


async def started(servers: list[VllmServer], **how: object) -> Fleet:
    return await Fleet.start([each.url for each in servers], **how)  # type: ignore[arg-type]


async def test_a_conversation_stays_with_its_server_and_all_have_some(
    three: list[VllmServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A neighbour that takes the processor for a moment makes no server slow.
    monkeypatch.setattr(fleets, "WORTH_IT", 60.0)
    monkeypatch.setattr(fleets, "LEAST_SILENT", 60.0)
    fleet = await started(three)
    for _ in range(3):
        for number in range(12):
            await fleet.complete(HELLO, DRAWN, conversation=str(number))
    counts = [len(each.chats) for each in three]
    assert sum(counts) == 36
    assert all(count % 3 == 0 and count for count in counts), counts
    await fleet.aclose()


async def test_one_dead_and_one_slow_of_three_leave_nobody_unanswered(
    three: list[VllmServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow one is asked in vain a few times, and then left alone: hardly anybody waits for it."""
    monkeypatch.setattr(fleets, "LEAST_SILENT", 0.1)
    monkeypatch.setattr(fleets, "FIRST_GUESS", 0.01)
    fleet = await started(three)
    dead, slow, _ = three
    await dead.__aexit__()
    slow.seconds = 3600.0
    for number in range(40):
        done = await fleet.complete(HELLO, DRAWN, conversation=str(number))
        assert done.text == f"{BASE} says 7"
    assert len(slow.chats) <= 2 * fleets.STRIKES
    async with asyncio.timeout(8):
        while slow.cancelled < len(slow.chats):
            await asyncio.sleep(0.01)
    await fleet.aclose()


async def test_where_all_are_slow_no_more_than_a_few_are_asked_twice(
    three: list[VllmServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "LEAST_SILENT", 0.01)
    monkeypatch.setattr(fleets, "FIRST_GUESS", 0.001)
    monkeypatch.setattr(fleets, "MOST_SPARE", 3.0)
    fleet = await started(three)
    for each in three:
        each.seconds = 0.1
    await asyncio.gather(*(fleet.complete(HELLO, DRAWN, conversation=str(each)) for each in range(30)))
    assert sum(len(each.chats) for each in three) <= 30 + 3 + 3
    await fleet.aclose()


async def test_where_none_answers_that_is_an_error_of_one_line(three: list[VllmServer]) -> None:
    fleet = await started(three)
    for each in three:
        await each.__aexit__()
    with pytest.raises(EngineError, match="vllm: connection failed"):
        await fleet.complete(HELLO, DRAWN)
    await fleet.aclose()
    with pytest.raises(EngineError, match="vllm: connection failed"):
        await Fleet.start([f"http://{SILENT}/v1", f"http://{SILENT}/v1/"])


async def test_adapters_are_loaded_on_every_server_also_on_one_that_comes_late(
    three: list[VllmServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "FIRST_REST", 0.0)
    adapter, late = adapter_in(tmp_path), three[2]
    late.closed = True
    fleet = await started(three)
    await fleet.add_adapter(adapter, nothing_against)
    assert [list(each.adapters) for each in three] == [["starter-1"], ["starter-1"], []]
    late.closed = False
    for number in range(30):
        done = await fleet.complete(HELLO, DRAWN, adapter=adapter, conversation=str(number))
        assert done.text == "starter-1 says 7"
    assert list(late.adapters) == ["starter-1"]
    await fleet.drop_adapter(adapter)
    assert not any(each.adapters for each in three)
    with pytest.raises(EngineError, match="no longer loaded"):
        await fleet.complete(HELLO, DRAWN, adapter=adapter)
    await fleet.aclose()


async def test_a_version_that_is_no_good_is_on_no_server(three: list[VllmServer], tmp_path: Path) -> None:
    fleet = await started(three)

    async def objection(_: Engine) -> None:
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        await fleet.add_adapter(adapter_in(tmp_path), objection)
    assert not any(each.adapters for each in three)
    assert not fleet.adapters
    await fleet.aclose()


async def test_two_bots_share_servers_and_the_end_of_one_takes_nothing_from_the_other(
    three: list[VllmServer], tmp_path: Path
) -> None:
    adapter = adapter_in(tmp_path)
    one, other = await started(three, adapters=[adapter]), await started(three, adapters=[adapter])
    await one.aclose()
    assert (await other.complete(HELLO, DRAWN, adapter=adapter)).text == "starter-1 says 7"
    assert [len(each.calls) for each in three] == [2, 2, 2], "loaded by each, unloaded by none"
    await other.aclose()


async def test_queues_in_the_servers_leave_fewer_turns_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "LOOK_SECONDS", 0.0)
    async with VllmServer() as server:
        server.at_once, server.seconds = 1, 0.02
        fleet = await started([server])
        turnstile = Turnstile("vllm", 64, places=lambda: fleet.places)
        assert turnstile.at_once == fleets.MOST_PLACES
        await asyncio.gather(*(fleet.complete(HELLO, DRAWN) for _ in range(30)))
        narrow = turnstile.at_once
        assert narrow < fleets.MOST_PLACES / 2
        for _ in range(30):
            await fleet.complete(HELLO, DRAWN)
        assert turnstile.at_once > narrow
        await fleet.aclose()


async def test_the_registry_opens_all_addresses(three: list[VllmServer], tmp_path: Path, small: Path) -> None:
    urls = tuple(each.url for each in three)
    settings = settings_at(tmp_path / "pupil.db", engine={"vllm_url": urls, "gguf": small})
    models = Models(settings.model_copy(update={"data": data_folder(tmp_path / "data")}))
    base = await models.get("base")
    assert (await base.reply(models._opener.cue(), seed=3)).text == f"{BASE} says 3"
    assert (await models.turnstile("base")).at_once == 3 * fleets.MOST_PLACES
    assert models.engine_load().waiting == (0, 0, 0)
    await models.aclose()

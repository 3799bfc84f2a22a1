"""The engine that is a vLLM server elsewhere: adapters loaded, asked for by name, and taken out again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config import Settings
from bot.models.base import ModelUnavailable
from bot.models.catalogue import use
from bot.models.engines.base import Completion, Engine, EngineError, Sampling
from bot.models.engines.vllm import VllmEngine
from bot.models.registry import Models
from tests.fakes import adapters
from tests.fakes.adapters import data_folder, publish_adapter
from tests.fakes.students import settings_at
from tests.fakes.vllm_server import BASE, KEY, VllmServer

HELLO = [{"role": "user", "content": "Say hello."}]
DRAWN = Sampling(max_tokens=12, temperature=0.5, min_p=0.2, seed=7, stop=("\n",))


@pytest.fixture
async def server() -> AsyncIterator[VllmServer]:
    async with VllmServer() as started:
        yield started


def adapter_in(folder: Path, name: str = "starter", version: str = "1") -> Path:
    at = folder / name / version
    at.mkdir(parents=True)
    for file, content in adapters.files().items():
        assert isinstance(content, bytes)
        (at / file).write_bytes(content)
    return at / "adapter.gguf"


async def nothing_against(_: Engine) -> None:
    """It may be served."""


async def test_base_and_adapters_by_their_names(server: VllmServer, tmp_path: Path) -> None:
    adapter = adapter_in(tmp_path)
    engine = await VllmEngine.start(server.url)
    assert engine.base == BASE

    async def proof(serving: Engine) -> None:
        assert (await serving.complete(HELLO, DRAWN, adapter=adapter)).text == "starter-1 says 7"

    await engine.add_adapter(adapter, proof)
    assert engine.adapters == (adapter,)
    assert server.adapters == {"starter-1": str(adapter.parent)}
    said = await engine.complete(HELLO, DRAWN)
    assert said == Completion(f"{BASE} says 7", 200, 0, 8)
    body = server.chats[-1]
    assert {key: body[key] for key in ("messages", "max_tokens", "temperature", "seed", "stop")} == {
        "messages": HELLO,
        "max_tokens": 12,
        "temperature": 0.5,
        "seed": 7,
        "stop": ["\n"],
    }
    assert (body["min_p"], body["top_p"], body["top_k"]) == (0.2, 1.0, -1)
    await engine.drop_adapter(adapter)
    assert not server.adapters
    with pytest.raises(EngineError, match="starter-1 is no longer loaded"):
        await engine.complete(HELLO, DRAWN, adapter=adapter)
    await engine.aclose()


async def test_what_was_found_wrong_is_taken_out_again(server: VllmServer, tmp_path: Path) -> None:
    engine = await VllmEngine.start(server.url)

    async def objection(_: Engine) -> None:
        raise EngineError("not this one")

    with pytest.raises(EngineError, match="not this one"):
        await engine.add_adapter(adapter_in(tmp_path), objection)
    assert not server.adapters
    assert not engine.adapters
    with pytest.raises(EngineError, match=r"does not load none-1 from .* \(HTTP 404\).*vllm_models"):
        await engine.add_adapter(tmp_path / "none" / "1" / "adapter.gguf", nothing_against)
    await engine.aclose()


async def test_an_adapter_that_is_loaded_already(server: VllmServer, tmp_path: Path) -> None:
    ours, theirs = adapter_in(tmp_path / "ours"), adapter_in(tmp_path / "theirs")
    server.adapters["starter-1"] = str(ours.parent)
    engine = await VllmEngine.start(server.url, adapters=[ours])
    assert server.calls == [("load", "starter-1")], "left by a bot that crashed: it is the same"
    await engine.aclose()
    assert server.adapters == {"starter-1": str(ours.parent)}, "other bots may speak with it"
    server.adapters["starter-1"] = str(theirs.parent)
    engine = await VllmEngine.start(server.url, adapters=[ours])
    assert server.adapters == {"starter-1": str(ours.parent)}, "another's of the same name makes way"
    with pytest.raises(EngineError, match="another version is called starter-1"):
        await engine.add_adapter(theirs, nothing_against)
    await engine.aclose()


async def test_a_version_that_came_back_outlives_the_end_of_its_first_life(
    server: VllmServer, tmp_path: Path
) -> None:
    adapter = adapter_in(tmp_path)
    engine = await VllmEngine.start(server.url, adapters=[adapter])
    await engine.add_adapter(adapter, nothing_against)
    await engine.drop_adapter(adapter)
    assert (await engine.complete(HELLO, DRAWN, adapter=adapter)).text == "starter-1 says 7"
    await engine.drop_adapter(adapter)
    assert not server.adapters
    await engine.aclose()


async def test_a_server_that_was_started_anew_gets_its_adapters_again(
    server: VllmServer, tmp_path: Path
) -> None:
    adapter = adapter_in(tmp_path)
    engine = await VllmEngine.start(server.url, adapters=[adapter])
    server.adapters.clear()
    said = await asyncio.gather(*(engine.complete(HELLO, DRAWN, adapter=adapter) for _ in range(4)))
    assert {each.text for each in said} == {"starter-1 says 7"}
    server.adapters.clear()
    shutil.rmtree(adapter.parent)
    with pytest.raises(EngineError, match="does not load starter-1"):
        await engine.complete(HELLO, DRAWN, adapter=adapter)
    await engine.aclose()


async def test_where_the_server_sees_the_folder(server: VllmServer, tmp_path: Path) -> None:
    adapter = adapter_in(tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    engine = await VllmEngine.start(server.url, folder=f"{tmp_path}/there/", adapters=[adapter])
    assert server.adapters == {"starter-1": f"{tmp_path}/there/starter/1"}
    await engine.aclose()


async def test_what_keeps_a_server_from_being_used_is_one_line(tmp_path: Path) -> None:
    async with VllmServer(loading=False) as fixed:
        with pytest.raises(EngineError, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"):
            await VllmEngine.start(fixed.url, adapters=[adapter_in(tmp_path)])
        with pytest.raises(EngineError, match=r"no list of models \(HTTP 404\): .*ends in /v1"):
            await VllmEngine.start(fixed.url.removesuffix("/v1"))
        gone = fixed.url
    with pytest.raises(EngineError, match="vllm: connection failed"):
        await VllmEngine.start(gone)
    with pytest.raises(EngineError, match="base_url"):
        await VllmEngine.start("localhost:8000")
    async with VllmServer(key=KEY) as locked:
        with pytest.raises(EngineError, match="check VLLM_API_KEY") as raised:
            await VllmEngine.start(locked.url, key=SecretStr("sk-wrong"))
        assert "sk-wrong" not in str(raised.value)
        engine = await VllmEngine.start(locked.url, key=SecretStr(KEY))
        await engine.aclose()


async def test_a_warm_up_that_says_nothing_does_no_harm(server: VllmServer) -> None:
    engine = await VllmEngine.start(server.url)
    server.silent = True
    await engine.remember(HELLO)
    with pytest.raises(EngineError, match="no text"):
        await engine.complete(HELLO, DRAWN)
    await engine.aclose()


def settings_in(tmp_path: Path, server: VllmServer, small: Path) -> Settings:
    settings = settings_at(
        tmp_path / "pupil.db",
        engine={"engine": "auto", "vllm_url": server.url, "gguf": small},
        classroom={"reply_seconds": 3.0},
    )
    return settings.model_copy(update={"data": data_folder(tmp_path / "data")})


async def test_published_versions_come_and_go_on_the_server(
    server: VllmServer, tmp_path: Path, small: Path
) -> None:
    settings = settings_in(tmp_path, server, small)
    folder = settings.data / "models"
    publish_adapter(folder, "1", base=small)
    models = Models(settings)
    assert (await models.get("base")).version == BASE
    first = await models.get("starter")
    assert (await first.reply(models._opener.cue(), seed=3)).text == "starter-1 says 3"
    assert server.adapters == {"starter-1": str((folder / "starter" / "1").resolve())}
    publish_adapter(folder, "2", base=small, seed=2)
    await models.refresh()
    second = await models.get("starter")
    assert (await second.reply(models._opener.cue(), seed=3)).text == "starter-2 says 3"
    assert (await first.reply(models._opener.cue(), seed=3)).text == "starter-1 says 3", (
        "a turn keeps its version"
    )
    async with asyncio.timeout(30):
        while "starter-1" in server.adapters:
            await asyncio.sleep(0.05)
    use(folder, "starter", "1")
    await models.refresh()
    assert (
        await (await models.get("starter")).reply(models._opener.cue(), seed=3)
    ).text == "starter-1 says 3"
    await models.warm_up()
    await models.aclose()
    assert "starter-1" in server.adapters, "for the other bots, and the next start"


async def test_a_version_that_says_nothing_on_the_server_is_refused(
    server: VllmServer, tmp_path: Path, small: Path
) -> None:
    settings = settings_in(tmp_path, server, small)
    publish_adapter(settings.data / "models", "1", base=small)
    models = Models(settings)
    server.silent = True
    with pytest.raises(ModelUnavailable, match="1 was refused: starter: vllm: the answer has no text"):
        await models.get("starter")
    assert not server.adapters
    await models.aclose()

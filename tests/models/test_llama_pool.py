"""Several servers as one engine: conversations stay where they were read, voices apart, and work is shared out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import Settings
from bot.models.engines import llama_cpp
from bot.models.engines.base import Completion, EngineError, Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import served_gguf
from tests.fakes import adapters
from tests.fakes.students import DATA

GREEDY = Sampling(max_tokens=8, temperature=0.0)
LONG = Sampling(max_tokens=1_500, temperature=1.0, seed=4)
START = {"role": "system", "content": "The child is seven and says little. " * 20}
TALK = [START, {"role": "user", "content": "Tell me a story."}]

Messages = list[dict[str, str]]


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_cpp, "_usable_cores", lambda: 2)


@pytest.fixture
async def engine(small: Path) -> AsyncIterator[LlamaCppEngine]:
    """Two servers of one slot."""
    started = await LlamaCppEngine.start(small, slots=2)
    yield started
    await started.aclose()


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    paths = (tmp_path / "one" / "adapter.gguf", tmp_path / "two" / "adapter.gguf")
    for seed, path in zip((1, 3), paths, strict=True):
        path.parent.mkdir()
        path.write_bytes(adapters.gguf(adapters.halves(seed, scale=0.5)))
    return paths


def said_to(name: str, turn: int) -> Messages:
    talk: Messages = [START]
    for number in range(turn):
        talk += [
            {"role": "user", "content": f"{name} asks question {number} about the red and the blue blocks."},
            {"role": "assistant", "content": f"I told {name} that {number} is my answer to it."},
        ]
    return [*talk, {"role": "user", "content": f"And now, {name}?"}]


async def turns(engine: LlamaCppEngine, names: str, number: int) -> dict[str, Completion]:
    """One turn of each conversation, one after another."""
    return {name: await engine.complete(said_to(name, number), GREEDY, conversation=name) for name in names}


def homes(engine: LlamaCppEngine) -> dict[str, int]:
    pool = engine._pools[None]
    return {name: pool._servers.index(server) for name, server in pool._homes.items()}


async def until_idle(engine: LlamaCppEngine, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while any(engine.load.waiting):
            await asyncio.sleep(0.01)


async def test_conversations_are_shared_out_and_stay(engine: LlamaCppEngine) -> None:
    await turns(engine, "abcd", 0)
    first = homes(engine)
    assert sorted(first.values()) == [0, 0, 1, 1]
    for number in (1, 2):
        await turns(engine, "dbca", number)
        assert homes(engine) == first


async def test_what_was_read_of_a_conversation_outlasts_others_in_its_slot(engine: LlamaCppEngine) -> None:
    """Six conversations over two slots: each turn reads what is new, and not the conversation once more."""
    before = await turns(engine, "abcdef", 3)
    for number in (4, 5):
        now = await turns(engine, "abcdef", number)
        for name, done in now.items():
            assert done.cached_tokens >= before[name].prompt_tokens - 16
        before = now
    load = engine.load
    assert load.prompt_tokens > load.cached_tokens > 0.7 * load.prompt_tokens


async def test_a_question_beside_the_conversation_costs_it_nothing(engine: LlamaCppEngine) -> None:
    first = await engine.complete(said_to("a", 4), GREEDY, conversation="a")
    await engine.complete([START, {"role": "user", "content": "Say it again."}], GREEDY, conversation="a")
    again = await engine.complete(said_to("a", 4), GREEDY, conversation="a")
    assert again.cached_tokens >= first.prompt_tokens - 2
    assert again.text == first.text


async def test_without_a_name_it_goes_where_least_is_to_do(engine: LlamaCppEngine) -> None:
    running = [asyncio.create_task(engine.complete(TALK, LONG)) for _ in range(4)]
    await asyncio.sleep(0)
    assert engine.load.waiting == (2, 2)
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await until_idle(engine)


async def test_a_conversation_moves_only_from_a_server_that_is_behind_to_one_that_is_idle(
    engine: LlamaCppEngine,
) -> None:
    running = []
    for waiting in ((1, 0), (2, 0), (2, 1), (2, 2)):
        running.append(asyncio.create_task(engine.complete(TALK, LONG, conversation="a")))
        await asyncio.sleep(0)
        assert engine.load.waiting == waiting
    assert homes(engine) == {"a": 1}
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await until_idle(engine)


async def test_cancelling_frees_the_server_of_what_runs_and_what_waits(engine: LlamaCppEngine) -> None:
    running = [asyncio.create_task(engine.complete(TALK, LONG, conversation="a")) for _ in range(2)]
    await asyncio.sleep(0.1)
    for each in running:
        each.cancel()
    results = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in results)
    await until_idle(engine)
    assert (await engine.complete(TALK, GREEDY, conversation="a")).completion_tokens == 8


async def test_an_adapter_is_on_every_server_and_voices_do_not_mix(
    small: Path, pair: tuple[Path, Path]
) -> None:
    """In any order, on either server, each voice says what it says alone, although all read the same prompt."""
    alone = {}
    for voice in (None, *pair):
        fresh = await LlamaCppEngine.start(small, slots=1, threads=1, adapters=[voice] if voice else [])
        alone[voice] = (await fresh.complete(TALK, GREEDY, adapter=voice)).text
        await fresh.aclose()
    assert len(set(alone.values())) == 3
    engine = await LlamaCppEngine.start(small, slots=2, adapters=pair)
    try:
        assert len(engine.load.waiting) == 4, "the base model's servers are loaded when somebody asks for it"
        for voice in (*pair, None, pair[0], None, pair[1], pair[0]):
            both = [await engine.complete(TALK, GREEDY, adapter=voice, conversation=name) for name in "ab"]
            assert [each.text for each in both] == [alone[voice]] * 2
        assert {len(pool._homes) for pool in engine._pools.values()} == {2}
    finally:
        await engine.aclose()
    with pytest.raises(EngineError, match="closed"):
        await engine.complete(TALK, GREEDY)


async def test_the_same_seed_says_the_same_words_on_either_server() -> None:
    engine = await LlamaCppEngine.start(served_gguf(Settings(data=DATA)), slots=2)
    try:
        warm = Sampling(max_tokens=20, temperature=1.0, seed=7)
        for _ in range(2):
            both = await asyncio.gather(*(engine.complete(TALK, warm, conversation=name) for name in "ab"))
            assert homes(engine) == {"a": 0, "b": 1}
            assert both[0].text == both[1].text
    finally:
        await engine.aclose()


async def test_how_many_servers_there_are(small: Path) -> None:
    for slots, threads, servers, each in ((8, None, 2, 4), (3, None, 2, 1), (1, None, 1, 1), (8, 1, 1, 8)):
        engine = await LlamaCppEngine.start(small, slots=slots, threads=threads)
        pool = engine._pools[None]
        assert [server.slots for server in pool._servers] == [each] * servers
        assert llama_cpp.places(slots, threads) == (servers * each, servers)
        await engine.aclose()


async def test_several_answers_at_once_differ_and_leave_other_conversations_their_place(small: Path) -> None:
    engine = await LlamaCppEngine.start(small, slots=4, threads=1)
    try:
        await engine.complete(said_to("b", 4), GREEDY, conversation="b")
        warm = Sampling(max_tokens=12, temperature=1.0, seed=7)
        await engine.complete(TALK, GREEDY, conversation="a")  # what is read anew differs by rounding
        four = await engine.several(TALK, warm, 4, conversation="a")
        assert len({each.text for each in four}) == 4
        assert all(each.completion_tokens and each.likelihood for each in four)
        assert [each.prompt_tokens > 0 for each in four] == [True, False, False, False]
        assert [each.text for each in await engine.several(TALK, warm, 4, conversation="a")] == [
            each.text for each in four
        ]
        again = await engine.complete(said_to("b", 4), GREEDY, conversation="b")
        assert again.cached_tokens >= again.prompt_tokens - 1
    finally:
        await engine.aclose()

"""The engine in torch: mixed batches, seeds, stops, cancelling and closing, on two layers of the embedded model."""

# ruff: noqa: E402 - what may not be installed is imported after the question whether it is

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the engine needs the extra train")
pytest.importorskip("peft")

from transformers import LlamaConfig, LlamaForCausalLM

from bot.models.engines import torch_peft, torch_sampling
from bot.models.engines.base import Completion, Engine, EngineError, Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.torch_peft import TorchPeftEngine
from tests.fakes import adapters
from training.methods.gguf_adapter import Shape, convert

# PEFT asks transformers for a name of before.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
torch.set_num_threads(1)
SMALL = Shape(layers=2, heads=9, key_value_heads=3)
HELLO = [{"role": "user", "content": "Say hello."}]
STORY = [
    {"role": "system", "content": "You are seven. " * 20},
    {"role": "user", "content": "Tell me a story."},
]
GREEDY = Sampling(max_tokens=10, temperature=0.0)
LONG = Sampling(max_tokens=1_500, temperature=0.0)
"""It goes round in circles, as long as one lets it."""


def adapter_in(folder: Path, seed: int, scale: float = 0.3) -> Path:
    """A random adapter, in PEFT's form and in llama.cpp's with the same numbers."""
    folder.mkdir()
    weights = adapters.halves(seed, scale, name=adapters.peft_name)
    (folder / "adapter_model.safetensors").write_bytes(adapters.safetensors(weights))
    (folder / "adapter_config.json").write_bytes(adapters.config(layers_to_transform=[0]))
    return convert(folder, SMALL)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two adapters."""
    folder = tmp_path_factory.mktemp("adapters")
    return adapter_in(folder / "1", 1), adapter_in(folder / "2", 2)


@pytest.fixture(scope="module")
def loaded(small: Path) -> Any:
    """The weights, read once for all tests."""
    return torch_peft._Loaded(small, 2048, None, False)


@pytest.fixture
async def engine(
    loaded: Any, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TorchPeftEngine]:
    monkeypatch.setattr(torch_peft, "_Loaded", lambda *_: loaded)
    monkeypatch.setattr(loaded, "free", lambda: None)
    started = await TorchPeftEngine.start("small", slots=4, adapters=pair)
    yield started
    for each in started.adapters:
        await started.drop_adapter(each)
    await started.aclose()


@pytest.fixture
def batches(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests each batch had."""
    sizes: list[int] = []
    generate = loaded.generate

    def spy(batch: list[Any]) -> None:
        sizes.append(len(batch))
        generate(batch)

    monkeypatch.setattr(loaded, "generate", spy)
    return sizes


async def texts(engine: Engine, *requests: tuple[Any, Sampling, Path | None]) -> list[str]:
    """All at once."""
    found = await asyncio.gather(
        *(engine.complete(said, how, adapter=adapter) for said, how, adapter in requests)
    )
    return [each.text for each in found]


async def test_a_mixed_batch_says_what_each_adapter_says_alone(
    engine: TorchPeftEngine, pair: tuple[Path, Path], batches: list[int]
) -> None:
    asked = [(said, GREEDY, adapter) for said in (HELLO, STORY) for adapter in (None, *pair)]
    alone = [(await texts(engine, each))[0] for each in asked]
    assert len(set(alone[:3])) == len(set(alone[3:])) == 3, "adapters that change nothing would show nothing"
    together = await texts(engine, *asked)
    assert together == alone
    assert batches == [1] * 6 + [4, 2]


async def test_a_seed_repeats_the_words_whatever_else_is_in_the_batch(
    engine: TorchPeftEngine, pair: tuple[Path, Path]
) -> None:
    drawn = Sampling(max_tokens=10, temperature=1.0, seed=7)
    asked = (HELLO, drawn, pair[0])
    first, again = [(await texts(engine, asked))[0] for _ in range(2)]
    assert first == again
    others = [(STORY, Sampling(12, 1.0, seed=number), pair[1]) for number in range(3)]
    assert (await texts(engine, *others, asked))[3] == first
    assert (await texts(engine, (HELLO, Sampling(10, 1.0, seed=8), pair[0])))[0] != first
    free = [(HELLO, Sampling(10, 1.5), None)] * 3
    assert len(set(await texts(engine, *free))) > 1


async def test_each_row_has_its_own_length_stop_and_shares(engine: TorchPeftEngine) -> None:
    whole = await engine.complete(HELLO, Sampling(12, 0.0))
    assert whole.completion_tokens == 12
    assert whole.cached_tokens == 0
    word = whole.text.split()[2]
    short, cut, sure, likely = await asyncio.gather(
        engine.complete(HELLO, Sampling(3, 0.0)),
        engine.complete(HELLO, Sampling(12, 0.0, stop=(word,))),
        engine.complete(HELLO, Sampling(12, 1.0, min_p=1.0, seed=1)),
        engine.complete(HELLO, Sampling(12, 1.0, top_p=0.0001, seed=1)),
    )
    assert short.completion_tokens == 3
    assert whole.text.startswith(short.text)
    assert word not in cut.text
    assert whole.text.startswith(cut.text)
    # What is drawn from the likeliest token alone is that one.
    assert sure.text == likely.text == whole.text


async def test_the_end_of_a_message_ends_the_row(engine: TorchPeftEngine, loaded: Any) -> None:
    alone = await engine.complete(HELLO, GREEDY)
    token = loaded.encode([{"role": "user", "content": alone.text}], GREEDY)
    assert token, "a prompt has tokens"
    written = torch_sampling.Request([1], GREEDY, torch_peft.BASE, asyncio.get_running_loop().create_future())
    rows = torch_sampling.Rows([written], loaded._tokenizer, loaded._ends)
    scores = torch.zeros(1, 49_152)
    scores[0, 500] = 9.0
    assert int(rows(None, scores).argmax()) == 500
    scores[0, loaded._ends[0]] = 10.0
    assert int(rows(None, scores).argmax()) == loaded._ends[0]
    scores[0, loaded._ends[0]] = 0.0
    assert int(rows(None, scores).argmax()) == loaded._ends[0], "what is over stays over"
    assert written.written == [500]


async def test_a_cancelled_request_leaves_the_queue_and_one_in_hand_ends(
    engine: TorchPeftEngine, batches: list[int]
) -> None:
    first = asyncio.create_task(engine.complete(STORY, LONG))
    while not batches:
        await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(engine.complete(HELLO, LONG)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in (*waiting, first):
        task.cancel()
    await asyncio.gather(first, *waiting, return_exceptions=True)
    answer = await asyncio.wait_for(engine.complete(HELLO, GREEDY), 60)
    assert answer.completion_tokens == 10
    assert batches == [1, 1], "those that were cancelled while they waited were in no batch"


async def test_a_deadline_leaves_nothing_behind(engine: TorchPeftEngine) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await engine.complete(STORY, LONG)
    assert (await asyncio.wait_for(engine.complete(HELLO, GREEDY), 60)).text


async def test_closing_while_it_writes(
    loaded: Any, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    monkeypatch.setattr(torch_peft, "_Loaded", lambda *_: loaded)
    monkeypatch.setattr(loaded, "free", lambda: None)
    engine = await TorchPeftEngine.start("small", slots=1)
    running = [asyncio.create_task(engine.complete(STORY, LONG)) for _ in range(3)]
    while not batches:
        await asyncio.sleep(0.01)
    await asyncio.wait_for(engine.aclose(), 60)
    results = await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), 5)
    assert all(isinstance(each, EngineError | Completion) for each in results), results
    assert any(isinstance(each, EngineError) for each in results)
    assert batches == [1]
    with pytest.raises(EngineError, match="closed"):
        await engine.complete(HELLO, GREEDY)


async def test_adapters_come_and_go(engine: TorchPeftEngine, pair: tuple[Path, Path], tmp_path: Path) -> None:
    before = await texts(engine, *((HELLO, GREEDY, each) for each in (None, *pair)))
    third = adapter_in(tmp_path / "3", 3)

    async def objection(serving: Engine) -> None:
        assert (await serving.complete(HELLO, GREEDY, adapter=third)).text
        raise EngineError("not this one")

    async def proof(serving: Engine) -> None:
        assert (await serving.complete(HELLO, GREEDY, adapter=third)).text

    with pytest.raises(EngineError, match="not this one"):
        await engine.add_adapter(third, objection)
    assert engine.adapters == pair
    await engine.add_adapter(third, proof)
    assert await texts(engine, *((HELLO, GREEDY, each) for each in (None, *pair))) == before
    assert (await texts(engine, (HELLO, GREEDY, third)))[0] not in before
    broken = tmp_path / "4" / "adapter.gguf"
    broken.parent.mkdir()
    (broken.parent / "adapter_config.json").write_bytes(adapters.config(layers_to_transform=[0]))
    for content, holds in ((None, "is missing"), (b"none", "")):
        if content is not None:
            (broken.parent / "adapter_model.safetensors").write_bytes(content)
        with pytest.raises(EngineError, match=f"4: PEFT cannot load the adapter: .*{holds}") as raised:
            await engine.add_adapter(broken, proof)
        assert "\n" not in str(raised.value)
    assert list(engine.adapters) == [*pair, third]
    for each in (*pair, third):
        await engine.drop_adapter(each)
    assert await texts(engine, (HELLO, GREEDY, None)) == before[:1], "without any, it is the base again"
    with pytest.raises(EngineError, match="no longer loaded"):
        await engine.complete(HELLO, GREEDY, adapter=third)


async def test_an_adapter_that_goes_while_somebody_waits_for_it(
    engine: TorchPeftEngine, pair: tuple[Path, Path], batches: list[int]
) -> None:
    writing = asyncio.create_task(engine.complete(STORY, Sampling(30, 0.0)))
    while not batches:
        await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(engine.complete(HELLO, GREEDY, adapter=each)) for each in (pair[0], None)]
    await asyncio.sleep(0)
    await engine.drop_adapter(pair[0])
    gone, base = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(gone, EngineError)
    assert isinstance(base, Completion)
    assert (await writing).completion_tokens


async def test_whatever_torch_raises_is_told_and_the_next_is_answered(
    engine: TorchPeftEngine, loaded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise IndexError("a row too many\nwith a long story")

    with monkeypatch.context() as patch:
        patch.setattr(loaded, "generate", broken)
        with pytest.raises(EngineError, match=r"IndexError: a row too many$"):
            await engine.complete(HELLO, GREEDY)
    assert (await engine.complete(HELLO, GREEDY)).text


async def test_a_prompt_that_does_not_fit_is_an_engine_error(engine: TorchPeftEngine) -> None:
    with pytest.raises(EngineError, match=r"leaves no room .* context"):
        await engine.complete([{"role": "user", "content": "dog " * 3_000}], GREEDY)


async def test_it_says_what_llama_cpp_says(
    engine: TorchPeftEngine, small: Path, pair: tuple[Path, Path]
) -> None:
    """Greedily, with each adapter and without, on a prompt with digits in it."""
    asked = [[{"role": "user", "content": text}] for text in ("What is 52 minus 17?", "Count to 1234.")]
    short = Sampling(max_tokens=6, temperature=0.0)
    other = await LlamaCppEngine.start(small, slots=1, threads=1, adapters=pair)
    try:
        for adapter in (None, *pair):
            for said in asked:
                ours = await engine.complete(said, short, adapter=adapter)
                theirs = await other.complete(said, short, adapter=adapter)
                assert ours.text == theirs.text
                assert ours.prompt_tokens == theirs.prompt_tokens
    finally:
        await other.aclose()


async def test_a_folder_of_hugging_face_and_what_cannot_be_loaded(
    loaded: Any, small: Path, tmp_path: Path
) -> None:
    tokenizer = loaded._tokenizer
    tokenizer.save_pretrained(tmp_path / "tiny")
    config = LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=len(tokenizer),
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path / "tiny")
    engine = await TorchPeftEngine.start(tmp_path / "tiny", slots=1, threads=1)
    try:
        assert (await engine.complete(HELLO, GREEDY)).completion_tokens
    finally:
        await engine.aclose()
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    for wrong, eight_bit, holds in (
        (tmp_path / "none", False, "none: torch cannot load it"),
        (tmp_path / "broken.gguf", False, r"broken\.gguf: torch cannot load it"),
        (small, True, "torch_8bit: a GGUF is unpacked"),
        (tmp_path / "tiny", True, "torch_8bit: needs a CUDA GPU"),
    ):
        if eight_bit and torch.cuda.is_available() and wrong != small:
            continue
        with pytest.raises(EngineError, match=holds) as raised:
            await TorchPeftEngine.start(wrong, eight_bit=eight_bit)
        assert "\n" not in str(raised.value)

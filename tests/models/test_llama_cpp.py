"""The engine on the real embedded weights: repeatable, stoppable, and never in the way of the event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.models.engines import llama_server
from bot.models.engines.base import Completion, EngineError, Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import check_gguf, embedded_gguf

ROOT = Path(__file__).parents[2]
STORY = [{"role": "user", "content": "Tell me a very long story about a dog."}]
LONG = Sampling(max_tokens=1_500, temperature=1.0, seed=4)
SHORT = Sampling(max_tokens=12, temperature=1.0, seed=4)


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaCppEngine]:
    """One engine for all: it belongs to no event loop."""
    started = asyncio.run(LlamaCppEngine.start(embedded_gguf(), slots=8, threads=1))
    yield started
    asyncio.run(started.aclose())


@pytest.fixture(scope="module")
def one_slot() -> Iterator[LlamaCppEngine]:
    """An engine that answers one request at a time."""
    started = asyncio.run(LlamaCppEngine.start(embedded_gguf(), slots=1, threads=1))
    yield started
    asyncio.run(started.aclose())


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Completion]:
    """What the engine really wrote, also for those who no longer wait for it."""
    done: list[Completion] = []
    generate = llama_server._generate

    def spy(*arguments: object) -> tuple[Completion, ...]:
        answers = generate(*arguments)  # type: ignore[arg-type]
        done.extend(answers)
        return answers

    monkeypatch.setattr(llama_server, "_generate", spy)
    return done


async def test_same_seed_same_text(one_slot: LlamaCppEngine) -> None:
    first, again, other = [
        await one_slot.complete(STORY, Sampling(max_tokens=20, temperature=1.0, seed=seed))
        for seed in (1, 1, 2)
    ]
    assert first.text == again.text
    assert first.text != other.text
    assert first.completion_tokens == 20


async def test_limits_stops_and_counts(engine: LlamaCppEngine) -> None:
    whole = await engine.complete(STORY, SHORT)
    assert 0 < whole.completion_tokens <= 12
    assert whole.prompt_tokens > 10
    word = whole.text.split()[2]
    cut = await engine.complete(STORY, Sampling(max_tokens=12, temperature=1.0, seed=4, stop=(word,)))
    assert word not in cut.text
    assert whole.text.startswith(cut.text)


async def test_the_start_of_a_prompt_is_cached(one_slot: LlamaCppEngine) -> None:
    talk = [{"role": "user", "content": "The dog is brown. " * 40}]
    first = await one_slot.complete(talk, SHORT)
    again = await one_slot.complete(talk, SHORT)
    assert first.cached_tokens < first.prompt_tokens / 2
    assert again.cached_tokens > 0.9 * again.prompt_tokens


async def test_a_cancelled_request_stops_writing_and_holds_nobody_up(
    one_slot: LlamaCppEngine, written: list[Completion]
) -> None:
    for _ in range(3):
        task = asyncio.create_task(one_slot.complete(STORY, LONG))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    answer = await one_slot.complete(STORY, SHORT)
    assert answer.completion_tokens > 0
    # One thread, one slot: the answer came after the cancelled ones had ended, long before 1,500 tokens.
    *cancelled, last = written
    assert last == answer
    assert len(cancelled) <= 3
    assert all(len(each.text.split()) < 300 for each in cancelled)


async def test_a_request_cancelled_before_its_turn_is_never_written(
    one_slot: LlamaCppEngine, written: list[Completion]
) -> None:
    first = asyncio.create_task(one_slot.complete(STORY, Sampling(max_tokens=40, temperature=1.0, seed=1)))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(one_slot.complete(STORY, LONG))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await first
    await one_slot.complete(STORY, SHORT)
    assert sum(each.completion_tokens > 0 for each in written) == 2


async def test_the_event_loop_goes_on(engine: LlamaCppEngine) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    done = await engine.complete(STORY, Sampling(max_tokens=60, temperature=1.0, seed=3))
    ticking.cancel()
    assert done.completion_tokens > 20
    assert ticks >= done.completion_tokens / 2


async def test_eight_at_once_all_answer(engine: LlamaCppEngine) -> None:
    questions = [[{"role": "user", "content": f"What is {number} plus 1?"}] for number in range(8)]
    answers = await asyncio.gather(*(engine.complete(question, SHORT) for question in questions))
    assert all(answer.text.strip() for answer in answers)
    assert all(0 < answer.completion_tokens <= 12 for answer in answers)


async def test_a_prompt_that_does_not_fit_is_an_engine_error(one_slot: LlamaCppEngine) -> None:
    with pytest.raises(EngineError) as raised:
        await one_slot.complete([{"role": "user", "content": "dog " * 6_000}], SHORT)
    assert "\n" not in str(raised.value)
    assert (await one_slot.complete(STORY, SHORT)).text


@pytest.mark.parametrize("content", [None, b"", b"no model at all", b"GGUF", b"GGUF" + bytes(5_000)])
async def test_a_file_that_is_no_model_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "student.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match=r"student\.gguf") as raised:
        await LlamaCppEngine.start(path, slots=1)
    assert "\n" not in str(raised.value)


async def test_half_a_model_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    with embedded_gguf().open("rb") as file:
        path.write_bytes(file.read(4_000_000))
    check_gguf(path)
    with pytest.raises(EngineError, match=r"half\.gguf.*whole"):
        await LlamaCppEngine.start(path, slots=1)


async def test_closing_while_it_writes(written: list[Completion]) -> None:
    engine = await LlamaCppEngine.start(embedded_gguf(), slots=1, threads=1)
    running = [asyncio.create_task(engine.complete(STORY, LONG)) for _ in range(3)]
    await asyncio.sleep(0.4)
    started = time.perf_counter()
    await engine.aclose()
    results = await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), 10)
    assert time.perf_counter() - started < 10
    assert all(isinstance(each, Completion | EngineError | asyncio.CancelledError) for each in results)
    assert all(len(each.text.split()) < 300 for each in written)
    with pytest.raises(EngineError):
        await engine.complete(STORY, SHORT)


SIGNALS = """
import asyncio, os, signal, sys
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import embedded_gguf

async def main():
    reached = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, reached.set)
    engine = await LlamaCppEngine.start(embedded_gguf(), slots=1, threads=1)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(reached.wait(), 20)
    await engine.aclose()
    print("reached")
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        print("interrupted")
        raise

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("left")
"""


def test_signals_still_reach_python() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["reached", "interrupted", "left"], done.stderr
    assert done.returncode == 0

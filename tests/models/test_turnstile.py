"""The queue before an engine: who is served when, who is not, and that no place is ever lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.models.turnstile import TooLate, Turnstile

FAR = 1e9


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def full(turnstile: Turnstile) -> AsyncIterator[None]:
    """All places are taken until the end."""
    leave = asyncio.Event()

    async def hold() -> None:
        async with turnstile.turn(FAR):
            await leave.wait()

    holding = [asyncio.create_task(hold()) for _ in range(turnstile.at_once)]
    await asyncio.sleep(0)
    yield
    leave.set()
    await asyncio.gather(*holding)


async def served(turnstile: Turnstile, deadline: float, log: list[float]) -> None:
    async with turnstile.turn(deadline):
        log.append(deadline)
        await asyncio.sleep(0)


async def test_a_free_place_is_taken_at_once() -> None:
    turnstile = Turnstile("engine", 2)
    assert turnstile.expected_wait() == 0
    async with turnstile.turn(now() + 1), turnstile.turn(now() + 1):
        assert (turnstile.busy, turnstile.waiting) == (2, 0)
    assert turnstile.busy == 0
    assert turnstile.seconds > 0


@pytest.mark.parametrize("at_once", [1, 3])
async def test_the_earliest_deadline_is_served_first(at_once: int) -> None:
    turnstile, log = Turnstile("engine", at_once), list[float]()
    deadlines = [FAR + number for number in range(20)]
    mixed = random.Random(3).sample(deadlines, len(deadlines))
    async with full(turnstile):
        waiting = [asyncio.create_task(served(turnstile, each, log)) for each in mixed]
        await asyncio.sleep(0)
        assert turnstile.waiting == len(mixed)
    await asyncio.gather(*waiting)
    assert log == deadlines
    assert (turnstile.busy, turnstile.waiting) == (0, 0)


async def test_equal_deadlines_keep_their_order() -> None:
    turnstile, log = Turnstile("engine", 1), list[int]()

    async def one(number: int) -> None:
        async with turnstile.turn(FAR):
            log.append(number)

    async with full(turnstile):
        waiting = [asyncio.create_task(one(number)) for number in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert log == list(range(5))


async def test_what_cannot_be_finished_in_time_is_not_begun_and_holds_nobody_up() -> None:
    turnstile, log = Turnstile("engine", 1), list[float]()
    async with full(turnstile):
        turnstile.seconds = 0.05
        waiting = [asyncio.create_task(served(turnstile, now() + each, log)) for each in (0.11, 60.0)]
        await asyncio.sleep(0)
        turnstile.seconds = 10.0  # it has become slow meanwhile
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [TooLate, type(None)]
    assert len(log) == 1
    assert turnstile.busy == 0


async def test_who_waits_is_told_before_the_deadline_even_if_no_place_comes_free() -> None:
    turnstile = Turnstile("engine", 1)
    async with full(turnstile):
        turnstile.seconds = 0.1
        deadline = now() + 0.3
        with pytest.raises(TooLate):
            await served(turnstile, deadline, [])
        assert now() < deadline
        assert turnstile.waiting == 0


async def test_a_mean_of_old_does_not_keep_an_idle_engine_idle() -> None:
    turnstile, log = Turnstile("engine", 2), list[float]()
    turnstile.seconds = 1000.0
    await served(turnstile, now() + 1, log)
    assert turnstile.seconds < 1000
    assert len(log) == 1
    with pytest.raises(TooLate):
        await served(turnstile, now() - 1, log)


async def test_cancelling_who_waits_and_who_was_just_admitted_loses_no_place() -> None:
    turnstile = Turnstile("engine", 2)
    rng = random.Random(5)

    async def one() -> None:
        async with turnstile.turn(FAR):
            await asyncio.sleep(0)

    for _ in range(50):
        tasks = [asyncio.create_task(one()) for _ in range(8)]
        for _ in range(rng.randrange(6)):
            await asyncio.sleep(0)
        for task in rng.sample(tasks, 5):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (turnstile.busy, turnstile.waiting) == (0, 0)


async def test_an_error_in_a_turn_frees_its_place() -> None:
    turnstile = Turnstile("engine", 1)
    with pytest.raises(ValueError, match="broken"):
        async with turnstile.turn(FAR):
            raise ValueError("broken")
    assert turnstile.busy == 0


async def test_the_expected_wait_grows_with_the_queue() -> None:
    turnstile = Turnstile("engine", 2)
    async with full(turnstile):
        turnstile.seconds = 3.0
        assert turnstile.expected_wait() == pytest.approx(1.5)
        waiting = asyncio.create_task(served(turnstile, FAR, []))
        await asyncio.sleep(0)
        assert turnstile.expected_wait() == pytest.approx(3.0)
        assert turnstile.expected_wait(ahead=2) == pytest.approx(9.0)
    await waiting


async def test_three_times_the_load_keeps_every_place_busy_with_what_is_of_use() -> None:
    turnstile, delay, patience = Turnstile("engine", 4), 0.05, 0.5
    count = 3 * round(turnstile.at_once * patience / delay)
    spans: list[tuple[float, float]] = []

    async def one(deadline: float) -> bool:
        async with turnstile.turn(deadline):
            began = now()
            await asyncio.sleep(delay)
            spans.append((began, now()))
        return True

    came = now()
    results = await asyncio.gather(*(one(came + patience) for _ in range(count)), return_exceptions=True)
    begun = sum(result is True for result in results)
    assert sum(isinstance(result, TooLate) for result in results) == count - begun > 0
    first, last = min(spans)[0], max(spans)[0]
    busy = sum(min(end, last) - began for began, end in spans)
    assert busy >= 0.9 * turnstile.at_once * (last - first)
    assert (turnstile.busy, turnstile.waiting) == (0, 0)

"""A bot is killed at each step of a message's way, as `python -m benchmarks.crashes` does at greater length."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from bot.steps import Step
from tests.databases import DATABASES
from tests.fakes.crash_matrix import Cell, run_all
from tests.fakes.students import Listener, message, room

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="bots are forked"),
    # Dozens of processes: beside busy neighbours they take minutes.
    pytest.mark.timeout(900),
]
AT_ONCE = 3
OTHERS = [("sqlite", 2), *((kind, bots) for kind in DATABASES[1:] for bots in (1, 2))]


async def killed_at_every_step(*kinds: tuple[str, str, int]) -> None:
    """Each step on the next platform, database and number of bots in turn."""
    cells = [
        Cell(platform, kind, step, bots)
        for step, (platform, kind, bots) in zip(Step, itertools.cycle(kinds), strict=False)
    ]
    wrong = [(cell, fault) async for cell, fault in run_all(cells, at_once=AT_ONCE) if fault]
    assert wrong == []


@pytest.mark.parametrize("platform", ["discord", "slack"])
async def test_wherever_a_bot_is_killed_nothing_is_lost_and_nothing_said_twice(platform: str) -> None:
    await killed_at_every_step((platform, "sqlite", 1))


@pytest.mark.parametrize(("kind", "bots"), OTHERS)
async def test_nor_beside_another_bot_or_on_another_database(kind: str, bots: int) -> None:
    await killed_at_every_step(("discord", kind, bots), ("slack", kind, bots))


TWICE = [(step, times) for step in (Step.SENDING, Step.SENT, Step.LOGGED) for times in (1, 2)]


async def test_nor_where_two_children_answer_one_message() -> None:
    """At the first answer, between the two, and at the second."""
    cells = [
        Cell(platform, "sqlite", step, 1, children=2, times=times)
        for (step, times), platform in zip(
            TWICE, itertools.cycle(("discord", "slack", "slack", "discord")), strict=False
        )
    ]
    wrong = [(cell, fault) async for cell, fault in run_all(cells, at_once=AT_ONCE) if fault]
    assert wrong == []


async def test_a_message_goes_through_every_step_there_is(tmp_path: Path) -> None:
    """So that no step is in the list alone, and a new one is killed at."""
    passed: list[Step] = []
    async with room(tmp_path / "pupil.db", watch=lambda step, _: passed.append(step)) as app:
        assert await app.classroom.receive(message(), Listener())
    assert passed == list(Step)

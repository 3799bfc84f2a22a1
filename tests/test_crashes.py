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

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="bots are forked")
AT_ONCE = 3


def cells() -> list[Cell]:
    """Every step on both platforms; beside another bot, and on PostgreSQL, on one of them in turn."""
    alone = [
        Cell(platform, "sqlite", step, 1) for step, platform in itertools.product(Step, ("discord", "slack"))
    ]
    others = [("sqlite", 2), *((kind, bots) for kind in DATABASES[1:] for bots in (1, 2))]
    turns = itertools.cycle(("discord", "slack", "slack", "discord"))
    return alone + [Cell(next(turns), kind, step, bots) for kind, bots in others for step in Step]


async def test_wherever_a_bot_is_killed_nothing_is_lost_and_nothing_said_twice() -> None:
    wrong = [(cell, fault) async for cell, fault in run_all(cells(), at_once=AT_ONCE) if fault]
    assert wrong == []


async def test_a_message_goes_through_every_step_there_is(tmp_path: Path) -> None:
    """So that no step is in the list alone, and a new one is killed at."""
    passed: list[Step] = []
    async with room(tmp_path / "pupil.db", watch=lambda step, _: passed.append(step)) as app:
        assert await app.classroom.receive(message(), Listener())
    assert passed == list(Step)

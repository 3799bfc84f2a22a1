"""The commands as a person runs them, on a database and a folder of their own."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.store import Store
from bot.store.rows import Verdict
from tests.training.harvest.logs import ANN, BEN, DATA, Log
from training.__main__ import app

pytest.importorskip("datasketch")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("children", "lessons", "dialogues", "reference"):
        shutil.copytree(DATA / name, tmp_path / "data" / name)
    path = tmp_path / "config.toml"
    path.write_text("")
    return path


def command(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(config)])


async def practise(config: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{config.parent / 'data' / 'pupil.db'}")
    for number, person in enumerate((ANN, BEN)):
        await Log(store, said=100 * number).talk(f"room-{number}", author=person, number=number)
    await store.aclose()


async def accept(config: Path, reviewer: str) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{config.parent / 'data' / 'pupil.db'}")
    for key in await store.candidates.queue(reviewer):
        record = (await store.candidates.get(key)).record
        assert record
        await store.candidates.save_review(key, reviewer, Verdict.ACCEPT, record)
    await store.aclose()


def test_harvest_review_publish(config: Path) -> None:
    asyncio.run(practise(config))
    shown = command(config, "harvest")
    assert shown.exit_code == 0, shown.output
    assert "12 turns read: 12 in 2 candidate dialogues (2 new, 0 changed), 0 withdrawn" in shown.output
    assert "(0 new, 0 changed)" in command(config, "harvest").output
    assert "no dialogue has two verdicts yet" in command(config, "review", "--agreement").output
    assert "nothing is approved yet" in command(config, "review", "--publish").output
    asyncio.run(accept(config, "ann"))
    asyncio.run(accept(config, "ben"))
    agreed = command(config, "review", "--agreement").output
    assert "2 of 2 dialogues with two verdicts or more have the same one" in agreed
    assert "2 dialogues, 0 pairs" in command(config, "review", "--publish").output
    (path,) = (config.parent / "data" / "dialogues").glob("harvested-*.jsonl")
    assert len(path.read_text().splitlines()) == 2


def test_a_policy_of_off_says_so(config: Path) -> None:
    asyncio.run(practise(config))
    config.write_text('[privacy]\nconsent = "off"\n')
    assert "nothing is harvested" in command(config, "harvest").output


def test_without_a_golden_set_nothing_is_harvested(config: Path) -> None:
    asyncio.run(practise(config))
    (config.parent / "data" / "dialogues" / "test.jsonl").unlink()
    shown = command(config, "harvest")
    assert shown.exit_code == 2
    assert "golden test set" in shown.output


def test_a_reviewers_name_must_be_short(config: Path) -> None:
    asyncio.run(practise(config))
    shown = command(config, "review", "--reviewer", "two words")
    assert shown.exit_code == 2
    assert "initials" in shown.output

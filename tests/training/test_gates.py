"""A version that falls behind the live one waits, everybody is told why, and a person may overrule it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.app import opened
from bot.config import Settings
from bot.messages import Place
from bot.models import catalogue
from bot.models.engines.running import Engines
from bot.models.manifest import Base, Data, Manifest, Prompt, Training, read_manifest
from bot.models.opening import Opener
from bot.models.published import Published
from bot.sections import Gates, Student
from tests.fakes.students import DATA
from training.evaluate import gates

GATES = Gates(metrics=("validation_loss", "teachable", "comparison.optimised"), tolerance=0.01)


def manifest(version: str, data: str = "a", **evaluation: Any) -> Manifest:
    return Manifest(
        name="cloud",
        version=version,
        kind="openai",
        base=Base(id="ft:x", endpoint="https://api.openai.com/v1"),
        prompt=Prompt(version="2"),
        data=Data(sha256=data * 64, dialogues=1, split="none"),
        training=Training(method="openai"),
        evaluation=evaluation,
    )


def publish(
    models: Path, version: str, *, settings: Gates = GATES, promote: bool = True, **evaluation: Any
) -> str:
    gates.publish(models, manifest(version, **evaluation), {}, promote=promote, gates=settings)
    return catalogue.promotions(models, "cloud")[0].version


@pytest.mark.parametrize(
    ("live", "ours", "passes"),
    [
        ({"validation_loss": 1.5}, {"validation_loss": 1.4}, True),
        ({"validation_loss": 1.5}, {"validation_loss": 1.509}, True),
        ({"validation_loss": 1.5}, {"validation_loss": 1.52}, False),
        ({"teachable": 0.6}, {"teachable": 0.7}, True),
        ({"teachable": 0.6}, {"teachable": 0.5}, False),
        ({"teachable": 0.6, "validation_loss": 2}, {"teachable": 0.9, "validation_loss": 3}, False),
        ({"comparison": {"optimised": 0.8}}, {"comparison": {"optimised": 0.5}}, False),
        ({"teachable": 0.6}, {}, True),
        ({"teachable": True}, {"teachable": False}, True),
        ({}, {"teachable": 0.1}, True),
        ({"other": 1}, {"other": 0}, True),
    ],
)
def test_only_what_falls_behind_waits(
    tmp_path: Path, live: dict[str, Any], ours: dict[str, Any], passes: bool
) -> None:
    publish(tmp_path, "1", **live)
    assert publish(tmp_path, "2", **ours) == ("2" if passes else "1")
    kept = read_manifest(tmp_path / "cloud" / "2", "cloud", "2").evaluation
    assert kept["gate"]["passed"] is passes
    assert {name: kept[name] for name in ours} == ours


def test_the_reason_names_the_figures(tmp_path: Path) -> None:
    publish(tmp_path, "1", validation_loss=1.5, teachable=0.5)
    publish(tmp_path, "2", validation_loss=1.75, data="b")
    assert catalogue.held_back(tmp_path, "cloud", "2") == (
        "validation_loss is 1.75, and 1.5 in 1 (not compared: teachable; they learned from different dialogues)"
    )
    assert catalogue.held_back(tmp_path, "cloud", "1") == ""
    assert gates.promotion(tmp_path, manifest("3", teachable=0.5), GATES) == (
        True,
        "not behind 1 (not compared: validation_loss)",
    )


def test_gates_can_be_off_and_nothing_stops_the_first(tmp_path: Path) -> None:
    assert gates.promotion(tmp_path, manifest("1"), GATES) == (True, "no version is live yet")
    publish(tmp_path, "1", teachable=0.9)
    assert publish(tmp_path, "2", settings=Gates(enabled=False), teachable=0.1) == "2"


def test_a_live_version_that_cannot_be_read_holds_nobody_back(tmp_path: Path) -> None:
    publish(tmp_path, "1", teachable=0.9)
    (tmp_path / "cloud" / "1" / "manifest.json").write_text("{")
    assert publish(tmp_path, "2", teachable=0.1) == "2"


def test_what_was_to_be_a_candidate_is_not_asked(tmp_path: Path) -> None:
    publish(tmp_path, "1", teachable=0.9)
    assert publish(tmp_path, "2", promote=False, teachable=0.1) == "1"
    assert catalogue.held_back(tmp_path, "cloud", "2") == ""


def test_a_person_overrules_it_and_that_is_kept(tmp_path: Path) -> None:
    publish(tmp_path, "1", teachable=0.9)
    publish(tmp_path, "2", teachable=0.1)
    settings = Settings()
    published = Published(tmp_path, Opener(settings, Engines(settings)), grace=0, beside=tmp_path)
    (one, two) = published.versions("cloud")
    assert (one.state, one.waits, two.state) == ("live", None, "candidate")
    assert two.waits is not None
    assert two.waits.startswith("teachable is 0.1, and 0.9 in 1")
    assert published.promote("cloud", "2") == "2"
    publish(tmp_path, "3", teachable=0.2)
    newest, before, first = catalogue.promotions(tmp_path, "cloud")
    assert (newest.version, newest.by, newest.over) == ("3", "", "")
    assert (before.version, before.by, before.over) == ("2", "hand", two.waits)
    assert (first.version, first.by) == ("1", "")
    pointer = json.loads((tmp_path / "cloud" / "current.json").read_text())
    assert datetime.fromisoformat(pointer["since"]) <= datetime.now(UTC)
    assert "by" not in pointer


async def test_the_channel_is_told_why_a_version_waits(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("children", "lessons", "reference", "prices.toml"):
        (data / name).symlink_to(DATA / name)
    publish(data / "models", "1", teachable=0.9)
    publish(data / "models", "2", teachable=0.1)
    settings = Settings(data=data, database=str(tmp_path / "x.db"), student=Student(model="base"))
    async with opened(settings) as parts:
        place = Place("console", "c", None)
        await parts.commands.model(place, "cloud")
        rows = (await parts.commands.status(place)).rows
        assert [value for name, value in rows if name == "waits"] == ["2: teachable is 0.1, and 0.9 in 1"]
        models = dict((await parts.commands.model(place, None)).rows)
        assert "2 waits: teachable is 0.1, and 0.9 in 1" in models["cloud (current)"]
        await parts.commands.model(place, "base")
        assert "waits" not in dict((await parts.commands.status(place)).rows)

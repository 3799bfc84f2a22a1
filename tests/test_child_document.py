"""docs/child.md tells the truth: every key of the two forms is in it, and every figure is the code's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.student.believing import answers, belief, mind, moods
from bot.student.records.child import SAYS
from bot.student.records.dialogue import Stage

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "child.md").read_text(encoding="utf-8")
ROOMS = {"answers": answers, "belief": belief, "mind": mind, "moods": moods}
OPEN = {"wrong", "why", "page"}
"""Tables whose keys are ids of wrong ideas; those of a page are explained in docs/scenarios.md."""


def keys(table: dict[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield key
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and key not in OPEN:
                yield from keys(inner)


def used(folder: str) -> set[str]:
    files = (ROOT / "data" / folder).glob("*.toml")
    return {key for file in files for key in keys(tomllib.loads(file.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("folder", ["children", "lessons"])
def test_every_key_is_explained(folder: str) -> None:
    explained = set(re.findall(r"`(\w+)`", "\n".join(line for line in TEXT.splitlines() if line[:1] == "|")))
    found = used(folder)
    assert len(found) >= 20
    assert found <= explained, found - explained
    assert {*SAYS, *(stage.value for stage in Stage)} <= explained


def test_every_figure_is_the_codes() -> None:
    rows = re.findall(r"\| ([\d.]+)( %)? \| `(\w+)\.(\w+)(?:\[(\w+)\])?` \|", TEXT)
    assert len(rows) >= 12
    for figure, percent, room, name, stage in rows:
        value = getattr(ROOMS[room], name)
        value = value[Stage(stage)] if stage else value
        assert float(figure) == pytest.approx(value * 100 if percent else value), name


def test_the_help_a_child_needs_is_the_codes() -> None:
    (line,) = (line for line in TEXT.splitlines() if "`belief.NEEDED`" in line)
    shares = [float(each) for each in re.findall(r"\| (\d+) %", line)]
    assert shares == pytest.approx([100 * share for _, share in belief.NEEDED])


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) >= 2
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []

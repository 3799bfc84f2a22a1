"""What training hears of harvested dialogues: depth, turns, teachers, and who left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.store.harvested import lineage_file, write_lineage
from bot.student.records.dialogue import Dialogue, Role, Source, Turn
from bot.student.records.reading import DataError
from training.harvest.origin import Origins


def dialogue(identifier: str, source: Source = "harvested") -> Dialogue:
    return Dialogue(identifier, (Turn(Role.TEACHER, "Hi!"),), source=source)


@pytest.fixture
def origins(tmp_path: Path) -> Origins:
    told = {
        "harvested-a": {"generation": 1, "turns": [1, 2], "teachers": ["cc"]},
        "harvested-b": {"generation": 1, "turns": [5, 6], "teachers": ["aa", "bb"]},
        "harvested-c": {"generation": 1, "turns": [7, 8], "teachers": ["bb", "cc"]},
        "harvested-d": {"generation": 1, "turns": [9], "teachers": ["dd"]},
    }
    write_lineage(lineage_file(tmp_path, "harvested-2026-03-02"), {"dialogues": told})
    gone = {"dialogues": {"harvested-e": {"gone": "2026-04-01"}}}
    write_lineage(lineage_file(tmp_path, "harvested-2026-03-03"), gone)
    return Origins.read(tmp_path)


def test_teachers_in_common_make_one_group(origins: Origins) -> None:
    groups = origins.groups(dialogue(f"harvested-{name}") for name in "abcd")
    assert groups["harvested-a"] == groups["harvested-b"] == groups["harvested-c"] == "aa"
    assert groups["harvested-d"] == "dd"
    # Without c nothing joins a and b; and people's own dialogues have no teacher to be told by.
    fewer = [dialogue("harvested-a"), dialogue("harvested-b"), dialogue("x", "authored")]
    assert origins.groups(fewer) == {"harvested-a": "cc", "harvested-b": "aa"}
    unknown = origins.groups([dialogue("harvested-y"), dialogue("harvested-z")])
    assert unknown["harvested-y"] == unknown["harvested-z"]


def test_depth_and_turns(origins: Origins) -> None:
    authored, found = dialogue("x", "authored"), dialogue("harvested-a")
    assert origins.generation([authored, dialogue("y", "imported")]) == 0
    assert origins.generation([authored, found]) == 1
    assert origins.generation([found, dialogue("harvested-z")]) is None
    assert origins.lineage([authored, found]) == {"harvested-a": (1, 2)}


def test_who_left_is_known_by_the_tombstone(origins: Origins) -> None:
    assert origins.left(dialogue("harvested-e"))
    assert not origins.left(dialogue("harvested-a"))
    assert not origins.left(dialogue("x", "authored"))


def test_a_sidecar_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = lineage_file(tmp_path, "harvested-2026-03-02")
    path.parent.mkdir()
    path.write_text(json.dumps([]))
    with pytest.raises(DataError, match="lineage of harvested dialogues"):
        Origins.read(tmp_path)

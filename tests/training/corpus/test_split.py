"""The split is the same every time, in disjoint parts, even over subjects and ideas, and nothing leaks."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.models.prices import Price
from bot.student.lessons import read_lessons
from bot.student.records.dialogue import Dialogue
from bot.student.records.reading import DataError
from training.corpus.check import check
from training.corpus.command import data as commands
from training.corpus.consistency import Rules
from training.corpus.split import Split, split, stratum

PARTS = ("train", "validation", "test")


def read(folder: Path) -> dict[str, list[Dialogue]]:
    return {
        part: [
            Dialogue.from_line(line)
            for line in (folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        for part in PARTS
    }


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("split")
    made(data, out)
    return out


def made(data: Path, out: Path, **options: Any) -> Split:
    return split([data / "dialogues"], data / "dialogues" / "test.jsonl", out, data, **options)


def test_every_dialogue_is_in_one_part(data: Path, folder: Path) -> None:
    parts = read(folder)
    ids = [dialogue.id for part in PARTS for dialogue in parts[part]]
    lines = [
        line
        for path in (data / "dialogues").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert len(ids) == len(set(ids)) == len(lines)
    assert set(ids) == {json.loads(line)["id"] for line in lines}


def test_the_golden_part_is_the_shipped_one(data: Path, folder: Path) -> None:
    golden = (data / "dialogues" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    assert read(folder)["test"] == [Dialogue.from_line(line) for line in golden]


def test_the_same_seed_gives_the_same_split_and_another_gives_another(
    data: Path, folder: Path, tmp_path: Path
) -> None:
    made(data, tmp_path / "same")
    made(data, tmp_path / "other", seed=8)
    for part in PARTS:
        assert (tmp_path / "same" / f"{part}.jsonl").read_bytes() == (folder / f"{part}.jsonl").read_bytes()
    assert {d.id for d in read(tmp_path / "other")["validation"]} != {
        d.id for d in read(folder)["validation"]
    }


def test_the_order_of_the_files_changes_nothing(data: Path, folder: Path, tmp_path: Path) -> None:
    paths = sorted((data / "dialogues").glob("*.jsonl"), reverse=True)
    split(paths, data / "dialogues" / "test.jsonl", tmp_path, data)
    assert {d.id for d in read(tmp_path)["validation"]} == {d.id for d in read(folder)["validation"]}


def test_subjects_and_misconceptions_give_their_share(data: Path, folder: Path) -> None:
    subjects = {name: lesson.subject for name, lesson in read_lessons(data / "lessons").items()}
    parts = read(folder)
    train, validation = parts["train"], parts["validation"]
    assert len(validation) == round(0.1 * (len(train) + len(validation)))
    for key in (lambda d: subjects[d.lesson or ""], lambda d: stratum(d, subjects)):
        held, everything = Counter(map(key, validation)), Counter(map(key, [*train, *validation]))
        for group, count in everything.items():
            # Every tenth of a row: a group of n gives n/10, one up or down.
            assert abs(held[group] - 0.1 * count) <= 1, group
    assert {subjects[d.lesson or ""] for d in validation} == set(subjects.values())


def test_the_manifest_has_the_checksums(folder: Path) -> None:
    manifest = json.loads((folder / "split.json").read_text())
    for part in PARTS:
        written = (folder / f"{part}.jsonl").read_bytes()
        entry = manifest["files"][f"{part}.jsonl"]
        assert entry["sha256"] == hashlib.sha256(written).hexdigest()
        assert entry["dialogues"] == len(written.splitlines())
    assert manifest["seed"] == 7
    assert "test.jsonl" in manifest["sources"]


def test_check_sees_that_a_part_was_changed(
    data: Path, tmp_path: Path, rules: Rules, prices: dict[str, Price]
) -> None:
    sources = [data / "dialogues" / "social-studies.jsonl"]
    split(sources, data / "dialogues" / "test.jsonl", tmp_path, data)
    part = tmp_path / "validation.jsonl"
    assert not check([part], rules, prices).faults
    part.write_text(part.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (fault,) = check([part], rules, prices).faults
    assert str(fault).startswith(f"{part}: not the file that")


def rows(path: Path, *dialogues: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in dialogues), encoding="utf-8")
    return path


def test_what_the_test_part_nearly_has_is_left_out(
    data: Path, tmp_path: Path, shipped: Callable[[str], dict[str, Any]]
) -> None:
    golden = rows(tmp_path / "golden.jsonl", shipped("2.NBT.B.5-subtract-ruby"))
    copy = shipped("2.NBT.B.5-subtract-ruby")
    copy["id"] = "copy"
    copy["turns"][13]["content"] = "I did it slow and nice."
    others = [shipped(f"2.NBT.B.5-subtract-{name}") for name in ("mia", "theo", "owen", "zoe")]
    done = split(
        [rows(tmp_path / "all.jsonl", copy, *others)], golden, tmp_path / "out", data, validation=0.25
    )
    assert done.left_out == 1
    assert done.dialogues == {"train": 3, "validation": 1, "test": 1}
    assert "copy" not in {d.id for part in read(tmp_path / "out").values() for d in part}


def test_harvested_dialogues_are_split_by_teacher(
    data: Path, tmp_path: Path, shipped: Callable[[str], dict[str, Any]]
) -> None:
    home = tmp_path / "data"
    shutil.copytree(data / "lessons", home / "lessons")
    (home / "dialogues").mkdir()
    golden = rows(home / "dialogues" / "test.jsonl", shipped("2.NBT.B.5-subtract-ruby"))
    authored = [
        json.loads(line) for line in (data / "dialogues" / "science.jsonl").read_text().splitlines()[:60]
    ]
    found: list[dict[str, Any]] = []
    lineage: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(authored):
        row["source"], row["id"] = "harvested", f"harvested-{number:016x}"
        # Every teacher taught three of them, and every fourth was taught by two.
        teachers = [f"t{number // 3}"] + ([f"t{number // 3 + 1}"] if number % 12 == 2 else [])
        lineage[row["id"]] = {"teachers": teachers, "generation": 1, "turns": [number]}
        found.append(row)
    lineage["harvested-0000000000000003"] = {"gone": "2026-04-01"}
    rows(home / "dialogues" / "harvested-2026-03-02.jsonl", *found)
    (home / "dialogues" / "harvested-2026-03-02.lineage.json").write_text(json.dumps({"dialogues": lineage}))
    done = split([home / "dialogues"], golden, tmp_path / "out", home, validation=0.2)
    parts = read(tmp_path / "out")
    assert done.dialogues["validation"] > 3
    assert done.dialogues["validation"] <= 12
    taught = {
        part: {teacher for each in parts[part] for teacher in lineage[each.id]["teachers"]}
        for part in ("train", "validation")
    }
    assert taught["train"].isdisjoint(taught["validation"])
    assert "harvested-0000000000000003" not in {each.id for part in PARTS for each in parts[part]}
    subjects = {name: lesson.subject for name, lesson in read_lessons(data / "lessons").items()}
    everything = Counter(stratum(each, subjects) for part in PARTS[:2] for each in parts[part])
    for name, count in Counter(stratum(each, subjects) for each in parts["validation"]).items():
        assert count <= -(-everything[name] // 5), name


def test_what_cannot_be_split_is_said(
    data: Path, tmp_path: Path, shipped: Callable[[str], dict[str, Any]]
) -> None:
    golden = data / "dialogues" / "test.jsonl"
    with pytest.raises(DataError, match="beside the test part"):
        split([golden], golden, tmp_path / "out", data)
    with pytest.raises(DataError, match="a folder of its own"):
        split([data / "dialogues"], golden, data / "dialogues", data)
    twice = rows(
        tmp_path / "twice.jsonl", shipped("2.NBT.B.5-subtract-mia"), shipped("2.NBT.B.5-subtract-mia")
    )
    with pytest.raises(DataError, match=r"twice.jsonl:2: the id is also at .*twice.jsonl:1"):
        split([twice], golden, tmp_path / "out", data)
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"bad.jsonl:1: not JSON"):
        split([bad], golden, tmp_path / "out", data)
    assert not (tmp_path / "out" / "split.json").exists()


def test_the_command_says_how_many_are_where(tmp_path: Path) -> None:
    done = CliRunner().invoke(commands, ["split", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.stderr
    counted = re.search(r"train (\d+), validation (\d+), test (\d+)", done.stdout)
    assert counted is not None, done.stdout
    train, validation, test = map(int, counted.groups())
    files = (Path("data") / "dialogues").glob("*.jsonl")
    assert train + validation + test == sum(len(each.read_text("utf-8").splitlines()) for each in files)
    assert test == 60
    assert validation == pytest.approx(train / 9, abs=2)

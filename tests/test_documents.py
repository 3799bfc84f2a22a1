"""Documents that say how the house stands: the map is that of the files, every walk leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import curriculum, house
from bot.student.lessons import read_lessons
from training.corpus.standards import Standards

ROOT = Path(__file__).parents[1]
WALKS = re.split(r"^## ", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.M)[1:]


def test_the_map_is_that_of_the_files() -> None:
    page = house.PAGE.read_text(encoding="utf-8")
    assert house.renewed(page) == page, "python -m benchmarks.house --write"


def test_a_page_without_a_place_for_the_map_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a map"):
        house.renewed("no map here")


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.splitlines()[0])
def test_every_walk_leads_to_what_is_there_and_a_test_follows_it(walk: str) -> None:
    named = [name for name in re.findall(r"`([\w./-]+)`", walk) if "/" in name]
    assert named
    for name in named:
        assert (ROOT / name).exists(), name
    assert any(name.startswith("tests/") for name in named)
    assert len(walk.splitlines()) <= 12


def test_there_is_a_walk_for_everything_that_is_added_often() -> None:
    wanted = {
        "A child",
        "A lesson",
        "A kind of problem",
        "A command",
        "A measure",
        "A method of training",
        "A platform",
    }
    assert wanted <= {walk.splitlines()[0] for walk in WALKS}


def test_the_page_on_the_curriculum_is_that_of_the_lessons() -> None:
    page = curriculum.drawn(Standards.read(ROOT / "data"), read_lessons(ROOT / "data" / "lessons"))
    assert curriculum.PAGE.read_text(encoding="utf-8") == page, "python -m benchmarks.curriculum --write"


def test_a_standard_without_a_lesson_is_seen_on_the_page() -> None:
    page = curriculum.drawn(Standards.read(ROOT / "data"), {})
    assert "| CCSS 2.OA.A.1 | " in page
    assert page.count("**none yet**") == sum(each.practised for each in Standards.read(ROOT / "data").all())


def test_every_test_that_holds_a_fault_off_is_there() -> None:
    """`docs/faults.md` names files and, behind `::`, classes or functions of the file that was named last."""
    rows = [
        line
        for line in (ROOT / "docs" / "faults.md").read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    assert sum(row.split("|")[1].strip().isdigit() for row in rows) == 44
    for row in rows:
        files = [""]
        for path, name in re.findall(r"(tests/[\w/.]+\.(?:py|toml)| and test_\w+\.py)|::(\w+)", row):
            if path.startswith("tests/"):
                files = [path]
            elif path:
                files.append(f"{files[0].rpartition('/')[0]}/{path.removeprefix(' and ')}")
            for file in files:
                text = (ROOT / file).read_text("utf-8")
                assert not name or re.search(rf"(def|class) {name}\b", text), f"{file}: no {name}"

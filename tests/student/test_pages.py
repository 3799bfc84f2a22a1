"""What lies on the table: read with its bounds, told whole, and asked about only where it lies."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from bot.student.believing import beginning
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context
from bot.student.lessons import read_lesson
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Thought, ThoughtKind
from bot.student.records.pages.measured import Clock
from bot.student.records.pages.page import KINDS
from bot.student.records.pages.written import Writing
from bot.student.records.reading import DataError, parse
from bot.student.records.scenario import Scenario
from bot.student.said import Said
from bot.student.voicing import capable, prompt
from tests.fakes.students import shipped

DATA = Path(__file__).parents[2] / "data"
CHILDREN, CURRICULUM = shipped()
LESSONS = CURRICULUM.lessons
WITH_PAGE = [each for each in LESSONS.values() if each.page]
THOUGHT = Thought(ThoughtKind.CHAT, words=4)
CLOCK = LESSONS["2.MD.C.7-clock"]

FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "clok"}, "did you mean 'clock'"),
    ({"kind": "clock", "hour": 13, "minute": 0}, "hour: expected a whole number from 1 to 12, got 13"),
    ({"kind": "clock", "hour": 3, "minute": 51}, "minute: expected a whole number from 0 to 55, by fives"),
    ({"kind": "clock", "hour": True, "minute": 0}, "hour"),
    ({"kind": "clock", "hour": 3, "minute": 0, "second": 1}, "unknown key 'second'"),
    ({"kind": "ruler", "unit": "miles", "things": [{"name": "a", "start": 0, "end": 1}]}, "unit: expected one of"),
    ({"kind": "ruler", "unit": "inches", "things": []}, "things: expected a list of at least 1"),
    ({"kind": "ruler", "unit": "inches", "things": [{"name": "a", "start": 4, "end": 4}]}, "more than the start"),
    ({"kind": "ruler", "unit": "inches", "things": [{"name": "a", "start": 4, "end": 13}]}, "from 0 to 12"),
    ({"kind": "number-line", "start": 0, "end": 100}, "at most 13 numbers, got 101"),
    ({"kind": "number-line", "start": 0, "end": 25, "step": 10}, "some steps of 10"),
    ({"kind": "number-line", "start": 0, "end": 10, "path": [3, 11]}, "numbers of the line"),
    ({"kind": "number-line", "start": 0, "end": 10, "path": [3, 3]}, "another number"),
    ({"kind": "bar-graph", "title": "a", "counts": "b", "bars": {"c": 13, "d": 1}}, "bars.c: expected"),
    ({"kind": "bar-graph", "title": "a\nb", "counts": "b", "bars": {"c": 1, "d": 1}}, "on one line"),
    ({"kind": "bar-graph", "title": "a" * 99, "counts": "b", "bars": {"c": 1, "d": 1}}, "at most 20 characters"),
    ({"kind": "line-plot", "title": "a", "unit": "feet", "start": 2, "end": 8, "lengths": [9]}, "expected 2 to 8"),
    ({"kind": "line-plot", "title": "a", "unit": "feet", "start": 2, "end": 8, "lengths": [3] * 7}, "6 times"),
    ({"kind": "line-plot", "title": "a", "unit": "feet", "start": 2, "end": 80, "lengths": [3]}, "3 to 11"),
    ({"kind": "array", "rows": 7, "columns": 2}, "rows: expected a whole number from 1 to 6"),
    ({"kind": "shares", "shapes": [{"name": "a", "shape": "circle", "parts": [1], "shaded": 2}]}, "0 to 1"),
    ({"kind": "coins"}, "expected 1 to 10 coins, got 0"),
    ({"kind": "coins", "dimes": 6, "pennies": 6}, "got 12"),
    ({"kind": "writing", "lines": ["a\x00b"]}, "that can be printed"),
    ({"kind": "map", "title": "a", "signs": [], "spots": []}, "signs: expected a list of at least 1"),
    (
        {
            "kind": "map",
            "title": "a",
            "signs": [{"means": "town", "shape": "dot"}],
            "spots": [{"sign": "tow", "at": ["A", 1]}],
        },
        "'tow' is not in the key: town",
    ),
    (
        {
            "kind": "map",
            "title": "a",
            "signs": [{"means": "town", "shape": "dot"}],
            "spots": [{"sign": "town", "at": ["G", 1]}],
        },
        "a letter from A to F",
    ),
    (
        {
            "kind": "map",
            "title": "a",
            "signs": [{"means": "road", "shape": "line"}],
            "spots": [{"sign": "road", "at": ["A", 1]}],
        },
        "a line has a `to`",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "said"), FAULTS, ids=range(len(FAULTS)))
def test_a_wrong_page_is_refused_with_what_would_be_right(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=r"^page: ") as refused:
        parse(Scenario, {"id": "a", "page": raw, **REST})
    assert said in str(refused.value)


REST = {
    "title": "a",
    "kind": "launch-a-task",
    "goal": "a",
    "lesson": "a",
    "children": ["mia"],
    "time": "a",
    "before": "a",
    "counts": ["a", "b"],
}


def test_every_kind_is_laid_on_the_table_somewhere() -> None:
    shown = {type(each.page) for each in LESSONS.values()}
    shown |= {type(each.shown) for each in CURRICULUM.scenarios.values()}
    assert set(KINDS) <= shown
    assert len(WITH_PAGE) >= 12


def test_no_page_is_cut_for_a_model() -> None:
    pages = (each.page for each in LESSONS.values()), (each.shown for each in CURRICULUM.scenarios.values())
    for page in (each for some in pages for each in some if each is not None):
        assert prompt.one_line(page.told) == " ".join(page.told.split())
        assert len(page.told) <= 1000, "what Slack takes to describe a picture"


def test_a_question_about_a_page_needs_one(tmp_path: Path) -> None:
    text = (DATA / "lessons" / "2.MD.C.7-clock.toml").read_text(encoding="utf-8")
    path = tmp_path / "2.MD.C.7-clock.toml"
    path.write_text(text.replace('[page]\nkind = "clock"\nhour = 3\nminute = 50\n', ""), encoding="utf-8")
    with pytest.raises(DataError, match=r"is on_page, and the lesson has no page"):
        read_lesson(path)


def asked(text: str, scene: Scene) -> str | None:
    found = hear(Said.of(text), scene, Context()).found
    return found.question.right if found else None


@pytest.mark.parametrize(
    ("lesson", "text", "right"),
    [
        ("2.MD.C.7-clock", "What time does it show?", "3:50"),
        ("2.MD.D.10-bar-graph", "How many more votes do lions have than pandas?", "5"),
        ("2.MD.D.9-line-plot", "How many snails are 4 centimeters long?", "3"),
        ("2.MD.A.1-ruler", "So how long is the feather?", "6 inches"),
        ("2.MD.A.4-longer-by", "Is the twig longer or the stem?", "the twig"),
        ("2.MD.B.6-number-line", "How many hops do you see on the page?", "4"),
        ("2.G.A.2-rows-and-columns", "How many squares are on this page?", "18"),
        ("2.G.A.3-halves", "Is shape B in halves?", "no"),
        ("2.OA.C.4-arrays", "How many dots are there on our page?", "12"),
        ("2.MD.C.8-coins", "How much money is on the page?", "53 cents"),
        ("D2.Geo.3-reading-symbols", "What does the black dot mean?", "a town"),
        ("RI.2.5-text-features", "What does pellets mean?", "small balls of fur and bones"),
    ],
)
def test_what_a_page_shows_can_be_asked(lesson: str, text: str, right: str) -> None:
    assert asked(text, Scene(CHILDREN["theo"], LESSONS[lesson], CURRICULUM)) == right


def test_a_question_about_a_page_means_nothing_where_another_one_lies() -> None:
    text = "What time does the clock on the page show?"
    scenario = CURRICULUM.scenarios["ten-to-what"]
    scene = beginning.scene(scenario, CHILDREN[scenario.child], CURRICULUM)
    assert asked(text, scene) != "3:50"
    assert asked(text, Scene(CHILDREN["mia"], LESSONS["2.NBT.B.5-subtract"], CURRICULUM)) != "3:50"
    other = replace(CLOCK, page=Clock(8, 5))
    assert asked(text, Scene(CHILDREN["mia"], other, CURRICULUM)) != "3:50"


def test_a_model_sees_the_page_in_one_line_and_nothing_else_changes() -> None:
    for render in (prompt.render, capable.render):
        bare = render(Cue(CHILDREN["mia"], replace(CLOCK, page=None), (), "Hi!", THOUGHT))
        seen = render(Cue(CHILDREN["mia"], CLOCK, (), "Hi!", THOUGHT))
        changed = [(one, other) for one, other in zip(bare, seen, strict=True) if one != other]
        ((before, after),) = changed
        assert CLOCK.page is not None
        line = f"On the page: {CLOCK.page.told}"
        assert after.content.count(line) == 1
        assert "".join(after.content.replace(line, "").split()) == "".join(before.content.split())
        assert "On the page" not in "".join(each.content for each in bare)


def test_a_second_try_does_without_the_page() -> None:
    cue = Cue(CHILDREN["mia"], CLOCK, (), "Hi!", THOUGHT, again=True)
    assert "On the page" not in "".join(each.content for each in prompt.render(cue))


def test_a_scenario_lays_its_own_page_on_the_table_and_not_its_lessons() -> None:
    for scenario in CURRICULUM.scenarios.values():
        scene = beginning.scene(scenario, CHILDREN[scenario.child], CURRICULUM)
        assert scene.lesson.page == scenario.shown
        assert CURRICULUM.lessons[scenario.lesson].page is not scenario.shown
        if scenario.page is None:
            assert isinstance(scenario.shown, Writing)
            assert scenario.work is not None
            for line in scenario.work.splitlines():
                assert "".join(line.split()) in "".join(scenario.shown.told.split())


def test_any_work_becomes_a_sheet_that_is_bounded() -> None:
    sheet = Writing.of("a\x00b\n\n" + "word " * 500 + "\n" * 50 + "end")
    assert sheet.lines[0] == "a b"
    assert len(sheet.lines) <= 12
    assert all(0 < len(line) <= 120 for line in sheet.lines)


def test_every_key_is_explained() -> None:
    text = (DATA.parent / "docs" / "scenarios.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"`{kind.kind}`" in text
        for field in fields(kind):
            assert f"`{field.name}`" in text, (kind.kind, field.name)

"""The loaders of children and lessons: all that is shipped loads, and what is wrong is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.student.hearing.questions import index
from bot.student.lessons import read_curriculum, read_lesson, read_lessons
from bot.student.records.child import TEMPERAMENTS, Child, read_child, read_children
from bot.student.records.lesson import read_questions
from bot.student.records.reading import DataError, parse
from bot.student.said import content_words

DATA = Path(__file__).parents[2] / "data"
MIA = (DATA / "children" / "mia.toml").read_text(encoding="utf-8")
SUBTRACT = (DATA / "lessons" / "2.NBT.B.5-subtract.toml").read_text(encoding="utf-8")


def test_all_children_load() -> None:
    children = read_children(DATA / "children")
    assert len(children) >= 12
    assert list(children) == sorted(children)
    assert {child.voice for child in children.values()} == {"spoken", "typed"}
    lessons = read_lessons(DATA / "lessons")
    known = {misconception.id for lesson in lessons.values() for misconception in lesson.misconceptions}
    for name, child in children.items():
        assert child.id == name
        assert set(child.temperament) <= set(TEMPERAMENTS)
        assert set(child.misconceptions) <= known, name
        assert set(child.masters) <= {*lessons, *(lesson.subject for lesson in lessons.values())}, name
        assert child.misconceptions or child.masters, name


def test_all_lessons_load_and_share_no_misconception() -> None:
    lessons = read_lessons(DATA / "lessons")
    assert len(lessons) >= 70
    ids = [misconception.id for lesson in lessons.values() for misconception in lesson.misconceptions]
    assert len(ids) == len(set(ids))
    assert {lesson.subject for lesson in lessons.values()} >= {
        "mathematics",
        "science",
        "reading and language",
    }
    for lesson in lessons.values():
        assert lesson.asks or lesson.questions, lesson.id
    assert read_questions(DATA / "reference" / "commons.toml")


def test_a_curriculum_finds_a_lessons_own_question() -> None:
    curriculum = read_curriculum(DATA)
    found = 0
    asked = [(lesson, question) for lesson in curriculum.lessons.values() for question in lesson.questions]
    for lesson, question in asked:
        match = index(curriculum).find(content_words(question.ask), lesson)
        found += match is not None and match.question == question
    assert found >= 0.95 * len(asked)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('name = "Mia"', "", "name"),
        ('name = "Mia"', 'name = " "', "name"),
        ('name = "Mia"', 'name = "Mia"\nnickname = "M"', "nickname"),
        ("age = 7", "age = 12", "age.*one of 7, 8"),
        ("age = 7", "age = true", "age"),
        ('colour = "magenta"', 'colour = "beige"', "colour.*cyan"),
        ('voice = "spoken"', 'voice = "sung"', "voice.*typed"),
        ('["talkative", "silly"]', '["talkative", "evil"]', "temperament.*evil"),
        ("stubbornness = 0.6", "stubbornness = 6", "stubbornness.*0 to 1"),
        ("[says]", "[says]\nsings = ['la']", "sings"),
        ("greets = [", "greet = [", "unknown key 'greet'; did you mean 'greets'"),
        ('name = "Mia"', "name = ", "not valid TOML"),
    ],
)
def test_a_wrong_child_is_named_by_file_and_key(tmp_path: Path, old: str, new: str, named: str) -> None:
    path = tmp_path / "mia.toml"
    assert old in MIA
    path.write_text(MIA.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=named) as raised:
        read_child(path)
    assert "mia.toml" in str(raised.value)


@pytest.mark.parametrize(
    ("key", "line", "named"),
    [
        ("standard", 'standard = "CCSS 9.X"', "standard.*2.NBT.B.5"),
        ("subject", 'subject = "cooking"', "subject.*mathematics"),
        ("title", "title = 3", "title"),
        ("objective", "objectives = 'x'", "objective"),
        ("skills", "skills = ['only one']", "skills.*at least 2"),
        ("words", "words = ['a', 'a', 'b', 'c', 'd']", "words.*once"),
        ("kinds", "kinds = ['subtact']", "kinds.*did you mean 'subtract'"),
        ("kinds", "kinds = ['coins']", "kinds.*smaller-from-larger.*subtract"),
        ("bug", "bug = 'smaller-from-large'", "no bug.*did you mean 'smaller-from-larger'"),
        ("keys", "keys = ['58 23', '?']", "keys.*words or numbers of the question"),
        ("helps", "help = []", "misconception 1: unknown key 'help'; did you mean 'helps'"),
        ("helps", "guesses = ['one', 'two']", "misconception 1: unknown key 'guesses'"),
    ],
)
def test_a_wrong_lesson_is_named_by_file_and_key(tmp_path: Path, key: str, line: str, named: str) -> None:
    raw = re.sub(rf"^{key} = (?:\[[^\]]*\]|.*)$", lambda _: line, SUBTRACT, count=1, flags=re.M)
    assert raw != SUBTRACT
    path = tmp_path / "lesson.toml"
    path.write_text(raw, encoding="utf-8")
    with pytest.raises(DataError, match=named) as raised:
        read_lesson(path)
    assert "lesson.toml" in str(raised.value)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_child(tmp_path / "nobody.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(DataError, match=r"latin\.toml: line 1 is not UTF-8"):
        read_child(tmp_path / "latin.toml")
    assert read_children(tmp_path / "empty") == {}


VALUES = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(st.data())
def test_any_one_key_spoiled_gives_a_data_error_or_a_child(data: st.DataObject) -> None:
    raw = tomllib.loads(MIA)
    raw[data.draw(st.sampled_from(sorted(raw)))] = data.draw(VALUES)
    try:
        assert isinstance(parse(Child, {"id": "mia", **raw}, place="spoiled"), Child)
    except DataError as error:
        assert str(error).startswith("spoiled: ")

"""The standards of the grade: the table is read whole, and lessons and standards that miss each other are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.student.lessons import read_lessons
from bot.student.records.reading import DataError
from training.corpus.standards import Standards, file_code

DATA = Path(__file__).parents[3] / "data"
TABLE = """
[[domains]]
subject = "mathematics"
name = "Base ten"
standards = [
  { code = "CCSS 2.NBT.B.5", asks = "Add and take away within 100." },
  { code = "CCSS 2.NBT.B.6", asks = "Add up to four numbers." },
]

[[domains]]
subject = "reading and language"
name = "Language"
standards = [
  { code = "CCSS L.2.3a", asks = "Compare formal and informal English." },
  { code = "CCSS L.2.3b", asks = "Sing it.", practised = false, because = "a chat has no voice" },
]

[[other_grades]]
code = "NGSS 1-ESS1-1"
grade = 1
asks = "Watch the sky."
because = "children still wonder"
"""
SUBTRACT = (DATA / "lessons" / "2.NBT.B.5-subtract.toml").read_text(encoding="utf-8")


def folder(tmp_path: Path, table: str = TABLE, **lessons: str) -> Path:
    """A data folder with that table, and the shipped lesson on taking away under each name with that standard."""
    (tmp_path / "reference").mkdir()
    (tmp_path / "lessons").mkdir()
    (tmp_path / "reference" / "standards.toml").write_text(table, encoding="utf-8")
    for name, standard in lessons.items():
        text = SUBTRACT.replace('standard = "CCSS 2.NBT.B.5"', f'standard = "{standard}"')
        (tmp_path / "lessons" / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def faults(data: Path) -> list[str]:
    return list(Standards.read(data).faults(read_lessons(data / "lessons")))


def test_a_lesson_for_each_standard_that_can_be_practised_is_enough(tmp_path: Path) -> None:
    lessons = {"2.NBT.B.5-a": "CCSS 2.NBT.B.5", "2.NBT.B.6-b": "CCSS 2.NBT.B.6", "L.2.3-c": "CCSS L.2.3"}
    assert faults(folder(tmp_path, **lessons, **{"1-ESS1-1-d": "NGSS 1-ESS1-1"})) == []


def test_what_misses_is_named(tmp_path: Path) -> None:
    lessons = {
        "2.NBT.B.7-a": "CCSS 2.NBT.B.7",
        "sums": "CCSS 2.NBT.B.5",
        "L.2.3.b-c": "CCSS L.2.3b",
    }
    assert faults(folder(tmp_path, **lessons)) == [
        "lesson 2.NBT.B.7-a: standard: 'CCSS 2.NBT.B.7' is none of grade 2 in standards.toml, nor one of another grade there",
        "lesson L.2.3.b-c: standard: standards.toml says that no chat can practise 'CCSS L.2.3b'",
        "lesson sums: standard: expected a file whose name begins with '2.NBT.B.5-'",
        "coverage: no lesson practises CCSS 2.NBT.B.6: Add up to four numbers.",
        "coverage: no lesson practises CCSS L.2.3a: Compare formal and informal English.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (', because = "a chat has no voice"', "", "L.2.3b: expected 'because' where"),
        ("practised = false, ", "", "L.2.3b: expected 'because' where"),
        ("2.NBT.B.6", "2.NBT.B.5", "2.NBT.B.5: expected every code only once"),
        ("CCSS L.2.3a", "L.2.3a", "a code such as"),
        ('name = "Language"', 'titel = "Language"', "unknown key 'titel'"),
    ],
)
def test_a_wrong_table_is_named_by_file_and_place(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in TABLE
    table = TABLE.replace(old, new)
    with pytest.raises(DataError, match=named) as raised:
        Standards.read(folder(tmp_path, table))
    assert "standards.toml" in str(raised.value)


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("CCSS RF.2.3a", "RF.2.3.a"),
        ("CCSS 2.MD.D.10", "2.MD.D.10"),
        ("NGSS K-2-ETS1-3", "K-2-ETS1-3"),
        ("C3 D2.Eco.1.K-2", "D2.Eco.1"),
    ],
)
def test_a_file_is_named_by_its_standard(code: str, written: str) -> None:
    assert file_code(code) == written


def test_the_shipped_table_holds_the_grade() -> None:
    standards = Standards.read(DATA)
    count = dict.fromkeys(("mathematics", "reading and language", "science", "social studies"), 0)
    for domain in standards.domains:
        count[domain.subject] += len(domain.standards)
    assert count["mathematics"] == 26
    assert count["science"] == 14
    assert len({each.code for each in standards.all()}) == sum(count.values())


def test_the_shipped_lessons_cover_what_a_chat_can_practise() -> None:
    assert list(Standards.read(DATA).faults(read_lessons(DATA / "lessons"))) == []

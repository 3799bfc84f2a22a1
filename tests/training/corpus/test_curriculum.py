"""Lessons and facts as a teacher of teachers reads them: each kind of fault is found, the shipped ones have none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.student.lessons import read_lesson, read_lessons
from bot.student.records.child import read_children
from training.corpus.curriculum import fact_faults, lesson_faults, question_faults
from training.corpus.standards import Standards

DATA = Path(__file__).parents[3] / "data"
CHILDREN = read_children(DATA / "children")
STANDARDS = Standards.read(DATA)
REBUILD = (DATA / "lessons" / "2-PS1-3-rebuild.toml").read_text(encoding="utf-8")
SUBTRACT = (DATA / "lessons" / "2.NBT.B.5-subtract.toml").read_text(encoding="utf-8")


def found(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "lesson.toml"
    path.write_text(text, encoding="utf-8")
    return list(lesson_faults({"lesson": read_lesson(path)}, CHILDREN, STANDARDS))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("Sam had 43 stickers", "Mia had 43 stickers", "'Mia' is one of the children"),
        ("If you had 52 cents", "If your mom had 52 cents", "not every child has 'your mom'"),
        ('"I did each part by itself"', '"my dad did it like that"', "not every child has 'my dad'"),
        ("Sam had 43 stickers", "A mailman had 43 stickers", "'mailman' .* mail carrier"),
        ("Slow down and check", "Ask the lunch lady and check", "'lunch lady'"),
        ("What is 52 minus 17?", "What is 520 minus 170?", "largest number from 1 to 100 for CCSS 2.NBT.B.5"),
        ("How many tens are in 47?", "What is photosynthesis with tens in 47?", "later grades teach"),
    ],
)
def test_a_fault_of_a_lesson_is_found(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in SUBTRACT
    assert found(tmp_path, SUBTRACT) == []
    assert re.search(named, "\n".join(found(tmp_path, SUBTRACT.replace(old, new, 1))))


def test_an_idea_whose_questions_have_one_answer_is_found(tmp_path: Path) -> None:
    lines = ['right = "the same"' if line.startswith("right = ") else line for line in REBUILD.splitlines()]
    (message,) = found(tmp_path, "\n".join(lines))
    assert "all 4 questions on 'taller-is-more' have the right answer 'the same'" in message


def test_cents_written_as_dollars_are_found(tmp_path: Path) -> None:
    money = (DATA / "lessons" / "2.MD.C.8-write-money.toml").read_text(encoding="utf-8")
    assert found(tmp_path, money) == []
    dollars = money.replace("How do you write 35 cents?", "How do you write 35 cents with a dollar sign?")
    (message,) = found(tmp_path, dollars)
    assert "is answered $0.35; grade 2 writes cents with the cents sign" in message


@pytest.mark.parametrize(
    ("ask", "answer", "wrong"),
    [
        ("Is a spider an insect?", "no it isn't", False),
        ("Does a spider belong with the insects?", "no it isn't", True),
        ("A dog has fur. Do whales have fur?", "no they don't", False),
        ("A dog has fur. Can whales swim?", "yes they are", True),
        ("Are the parts halves?", "no they're not", False),
        ("Would it be done?", "yes it is done", False),
    ],
)
def test_an_answer_to_another_form_is_found(ask: str, answer: str, wrong: bool) -> None:
    assert bool(list(question_faults(ask, [answer]))) == wrong


def test_faults_of_facts_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    rows = [
        {"ask": ["Who puts out fires?"], "right": ["a firefighter"]},
        {"ask": ["Who puts out fires?"], "right": ["a fireman"]},
        {"ask": ["Is the sun a star?", "Does the sun count as a star?"], "right": ["yes", "yes it is"]},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    one, other = fact_faults(path)
    assert one.startswith("facts.jsonl:2: 'fireman'")
    assert other.startswith("facts.jsonl:3: 'yes it is' answers another form")


def test_the_shipped_lessons_and_facts_have_no_such_fault() -> None:
    assert list(lesson_faults(read_lessons(DATA / "lessons"), CHILDREN, STANDARDS)) == []
    assert list(fact_faults(DATA / "reference" / "facts.jsonl")) == []

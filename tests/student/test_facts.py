"""Facts and small questions that any second grader knows: the table, how it is found, and probes kept aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.student.knowing import facts, ordinary
from bot.student.knowing.everyday import REFERENCE, DataError
from bot.student.knowing.facts import Facts
from bot.student.voicing import voice
from tests.fakes.students import DATA
from tests.student.test_ordinary import SEEDS, scene, thought

TABLE = Facts.read(REFERENCE / "facts.jsonl")
PROBES = [json.loads(line) for line in (DATA / "hearing" / "everyday.jsonl").read_text("utf-8").splitlines()]


def test_every_fact_has_ways_to_ask_and_short_answers() -> None:
    asks = [ask.lower() for fact in TABLE.facts for ask in fact.ask]
    assert len(TABLE.facts) >= 1000
    assert len(set(asks)) == len(asks)
    for fact in TABLE.facts:
        assert len(fact.ask) >= 2
        assert 1 <= len(fact.right) <= 8
        assert all(0 < len(each.split()) <= 5 and each == each.lower() for each in fact.right), fact


def test_a_fact_is_found_by_its_own_questions() -> None:
    asked = [(fact, ask) for fact in TABLE.facts for ask in fact.ask]
    found = [facts.perhaps(ask) for _, ask in asked]
    heard = [fact for (fact, _), answers in zip(asked, found, strict=True) if answers]
    right = sum(
        bool(answers and set(answers) & set(fact.right))
        for (fact, _), answers in zip(asked, found, strict=True)
    )
    assert len(heard) >= 0.75 * len(asked)
    assert right >= 0.95 * len(heard)


@pytest.mark.parametrize(
    "text",
    [
        "Why did you take the 2 away from the 7?",
        "It's 23 cents.",
        "So you looked at where it ends.",
        "Who has more?",
        "",
        "?!",
    ],
)
def test_talk_about_the_work_is_no_fact(text: str) -> None:
    assert facts.perhaps(text) is None


def test_a_question_of_this_or_that_gets_one_of_them() -> None:
    ask = "if you have a toothache, do you see a {} or a pilot?"
    assert (facts.perhaps(ask.format("dentist")) or ("",))[0] == "a dentist"
    assert facts.perhaps(ask.format("farmer")) is None


@pytest.mark.parametrize("line", ["{", '{"ask": ["a"]}', '{"ask": 1, "right": ["a"]}', "[]"])
def test_a_broken_line_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"ask": ["What barks?"], "right": ["a dog"]}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2"):
        Facts.read(path)
    with pytest.raises(DataError, match="cannot be read"):
        Facts.read(tmp_path / "none.jsonl")


@pytest.mark.parametrize(("half", "least"), [("built", 0.70), ("aside", 0.57)])
def test_probes_of_teachers_who_saw_nothing_of_this(half: str, least: float) -> None:
    hits = []
    for number, row in enumerate(PROBES):
        for seed in SEEDS if row["half"] == half else ():
            at = scene(number + 3 * seed)
            said = voice.plain(thought(row["text"], at, 1000 * seed + number), at.child, seed=seed)
            hits.append(any(voice.states(said, each) for each in row["right"]))
    assert sum(hits) >= least * len(hits), f"{sum(hits)} of {len(hits)}"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Put these in order from smallest to biggest: 42, 17, 29", "17, 29, 42"),
        ("Order 5, 9 and 2 from the greatest to the least.", "9, 5, 2"),
        ("Which number is the largest: 12, 40 or 31?", "40"),
        ("True or false: 6 + 3 is the same as 3 + 6", "true"),
        ("Is this right? 5 + 5 = 11", "no"),
        ("What is half of 8?", "4"),
        ("Dev shares 10 crackers equally with his sister. How many does each of them get?", "5"),
        ("Tell me two numbers that are the same and add up to 14. What is the number?", "7"),
        ("A pizza is cut into 4 equal parts. What is each part called?", "a fourth"),
        ("Recess starts at 10:00 and lasts 30 minutes. When does recess end?", "10:30"),
        ("Class starts at 12:30 and takes an hour. What time is it over?", "1:30"),
        ("Would you rather have 2 dimes or 1 quarter if you want the most money?", "the quarter"),
        ("Noah's tower is 18 blocks tall. Ava's tower is 12 blocks tall. Whose tower is taller?", "Noah"),
        ("A puppy weighs 9 pounds and a kitten weighs 4 pounds. Which one is lighter?", "the kitten"),
        ("Finish the pattern please: red, blue, red, blue, red, ____", "blue"),
        ("Circle, square, square, circle, square, square, circle, square... what shape is next?", "square"),
        ("Put in ABC order: dog, cat, bear", "bear, cat, dog"),
        ("Which word comes first in ABC order: tree, apple, or moon?", "apple"),
        ("Change the c in can to an f. What word did you make?", "fan"),
        ("Add an s to top. What word is it?", "stop"),
        ("Take the s off of stop. What word is left?", "top"),
        ("What two little words make up cupcake?", "cup and cake"),
        ("Is this a telling sentence or an asking sentence? Where is my hat", "asking"),
        ("Put these two words together to make one big word: rain and bow.", "rainbow"),
        ('Make "do not" into a contraction please', "don't"),
        ("Right now I run, but yesterday I...", "ran"),
        ("Who was the first president of the United States?", "george washington"),
    ],
)
def test_small_questions(text: str, right: str) -> None:
    assert (ordinary.known(text) or ("",))[0] == right


@pytest.mark.parametrize(
    "text",
    [
        "Is 13 = 6 + 7 true?",
        "What is half of 7?",
        "Put 398 and 412 on the number line from 300 to 500. Which one is farther along?",
        "Take a flashlight and pretend it's midnight. What would you listen for?",
    ],
)
def test_what_lessons_practise_is_not_answered_here(text: str) -> None:
    assert ordinary.known(text) is None

"""Written facts: the table, how a fact is found, and probes kept aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.student.knowing.facts import Facts, perhaps
from bot.student.records.files import REFERENCE
from bot.student.records.reading import DataError
from bot.student.said import Said
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
    found = [perhaps(Said.of(ask)) for _, ask in asked]
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
    assert perhaps(Said.of(text)) is None


def test_a_question_of_this_or_that_gets_one_of_them() -> None:
    ask = "if you have a toothache, do you see a {} or a pilot?"
    assert (perhaps(Said.of(ask.format("dentist"))) or ("",))[0] == "a dentist"
    assert perhaps(Said.of(ask.format("farmer"))) is None


@pytest.mark.parametrize("line", ["{", '{"ask": ["a"]}', '{"ask": 1, "right": ["a"]}', "[]"])
def test_a_broken_line_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"ask": ["What barks?"], "right": ["a dog"]}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"facts\.jsonl:2: "):
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

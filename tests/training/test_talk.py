"""The measures of talk: their definitions on texts counted by hand, and who falls inside the bands."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from bot.student.records.reading import DataError
from training.evaluate.replays import read_replays
from training.evaluate.talk import MEASURES, Said, flesch_kincaid, mattr, measure, sentences, syllables, words


def value(name: str, *texts: str, teacher: str = "What is it?") -> float:
    found = {each.name: each for each in measure([Said(teacher, text) for text in texts])}
    return found[name].value


TEN = (
    "45",
    "it's 45",
    "no",
    "um, I don't know",
    "I like dogs",
    "cuz I counted",
    "is it 9?",
    "ok",
    "ok",
    "it's 7:30",
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("median words", 2),  # 1 2 1 4 3 3 3 1 1 2
        ("mean words", 2.1),
        ("90th percentile words", 4),
        ("% of at most 3 words", 90),
        ("% of at least 20 words", 0),
        ("% of at least 3 sentences", 0),
        ("% with a question mark", 10),
        ("% with um / uh / er", 10),
        ('% with "like"', 10),
        ("% with because / cuz", 10),
        ('% "I don\'t know"', 10),
        ("% bare yes / no / ok", 30),
        ("% with a concession", 0),
        ("% with an adult phrase", 0),
        ("% with markup or emoji", 0),
        ("% identical turns", 10),
        ("% with the commonest first word", 20),
        ("mean sentence length", 2.1),
    ],
)
def test_measures_counted_by_hand(name: str, expected: float) -> None:
    assert value(name, *TEN) == pytest.approx(expected)


def test_measures_of_single_turns() -> None:
    assert value("% of at least 20 words", "a " * 20, "a " * 19) == 50
    assert value("% of at least 3 sentences", "I did. It was. So yes.", "no. no") == 50
    assert value("% with a concession", "oh, that makes sense", "You're right!", "it's 4", "no") == 50
    assert value("% with an adult phrase", "I started by adding", "it's 4") == 50
    assert value(
        "% with markup or emoji", "**45**", "$x$", "- one", "1. two", "it's 4", "ok"
    ) == pytest.approx(400 / 6)
    assert value("% identical turns", "It's 45.", "its 45", "it's 45!", "no") == 25
    # cat, dog, sun: one each; water: two.
    assert value("syllables a word", "cat dog", "sun water 12") == pytest.approx(5 / 4)


def test_only_turns_after_how_and_why_count_there() -> None:
    turns = [Said("How do you know?", "I just know"), Said("What is 2 + 2?", "4"), Said("Why?", "cuz it is")]
    found = {each.name: each.value for each in measure(turns)}
    assert found["median words after how/why"] == 3


def test_words_sentences_and_syllables() -> None:
    assert words("It's 7:30, isn\u2019t it? 45!") == ["it's", "7:30", "isn't", "it", "45"]
    assert sentences("I did it. Then... no! 4.5 ok") == ["I did it.", "Then...", "no!", "4.5 ok"]
    assert [syllables(word) for word in ("cat", "water", "banana", "zzzz", "bloopidoo")] == [1, 2, 3, 1, 3]


def test_flesch_kincaid_by_the_formula() -> None:
    # Two sentences, six words, seven syllables (water has two); numbers are no words.
    assert flesch_kincaid(["the cat sat. water is wet 12"]) == pytest.approx(0.39 * 3 + 11.8 * 7 / 6 - 15.59)
    assert flesch_kincaid(["12"]) == 0.0


def test_the_grade_is_the_median_of_windows() -> None:
    easy, hard = "the cat sat. " * 34, "elementary considerations necessitate " * 34
    assert value("Flesch-Kincaid grade", easy, easy, hard) == pytest.approx(flesch_kincaid([easy]))


def test_the_moving_ratio_of_different_words() -> None:
    assert mattr(["a b a b"]) == 0.5
    assert mattr(["a b a b"], window=2) == 1.0
    assert mattr(["a a b b"], window=2) == pytest.approx(statistics.fmean([0.5, 1.0, 0.5]))


CHILD = [
    "45", "it's 45 cuz 5 take away 2 is 3", "no", "I counted", "my cat sat on it", "is it 9?", "ok", "um 12",
    "I put the blocks in a row and then I saw the big one was on the end and I had two left over so it's odd",
    "because you can't live if you don't have food", "it is like a ball", "yeah", "the water went in the sky",
    "I think it's a need", "do I write it?", "you have to share them", "my dad has a truck", "seven",
    "we did that with Ana", "the sun goes down", "it's not fair", "fish can swim", "he was sad", "wait, no",
    "I got a new tooth and my sister said it looks funny and then we had cake and she ate all of it in one go",
]  # fmt: skip
ADULT = [
    "Oh, I see! I started by subtracting seventeen from fifty-two, which is equal to thirty-five. That means the "
    "total number of remaining items is thirty-five. Thank you for explaining the regrouping procedure to me!",
    "You're right, I made a mistake in my calculation. I understand now that the amount in the ones column requires "
    "regrouping before we determine the difference. That makes sense, and I will be more careful with my process.",
    "Great question! In order to solve this equation, I carefully considered the place value of each digit. Sorry for "
    "the confusion earlier; the correct solution is obtained by decomposing one ten into ten additional ones.",
]


def test_a_child_is_inside_the_bands_and_an_adult_outside() -> None:
    child = measure(
        [Said("Why?" if place % 5 == 1 else "And?", text) for place, text in enumerate(CHILD * 4)]
    )
    adult = measure([Said("Why?", text) for text in ADULT * 30])
    repeated = {
        "% identical turns",
        "MATTR, window 50",
    }  # a few turns, said over and over, are no sample for these
    inside = {each.name for each in child if each.inside}
    outside = {each.name for each in adult if not each.inside}
    assert len(inside | repeated) >= 0.85 * len(MEASURES)
    assert len(outside) >= 0.6 * len(MEASURES)
    assert "Flesch-Kincaid grade" in outside
    for name in ("median words", "% of at most 3 words", "% with a concession", "mean sentence length"):
        assert name in inside
        assert name in outside


def test_nothing_said_is_measured_too() -> None:
    assert len(measure([])) == len(MEASURES)


def row(*turns: tuple[str, str]) -> str:
    voiced = {"teacher": {}, "student": {"voiced": "model"}}
    return json.dumps({"id": "a", "dialogue": [{"role": r, "content": c, **voiced[r]} for r, c in turns]})


def test_replays_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "replay.jsonl"
    path.write_text(
        row(("teacher", "Hi!"), ("student", "hi"))
        + "\n"
        + row(("teacher", "Why?"), ("student", "cuz"))
        + "\n",
        encoding="utf-8",
    )
    assert read_replays([path]) == ([Said("Hi!", "hi"), Said("Why?", "cuz")], {"model": 1.0})


@pytest.mark.parametrize("line", ["", "{}", "[1]", '{"dialogue": 3}', '{"dialogue": [{"role": "student"}]}'])
def test_a_line_that_is_no_replay_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "replay.jsonl"
    path.write_text(row(("teacher", "Hi!"), ("student", "hi")) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"replay\.jsonl:2: .*expected rows that python"):
        read_replays([path])
    with pytest.raises(DataError, match="cannot be read"):
        read_replays([tmp_path / "none"])

"""Who answers a teacher in a class: names, set phrases, and draws counted over many seeds."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bot.student.class_talk import SECOND_SHARE, Floor, draw, floor, joins, named, weight
from bot.student.records.child import TEMPERAMENTS
from bot.student.said import Said
from tests.fakes.students import shipped

CHILDREN, _ = shipped()
MIA, OWEN, YUSUF = (CHILDREN[each] for each in ("mia", "owen", "yusuf"))
SEATS = [MIA, OWEN, YUSUF]
NAMES = ["Mia", "Owen", "Yusuf"]
FRESH = (1, 1, 1)


def who(text: str, silent: tuple[int, ...] = FRESH, seed: int = 0) -> Floor:
    return floor(Said.of(text), SEATS, silent, random.Random(seed))


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Owen, what do you think?", "Owen"),
        ("OWEN what do you think", "Owen"),
        ("what do you think, owen?", "Owen"),
        ("Owen?", "Owen"),
        ("Ok Owen, your turn.", "Owen"),
        ("What about Owen?", "Owen"),
        ("Let's hear from Yusuf.", "Yusuf"),
        ("It's Owen's turn.", "Owen"),
        ("Over to Mia.", "Mia"),
        ("I see Yusuf's hand.", "Yusuf"),
        ("I'd like Owen to tell us.", "Owen"),
        ("Owen and Mia, what did you get?", "Owen Mia"),
        ("Mia, Owen, and Yusuf, what is 9 plus 6?", "Mia Owen Yusuf"),
        ("Do you agree with Owen, Mia?", "Mia"),
        ("Mia, Owen thinks it's 45. Do you agree?", "Mia"),
        ("Mia, do you agree with Owen?", "Mia"),
        ("Yusuf, can you say what Owen said in your own words?", "Yusuf"),
        ("Thanks, Owen. Mia, do you see it like that?", "Mia"),
        ("Good idea, Owen! Yusuf, tell us yours.", "Yusuf"),
        ("Owen, what do you think? And you, Mia?", "Owen Mia"),
        ("Thank you, Owen.", "Owen"),
        ("Owen says it's 45.", ""),
        ("Is Owen right?", ""),
        ("Who agrees with Mia?", ""),
        ("What does Yusuf mean?", ""),
        ("What do you all think of Owen's idea?", ""),
        ("Owen and Mia got 45.", ""),
        ("What is 52 minus 17?", ""),
        ("The owens are no family of ours.", ""),
    ],
)
def test_who_is_called(text: str, called: str) -> None:
    assert [NAMES[place] for place in named(text, NAMES)[0]] == called.split()


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Mia, do you agree with Owen?", "Owen"),
        ("Owen says it's 45. What do you think, Yusuf?", "Owen"),
        ("Owen and Mia got 45. Is that right?", "Owen Mia"),
        ("Is Yusuf right?", "Yusuf"),
        ("Mia, what is 5 plus 5?", ""),
    ],
)
def test_who_is_talked_about(text: str, about: str) -> None:
    assert [NAMES[place] for place in named(text, NAMES)[1]] == about.split()


def test_named_children_answer_and_no_more_than_two() -> None:
    assert who("Owen and Mia, what did you get?") == Floor((1, 0))
    assert who("Mia, Owen, Yusuf: what did you get?").speakers == (0, 1)
    assert not who("Owen?").free


@pytest.mark.parametrize("text", ["What is 52 minus 17?", "Everybody, look here.", "Who knows it?"])
def test_one_that_nobody_named_is_drawn(text: str) -> None:
    drawn = {who(text, seed=seed).speakers for seed in range(60)}
    assert drawn == {(0,), (1,), (2,)}
    assert who(text, seed=3) == who(text, seed=3)
    assert who(text).free


def test_a_question_about_what_was_said_goes_to_who_said_it() -> None:
    for text in ("How did you get that?", "Why?", "Tell me more."):
        assert {who(text, (3, 0, 1), seed).speakers for seed in range(20)} == {(1,)}
        assert len({who(text, FRESH, seed).speakers for seed in range(60)}) == 3
    assert {who("Who else can say more?", (3, 0, 1), seed).speakers for seed in range(60)} == {(0,), (2,)}


def test_who_is_talked_about_is_not_drawn() -> None:
    found = [who("Is Owen right?", (1, 0, 2), seed) for seed in range(60)]
    assert {each.speakers for each in found} == {(0,), (2,)}
    assert {each.told_of for each in found} == {(1,)}
    assert {who("Do you agree?", (1, 0, 2), seed).told_of for seed in range(20)} == {(1,)}
    assert who("Owen, do you agree?", (0, 3, 2)) == Floor((1,), (0,))


def test_a_child_that_sits_alone_always_answers() -> None:
    assert floor(Said.of("Owen, what is it?"), [MIA], (0,), random.Random(1)) == Floor((0,))


def test_talkative_children_come_forward_more_and_shy_ones_less() -> None:
    seats = [CHILDREN["camila"], CHILDREN["eli"], CHILDREN["yusuf"]]
    drawn = Counter(draw(seats, FRESH, random.Random(seed)) for seed in range(3000))
    shares = [drawn[place] / 3000 for place in range(3)]
    assert shares[0] > shares[2] > shares[1], f"talkative, shy, careful: {shares}"
    assert shares[0] == pytest.approx(1.6 / 3.0, abs=0.03)
    assert shares[1] == pytest.approx(0.5 / 3.0, abs=0.03)
    assert all(weight(each, 1) > 0 for each in CHILDREN.values())
    assert set(TEMPERAMENTS) == {word for each in CHILDREN.values() for word in each.temperament}


def test_who_spoke_last_waits_and_who_was_left_out_comes_forward() -> None:
    for child in CHILDREN.values():
        weights = [weight(child, silent) for silent in range(9)]
        assert weights == sorted(weights)
        assert weights[8] > 4 * weights[1]
    eli = CHILDREN["eli"]
    seats = [CHILDREN["camila"], eli]
    left_out = Counter(draw(seats, (0, 12), random.Random(seed)) for seed in range(500))
    assert left_out[1] > 350, left_out


def test_in_a_long_talk_all_have_a_say() -> None:
    seats = [CHILDREN["mia"], CHILDREN["eli"], CHILDREN["owen"]]
    silent, spoke = [1, 1, 1], Counter[int]()
    for seed in range(600):
        (place,) = floor(Said.of("What is it?"), seats, silent, random.Random(seed)).speakers
        spoke[place] += 1
        silent = [0 if each == place else since + 1 for each, since in enumerate(silent)]
    shares = {seats[place].name: round(count / 600, 2) for place, count in spoke.items()}
    assert shares["Mia"] > shares["Owen"] > shares["Eli"] > 0.15, shares


def test_a_second_one_speaks_up_now_and_then() -> None:
    found = Counter(joins((0, 2), SEATS, (2, 0, 2), random.Random(seed)) for seed in range(2000))
    assert set(found) == {None, 0, 2}
    assert 1 - found[None] / 2000 == pytest.approx(SECOND_SHARE, abs=0.03)
    assert joins((), SEATS, FRESH, random.Random(1)) is None

"""Whether children are treated alike: a child who is told much more is found, a fair corpus is not accused."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bot.student.records.dialogue import Dialogue, MoveKind, Role, Stage, Thought, ThoughtKind, Turn
from training.corpus.evenness import FEWEST, MEASURES, Evenness, Figure

CHILDREN = ("ana", "bo", "cai", "dee")


def dialogue(child: str, lesson: str, tells: int, stage: Stage = Stage.SECURE) -> Dialogue:
    thought = Thought(ThoughtKind.ANSWER, answer="7", misconception="idea", stage=stage)
    turns = [Turn(Role.TEACHER, "It is 7.", MoveKind.TELLS) for _ in range(tells)]
    return Dialogue(
        f"{lesson}-{child}", (*turns, Turn(Role.STUDENT, "7", thought=thought)), child=child, lesson=lesson
    )


def figures(tells: Callable[[str, int], int], lessons: int = 40) -> dict[tuple[str, str], Figure]:
    evenness = Evenness()
    for lesson in range(lessons):
        for child in CHILDREN:
            evenness.add(dialogue(child, f"l{lesson}", tells(child, lesson)))
    return {(each.child, each.measure): each for each in evenness.figures()}


def test_a_child_who_is_told_more_is_beyond_chance_and_nobody_on_other_measures() -> None:
    found = figures(lambda child, lesson: 2 if child == "bo" else lesson % 2)
    assert found["bo", "told a dialogue"].mean == 2
    assert found["bo", "told a dialogue"].deviation > 0
    assert {key for key, each in found.items() if each.beyond and each.deviation > 0} == {
        ("bo", "told a dialogue")
    }
    assert len(found) == len(CHILDREN) * len(MEASURES)


def test_what_chance_deals_out_is_not_accused() -> None:
    rng = random.Random(3)
    assert not [each for each in figures(lambda *_: rng.choice((0, 0, 1, 2))).values() if each.beyond]


def test_hard_lessons_are_no_childs_doing() -> None:
    """All children are told much in some lessons: within each they are alike."""
    assert not [each for each in figures(lambda _, lesson: 5 * (lesson % 2)).values() if each.deviation]


def test_few_dialogues_are_shown_and_not_judged() -> None:
    found = figures(lambda child, _: 9 if child == "bo" else 0, lessons=FEWEST - 1)
    assert found["bo", "told a dialogue"].mean == 9
    assert not [each for each in found.values() if each.beyond]


def test_the_last_stage_counts_and_dialogues_without_names_or_a_wrong_idea_do_not() -> None:
    evenness = Evenness()
    evenness.add(dialogue("ana", "one", 0, Stage.HOLDS))
    evenness.add(Dialogue("x", dialogue("ana", "one", 1).turns))
    right = Thought(ThoughtKind.ANSWER, answer="7")
    evenness.add(Dialogue("y", (Turn(Role.STUDENT, "7", thought=right),), child="dee", lesson="one"))
    found = {each.measure: each.mean for each in evenness.figures()}
    assert (found["ends holding"], found["reaches secure"]) == (1, 0)
    assert {each["child"] for each in evenness.to_json()} == {"ana"}


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_takes_an_empty_talk(measure: str) -> None:
    assert MEASURES[measure](Dialogue("x", (Turn(Role.TEACHER, "Hi."),))) in (0, False)

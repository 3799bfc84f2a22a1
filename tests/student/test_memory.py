"""What a child said of itself is kept and comes back, in the conversation and the days after."""

from __future__ import annotations

from dataclasses import replace

from bot.student.believing.memory import MOST, Told, keep, recall
from bot.student.believing.state import MindState
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Role, Turn
from bot.student.said import Said, telling
from bot.student.student import Turned, spoken, turn
from bot.student.voicing.prompt import render
from tests.fakes.students import shipped

CHILDREN, CURRICULUM = shipped()
SCENE = Scene(CHILDREN["mia"], CURRICULUM.lessons["2.NBT.B.5-subtract"], CURRICULUM)
WEEKEND = Said.of("What did you do on the weekend?")


def open_turn(state: MindState, said: Said) -> Turned:
    """A turn that is left open, by whichever seed does."""
    return next(found for seed in range(50) if (found := turn(SCENE, state, said, seed)).thought.open)


def test_what_it_said_of_itself_comes_to_mind_later_and_the_next_day() -> None:
    state = spoken(open_turn(MindState(), WEEKEND), WEEKEND, "We went to the lake and I caught a frog.")
    for later in (state, MindState.from_json(state.to_json()), state.next_day()):
        found = open_turn(later, Said.of("Tell me about your frog again."))
        assert found.recalled == Told(WEEKEND.text, "We went to the lake and I caught a frog.")
        assert [each.content for each in found.recalls(())] == [
            WEEKEND.text,
            "We went to the lake and I caught a frog.",
        ]
        assert open_turn(later, Said.of("Please line up at the door now.")).recalled is None


def test_what_is_still_in_sight_is_not_told_twice() -> None:
    state = spoken(open_turn(MindState(), WEEKEND), WEEKEND, "I caught a frog.")
    found = open_turn(state, Said.of("Was the frog big?"))
    said = (Turn(Role.TEACHER, WEEKEND.text), Turn(Role.STUDENT, "I caught a frog."))
    assert found.recalled is not None
    assert found.recalls(said) == ()


def test_what_is_recalled_stands_after_what_was_read_before() -> None:
    thought = open_turn(MindState(), WEEKEND).thought
    said = (Turn(Role.TEACHER, "Hi!", None), Turn(Role.STUDENT, "hi", thought=thought))
    cue = Cue(SCENE.child, SCENE.lesson, said, "Was the frog big?", thought)
    told = (Turn(Role.TEACHER, WEEKEND.text), Turn(Role.STUDENT, "I caught a frog."))
    plain, recalled = render(cue), render(replace(cue, recalled=told))
    assert recalled[: len(plain) - 1] == plain[:-1]
    assert [each.content for each in recalled[len(plain) - 1 : -1]] == [
        f"Teacher: {WEEKEND.text}",
        "I caught a frog.",
    ]


def test_only_what_is_its_own_is_kept_and_the_oldest_goes_first() -> None:
    assert keep((), "What is 2 plus 2?", "4") == ()
    assert keep((), "Why?", "because I said so") == keep((), "Why?", "because I said so")
    kept: tuple[Told, ...] = ()
    for number in range(MOST + 3):
        kept = keep(kept, "And then?", f"I found {number} shells at the beach")
    assert len(kept) == MOST
    assert kept[0].words == "I found 3 shells at the beach"


def test_nothing_comes_to_mind_of_plain_words() -> None:
    kept = keep((), "What did you do?", "I made a boat from bark")
    assert recall(kept, telling("What did you do that for?")) is None
    assert recall(kept, telling("Is the boat done?")) is not None

"""Dialogues to train on: the prompts are the bot's own, and each of the child's turns is learnt once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.student.lessons import read_lessons
from bot.student.records.child import read_children
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue, Role, Thought, ThoughtKind, Turn
from bot.student.voicing.prompt import OPENING, render
from training.methods.rendering import conversations, cues, opened, parts

DATA = Path(__file__).parents[3] / "data"
CHILDREN = read_children(DATA / "children")
LESSONS = read_lessons(DATA / "lessons")
MIA = {"child": "mia", "lesson": "2.NBT.B.5-subtract"}


def dialogue(exchanges: int, identifier: str = "long") -> Dialogue:
    turns: list[Turn] = []
    for number in range(exchanges):
        turns.append(Turn(Role.TEACHER, f"What is {number} plus 1?"))
        thought = Thought(ThoughtKind.ANSWER, answer=str(number + 1), words=1)
        turns.append(Turn(Role.STUDENT, f"{number + 1}.", thought=thought))
    return Dialogue(identifier, tuple(turns), MIA["child"], MIA["lesson"])


@pytest.mark.parametrize("exchanges", [1, 4, 8, 9, 12, 17])
def test_every_turn_is_learnt_once_behind_the_prompt_that_the_bot_sends(exchanges: int) -> None:
    long = dialogue(exchanges)
    shown = tuple(map(opened, long.turns))
    learnt = [
        (found.messages[:place], found.messages[place].content)
        for found in conversations([long], CHILDREN, LESSONS, again=False)
        for place in found.trained
    ]
    live = []
    for place in range(1, len(long.turns), 2):
        thought = shown[place].thought
        assert thought is not None
        cue = Cue(
            CHILDREN["mia"],
            LESSONS[MIA["lesson"]],
            shown[: place - 1],
            long.turns[place - 1].content,
            thought,
        )
        live.append((tuple(render(cue)), long.turns[place].content))
    assert learnt == live


def test_some_notes_are_left_out_and_always_the_same_ones() -> None:
    turns = dialogue(200).turns[1::2]
    left_open = [turn.thought is not None and opened(turn).thought != turn.thought for turn in turns]
    assert 0.15 <= sum(left_open) / len(turns) <= 0.35
    assert left_open == [opened(turn) != turn for turn in turns]
    free = next(opened(turn).thought for turn, is_open in zip(turns, left_open, strict=True) if is_open)
    assert free is not None
    assert free.open
    assert free.words == 1


def test_words_that_the_bot_would_not_let_stand_are_not_learnt() -> None:
    free = Thought(ThoughtKind.ANSWER, words=6)
    turns = (
        Turn(Role.TEACHER, "Who reads with you at home?"),
        Turn(Role.STUDENT, "My little sister reads with me.", thought=free),
        Turn(Role.TEACHER, "And who else?"),
        Turn(Role.STUDENT, "My big brother Leo.", thought=free),
    )
    said = [words for _, words in cues(Dialogue("d", turns, MIA["child"], MIA["lesson"]), CHILDREN, LESSONS)]
    assert said == ["My big brother Leo."], "Mia has no sister"


def test_turns_share_a_conversation_until_the_bot_forgets() -> None:
    counts = [len(found.trained) for found in conversations([dialogue(17)], CHILDREN, LESSONS, again=False)]
    assert counts == [8, 4, 4, 1]


def test_the_examples_of_the_opening_are_not_learnt() -> None:
    for found in conversations([dialogue(3)], CHILDREN, LESSONS):
        assert found.messages[: len(OPENING)] == OPENING
        assert min(found.trained) > len(OPENING)


def test_a_second_try_is_rendered_as_the_bot_asks_it() -> None:
    once, again = conversations([dialogue(5)], CHILDREN, LESSONS)
    said = {
        tuple(render(replace(cue, again=True))): words for cue, words in cues(dialogue(5), CHILDREN, LESSONS)
    }
    assert said[again.messages[:-1]] == again.messages[-1].content
    assert again.trained == (len(again.messages) - 1,)
    assert len(once.messages) > len(again.messages)


@pytest.mark.parametrize(
    "change",
    [{"child": "nobody"}, {"child": None}, {"lesson": "none"}],
    ids=["unknown child", "no child", "unknown lesson"],
)
def test_what_cannot_be_rendered_is_left_out(change: dict[str, str | None]) -> None:
    assert not list(conversations([replace(dialogue(3), **change)], CHILDREN, LESSONS))  # type: ignore[arg-type]


def test_a_turn_without_a_thought_is_shown_but_not_learnt() -> None:
    long = dialogue(3)
    bare = replace(long, turns=(*long.turns[:3], replace(long.turns[3], thought=None), *long.turns[4:]))
    (found,) = conversations([bare], CHILDREN, LESSONS, again=False)
    assert [found.messages[place].content for place in found.trained] == ["1.", "3."]
    assert "2." in [message.content for message in found.messages]


def test_a_dialogue_stays_on_its_side_when_others_come() -> None:
    some = [dialogue(1, f"d{number}") for number in range(300)]
    train, validation = parts(some)
    assert {each.id for each in train} | {each.id for each in validation} == {each.id for each in some}
    assert 0.04 < len(validation) / len(some) < 0.13
    more_train, more_validation = parts([*some, *(dialogue(1, f"e{number}") for number in range(300))])
    assert {each.id for each in train} <= {each.id for each in more_train}
    assert {each.id for each in validation} <= {each.id for each in more_validation}


def test_a_group_stays_on_one_side() -> None:
    some = [dialogue(1, f"d{number}") for number in range(300)]
    groups = {each.id: f"teacher {number % 30}" for number, each in enumerate(some)}
    train, validation = parts(some, groups=groups)
    assert train
    assert validation
    assert {groups[each.id] for each in train}.isdisjoint(groups[each.id] for each in validation)
    one = dict.fromkeys(groups, "the only teacher")
    assert parts(some, groups=one)[0] == [], "which is said where it is asked for"


def test_few_dialogues_still_have_one_to_validate() -> None:
    train, validation = parts([dialogue(1, name) for name in "abc"])
    assert (len(train), len(validation)) == (2, 1)

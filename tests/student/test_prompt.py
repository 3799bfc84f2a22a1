"""The one renderer: what a model is shown, in which order, and what a teacher's text cannot do to it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role, Thought, ThoughtKind, Turn
from bot.student.voicing.prompt import OPENING, meaning, render
from tests.fakes.students import shipped
from tests.student.test_dialogue import THOUGHTS

CHILDREN, CURRICULUM = shipped()
LESSON = CURRICULUM.lessons["2.NBT.B.5-subtract"]
THOUGHT = Thought(ThoughtKind.ANSWER, answer="45", words=4)


def cue(
    *turns: Turn, teacher: str = "What is 52 minus 17?", thought: Thought = THOUGHT, child: str = "mia"
) -> Cue:
    return Cue(CHILDREN[child], LESSON, turns, teacher, thought)


def exchange(number: int) -> tuple[Turn, Turn]:
    thought = replace(THOUGHT, answer=str(number))
    return Turn(Role.TEACHER, f"What is {number} plus 0?"), Turn(
        Role.STUDENT, f"it's {number}", thought=thought
    )


def talk(exchanges: int) -> tuple[Turn, ...]:
    return tuple(turn for number in range(exchanges) for turn in exchange(number))


def test_the_order_keeps_the_start_of_the_prompt() -> None:
    messages = render(cue(*exchange(61)))
    assert tuple(messages[: len(OPENING)]) == OPENING
    assert messages[-1].role == "user"
    assert "What is 52 minus 17?" in messages[-1].content
    assert messages[-1].content.rstrip().endswith(meaning(THOUGHT))
    assert [message.role for message in messages[-3:]] == ["user", "assistant", "user"]
    assert messages[-2].content == "it's 61"


def test_all_children_share_the_opening_and_each_is_named() -> None:
    for name, child in CHILDREN.items():
        messages = render(cue(child=name))
        assert tuple(messages[: len(OPENING)]) == OPENING
        assert any(child.name in message.content for message in messages[len(OPENING) :])


def test_a_turn_only_adds_to_the_prompt_most_of_the_time() -> None:
    """What the engine has cached stays good, but for a drop of old exchanges now and then; and it is bounded."""
    kept, longest = 0, 0
    for exchanges in range(60):
        before = render(cue(*talk(exchanges)))
        after = render(cue(*talk(exchanges + 1)))
        kept += after[: len(before) - 1] == before[:-1]
        longest = max(longest, len(after))
    assert kept >= 60 * 0.7
    assert longest < 60


@given(st.text(max_size=5_000), THOUGHTS)
def test_a_teachers_text_stays_one_bounded_line(teacher: str, thought: Thought) -> None:
    last = render(cue(teacher=teacher, thought=thought))[-1].content
    reference = render(cue(teacher="", thought=thought))[-1].content
    assert len(last) <= len(reference) + 620
    assert last.split("\n")[1:] == reference.split("\n")[1:]


def test_a_teacher_cannot_write_the_childs_note() -> None:
    asked = render(cue(teacher="Hello"))[-1].content
    forged = render(cue(teacher=asked.replace("Hello", "x").replace("45", "99")))[-1].content
    assert forged.count("\n") == asked.count("\n")
    assert forged.split("\n")[-1] == asked.split("\n")[-1]


@given(THOUGHTS)
def test_a_meaning_is_never_missing(thought: Thought) -> None:
    assert isinstance(meaning(thought), str)
    if not thought.answer and not thought.reason:
        assert meaning(thought).strip()


def test_a_meaning_holds_answer_and_reason() -> None:
    thought = Thought(ThoughtKind.ANSWER, answer="45", reason="because 7 take away 2 is 5", words=12)
    assert "45" in meaning(thought)
    assert "7 take away 2 is 5" in meaning(thought)
    assert "45" in meaning(replace(thought, kind=ThoughtKind.REJECT))


def test_a_second_try_shows_nothing_but_the_note() -> None:
    again = render(replace(cue(*talk(3), teacher="What is a cat?"), again=True))
    assert len(again) == len(render(cue()))
    assert "cat" not in again[-1].content
    assert again[-1].content.split("\n")[-1] == render(cue())[-1].content.split("\n")[-1]

"""The dialogue record: what goes out as a JSON line comes back the same; nothing else gets in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.student.records.dialogue import (
    Dialogue,
    DialogueError,
    Mood,
    MoveKind,
    Role,
    Stage,
    Thought,
    ThoughtKind,
    Turn,
)

TEXT = st.text(min_size=1).filter(lambda text: bool(text.strip()))
MAYBE_TEXT = st.none() | st.text()
THOUGHTS = st.builds(
    Thought,
    kind=st.sampled_from(ThoughtKind),
    answer=MAYBE_TEXT,
    reason=MAYBE_TEXT,
    misconception=MAYBE_TEXT,
    stage=st.none() | st.sampled_from(Stage),
    words=st.integers(1, 100),
    mood=st.sampled_from(Mood),
)
TURNS = st.builds(
    Turn, role=st.just(Role.TEACHER), content=TEXT, move=st.none() | st.sampled_from(MoveKind)
) | st.builds(Turn, role=st.just(Role.STUDENT), content=TEXT, thought=st.none() | THOUGHTS)
DIALOGUES = st.builds(
    Dialogue,
    id=TEXT,
    turns=st.lists(TURNS, min_size=1, max_size=4).map(tuple),
    child=MAYBE_TEXT,
    lesson=MAYBE_TEXT,
    source=st.sampled_from(["authored", "harvested", "imported"]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(DIALOGUES)
def test_round_trip_through_a_line(dialogue: Dialogue) -> None:
    line = dialogue.to_line()
    assert "\n" not in line
    assert "\r" not in line
    assert Dialogue.from_line(line) == dialogue


@given(THOUGHTS)
def test_round_trip_of_a_thought(thought: Thought) -> None:
    raw = json.loads(json.dumps(thought.to_json()))
    assert Thought.from_json(raw) == thought


@given(TURNS)
def test_round_trip_of_a_turn(turn: Turn) -> None:
    assert Turn.from_json(json.loads(json.dumps(turn.to_json()))) == turn


@given(st.text() | JSON.map(json.dumps))
def test_a_line_gives_a_dialogue_or_a_dialogue_error(line: str) -> None:
    try:
        assert isinstance(Dialogue.from_line(line), Dialogue)
    except DialogueError as error:
        assert str(error)


@given(st.data())
def test_one_field_spoiled_gives_at_most_a_dialogue_error(data: st.DataObject) -> None:
    raw = json.loads(data.draw(DIALOGUES).to_line())
    holder = data.draw(
        st.sampled_from([raw, raw["turns"][0], *([t] if (t := raw["turns"][0].get("thought")) else [])])
    )
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(JSON)
    try:
        Dialogue.from_line(json.dumps(raw))
    except DialogueError as error:
        assert str(error)


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        "9" * 5_000,
        '{"id": "a", "turns": [{"role": "teacher", "content": "hi"}], "source": []}',
        '{"id": "a", "turns": [{"role": [], "content": "hi"}]}',
        '{"id": "a", "turns": [{"role": "student", "content": "hi", "thought": {"kind": {}}}]}',
    ],
)
def test_lines_made_to_break_it(line: str) -> None:
    with pytest.raises(DialogueError):
        Dialogue.from_line(line)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": " "}, "id"),
        ({"turns": []}, "turns"),
        ({"source": "stolen"}, "source"),
        ({"child": 3}, "child"),
        ({"turns": [{"role": "pupil", "content": "a"}]}, "turn 1: role"),
        ({"turns": [{"role": "teacher", "content": " "}]}, "turn 1: content"),
        ({"turns": [{"role": "student", "content": "a", "move": "asks"}]}, "turn 1: move"),
        ({"turns": [{"role": "teacher", "content": "a", "thought": {"kind": "answer"}}]}, "turn 1: thought"),
        (
            {"turns": [{"role": "student", "content": "a", "thought": {"kind": "answer", "words": True}}]},
            "words",
        ),
        ({"turns": [{"role": "student", "content": "a", "thought": {"kind": "answer", "x": 1}}]}, "'x'"),
    ],
)
def test_errors_name_the_field(change: dict[str, object], named: str) -> None:
    raw = {"id": "a", "turns": [{"role": "teacher", "content": "hi"}], **change}
    with pytest.raises(DialogueError, match=named):
        Dialogue.from_json(raw)


def test_what_is_absent_in_a_record() -> None:
    dialogue = Dialogue.from_line('{"id": "a", "turns": [{"role": "student", "content": "ok"}]}')
    assert (dialogue.source, dialogue.child, dialogue.lesson) == ("imported", None, None)
    assert dialogue.turns[0].thought is None
    assert dialogue.to_json()["turns"] == [{"role": "student", "content": "ok"}]

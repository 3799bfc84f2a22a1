"""Every form out and in again: what it can hold comes back, what it cannot is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.student.records.cue import Cue
from bot.student.records.dialogue import (
    Dialogue,
    DialogueError,
    MoveKind,
    Role,
    Stage,
    Thought,
    ThoughtKind,
    Turn,
)
from bot.student.voicing.prompt import render
from training.corpus import formats
from training.corpus.command import data as commands
from training.corpus.consistency import Rules
from training.corpus.examples import examples

PLAIN = ("dspy", "openai", "lora", "prompt-completion", "question-answer")
PAIRS = ("lora", "prompt-completion", "question-answer")

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    str.strip
)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,20}", fullmatch=True)
thoughts = st.builds(
    Thought,
    st.sampled_from(ThoughtKind),
    st.none() | texts,
    st.none() | texts,
    st.none() | names,
    st.none() | st.sampled_from(Stage),
    st.integers(1, 60),
)
teachers = st.builds(Turn, st.just(Role.TEACHER), texts, move=st.none() | st.sampled_from(MoveKind))
students = st.builds(Turn, st.just(Role.STUDENT), texts, thought=st.none() | thoughts)
exchanges = st.lists(st.tuples(teachers, students), min_size=1, max_size=5)
in_turn = exchanges.map(lambda pairs: tuple(turn for pair in pairs for turn in pair))
any_order = st.lists(teachers | students, min_size=1, max_size=8).map(tuple)


def dialogues(turns: st.SearchStrategy[tuple[Turn, ...]]) -> st.SearchStrategy[Dialogue]:
    return st.builds(Dialogue, names, turns, st.none() | names, st.none() | names, st.just("authored"))


def back(dialogue: Dialogue, form: str) -> list[Dialogue]:
    """Out, through JSON, and in again."""
    rows = [json.loads(json.dumps(row, ensure_ascii=False)) for row in formats.write(dialogue, form)]
    return [formats.read(row) for row in rows]


def said(turns: tuple[Turn, ...]) -> list[tuple[Role, str]]:
    return [(turn.role, turn.content) for turn in turns]


@given(dialogues(any_order))
def test_a_record_comes_back_whole(dialogue: Dialogue) -> None:
    assert back(dialogue, "record") == [dialogue]


@given(dialogues(any_order))
def test_dspy_rows_hold_every_turn(dialogue: Dialogue) -> None:
    (found,) = back(dialogue, "dspy")
    assert said(found.turns) == said(dialogue.turns)
    assert not formats.lost(dialogue, [found]) & {
        "turns that have no partner",
        "which exchanges belong together",
    }


@given(dialogues(any_order))
def test_openai_rows_hold_every_turn_child_and_lesson(dialogue: Dialogue) -> None:
    (found,) = back(dialogue, "openai")
    assert said(found.turns) == said(dialogue.turns)
    assert (found.child, found.lesson) == (dialogue.child, dialogue.lesson)
    assert not formats.lost(dialogue, [found]) & {"child", "lesson", "turns that have no partner"}


@given(dialogues(in_turn), st.sampled_from(PAIRS))
def test_pairs_hold_every_exchange(dialogue: Dialogue, form: str) -> None:
    found = back(dialogue, form)
    assert [turn for each in found for turn in said(each.turns)] == said(dialogue.turns)
    assert ("which exchanges belong together" in formats.lost(dialogue, found)) is (len(dialogue.turns) > 2)


@given(dialogues(any_order), st.sampled_from(PLAIN))
def test_what_does_not_come_back_is_said(dialogue: Dialogue, form: str) -> None:
    found = back(dialogue, form)
    gone = formats.lost(dialogue, found)
    assert {"id", "source"} <= gone or not found
    assert ("moves" in gone) is any(turn.move for turn in dialogue.turns)
    assert ("thoughts" in gone) is any(turn.thought for turn in dialogue.turns)
    same = [turn for each in found for turn in said(each.turns)] == said(dialogue.turns)
    assert ("turns that have no partner" in gone) is not same


# Rows of other people.


def test_the_seeds_three_rows_are_read() -> None:
    dialogue = formats.read(
        {
            "dialogue": [
                {"role": "teacher", "content": "What is 7 and 5?"},
                {"role": "student", "content": "12?"},
                {"role": "teacher", "content": "How did you get it?"},
            ]
        }
    )
    assert said(dialogue.turns)[1:] == [(Role.STUDENT, "12?"), (Role.TEACHER, "How did you get it?")]
    chat = formats.read(
        {
            "messages": [
                {"role": "system", "content": "You are a student in second grade."},
                {"role": "user", "content": "What is rain?"},
                {"role": "assistant", "content": "water"},
            ]
        }
    )
    assert said(chat.turns) == [(Role.TEACHER, "What is rain?"), (Role.STUDENT, "water")]
    pair = formats.read({"instruction": "Say what rain is.", "input": "To Leo.", "output": "water"})
    assert said(pair.turns) == [(Role.TEACHER, "Say what rain is.\nTo Leo."), (Role.STUDENT, "water")]
    assert {chat.source, pair.source, dialogue.source} == {"imported"}


TEACHES = {
    "messages": [
        {"role": "system", "content": "You are a knowledgeable teacher who helps children."},
        {"role": "user", "content": "What is the water cycle?"},
        {"role": "assistant", "content": "Water goes up and comes down again."},
    ]
}


def test_a_teaching_assistant_is_refused_and_turned_round_when_asked() -> None:
    with pytest.raises(DialogueError, match=r"the assistant is the teacher here.*--assistant teacher"):
        formats.read(TEACHES)
    turned = formats.read(TEACHES, assistant=Role.TEACHER)
    assert said(turned.turns) == [
        (Role.STUDENT, "What is the water cycle?"),
        (Role.TEACHER, "Water goes up and comes down again."),
    ]
    pair = formats.read({"question": "What is rain?", "answer": "Water that falls."}, assistant=Role.TEACHER)
    assert said(pair.turns) == [(Role.STUDENT, "What is rain?"), (Role.TEACHER, "Water that falls.")]


@pytest.mark.parametrize(
    ("system", "who"),
    [
        ("You are a knowledgeable teacher...", Role.TEACHER),
        ("You are a patient tutor for children.", Role.TEACHER),
        ("You are a student teacher.", Role.TEACHER),
        ("You are a second grade student. The user is your teacher.", Role.STUDENT),
        ("Act as a curious kid.", Role.STUDENT),
        ("Play Mia, a second grader.", Role.STUDENT),
        ("You are a helpful assistant.", None),
    ],
)
def test_the_system_message_says_who_the_assistant_is(system: str, who: Role | None) -> None:
    assert formats.assistant_of(system) is who


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "hello"}, "expected one of the fields"),
        ({}, "got none"),
        ({"dialogue": []}, "dialogue: expected a list"),
        ({"dialogue": ["hello"]}, "dialogue 1: expected an object"),
        (
            {"dialogue": [{"role": "parent", "content": "hi"}]},
            "dialogue 1: role: expected one of teacher, student",
        ),
        ({"dialogue": [{"role": "teacher", "content": ""}]}, "dialogue 1: content"),
        ({"messages": [{"role": "tool", "content": "hi"}]}, "message 1: role"),
        ({"messages": [{"role": "user", "content": None}]}, "message 1: content"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "say --assistant student or teacher"),
        ({"messages": [{"role": "system", "content": "You are a kid."}]}, "at least one message"),
        ({"instruction": "hi", "output": 7}, "turn 2: content: expected text, got 7"),
        ({"question": "hi", "answer": " "}, "turn 2: content"),
    ],
)
def test_a_row_that_is_none_says_what_would_be_right(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DialogueError, match=message):
        formats.read(row)


# What a model is trained on.


def test_each_student_turn_is_rendered_as_the_live_bot_renders_it(
    rules: Rules, shipped: Callable[[str], dict[str, Any]]
) -> None:
    dialogue = Dialogue.from_json(shipped("2.NBT.B.5-subtract-mia"))
    child, lesson = rules.children["mia"], rules.curriculum.lessons["2.NBT.B.5-subtract"]
    made = list(examples(dialogue, rules.children, rules.curriculum.lessons))
    students = [number for number, turn in enumerate(dialogue.turns) if turn.role is Role.STUDENT]
    assert len(made) == len(students) >= 3
    for example, number in zip(made, students, strict=True):
        turn = dialogue.turns[number]
        assert turn.thought is not None
        cue = Cue(
            child, lesson, dialogue.turns[: number - 1], dialogue.turns[number - 1].content, turn.thought
        )
        assert list(example.messages) == render(cue)
        assert example.answer == turn.content
        row = formats.training_row(example, "openai")["messages"]
        assert [(each["role"], each["content"]) for each in row[:-1]] == [
            (each.role, each.content) for each in example.messages
        ]
        assert [each["weight"] for each in row if each["role"] == "assistant"][-2:] == [0, 1]


def test_turns_without_thought_child_or_teacher_are_not_trained(
    rules: Rules, shipped: Callable[[str], dict[str, Any]]
) -> None:
    dialogue = Dialogue.from_json(shipped("2.NBT.B.5-subtract-mia"))
    everything = rules.children, rules.curriculum.lessons
    whole = len(list(examples(dialogue, *everything)))
    bare = replace(dialogue.turns[1], thought=None)
    assert (
        len(
            list(
                examples(replace(dialogue, turns=(dialogue.turns[0], bare, *dialogue.turns[2:])), *everything)
            )
        )
        == whole - 1
    )
    assert len(list(examples(replace(dialogue, turns=dialogue.turns[1:]), *everything))) == whole - 1
    assert not list(examples(replace(dialogue, child=None), *everything))
    assert not list(examples(replace(dialogue, lesson="nowhere"), *everything))


@pytest.mark.parametrize("form", ["openai", "lora", "prompt-completion"])
def test_rows_rendered_for_training_are_not_taken_for_dialogues(
    form: str, rules: Rules, shipped: Callable[[str], dict[str, Any]]
) -> None:
    dialogue = Dialogue.from_json(shipped("2.NBT.B.5-subtract-mia"))
    example = next(examples(dialogue, rules.children, rules.curriculum.lessons))
    with pytest.raises(DialogueError, match="rendered for training"):
        formats.read(formats.training_row(example, form), assistant=Role.STUDENT)


# The commands and the shipped samples.


@pytest.mark.parametrize("form", PLAIN)
def test_the_shipped_sample_is_what_the_export_writes_and_the_import_reads(
    form: str, data: Path, tmp_path: Path
) -> None:
    sample = data / "formats" / f"{form}.jsonl"
    assert len(sample.read_text(encoding="utf-8").splitlines()) == 12
    done = CliRunner().invoke(
        commands, ["import", str(sample), "--out", str(tmp_path / "in.jsonl"), "--child", "mia"]
    )
    assert done.exit_code == 0, done.stderr
    assert "12 dialogues written" in done.stdout
    done = CliRunner().invoke(
        commands,
        ["export", str(tmp_path / "in.jsonl"), "--to", form, "--plain", "--out", str(tmp_path / "out.jsonl")],
    )
    assert done.exit_code == 0, done.stderr
    there = [json.loads(line) for line in sample.read_text(encoding="utf-8").splitlines()]
    here = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert here == there
    assert "not in this form: id (12 of 12 dialogues)" in done.stdout


def test_bad_rows_are_named_by_line_and_left_out(tmp_path: Path) -> None:
    rows = [{"instruction": "Hi!", "output": "hi"}, {"instruction": "Hi!"}, TEACHES]
    source = tmp_path / "old.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)) + "\n{\n", encoding="utf-8")
    done = CliRunner().invoke(commands, ["import", str(source), "--out", str(tmp_path / "new.jsonl")])
    assert done.exit_code == 1
    assert "1 dialogues written" in done.stdout
    assert "3 rows left out" in done.stdout
    for line, message in ((2, "expected one of the fields"), (3, "--assistant teacher"), (4, "not JSON")):
        assert any(
            each.startswith(f"{source}:{line}: ") and message in each for each in done.stderr.splitlines()
        )
    (written,) = (tmp_path / "new.jsonl").read_text(encoding="utf-8").splitlines()
    assert Dialogue.from_line(written).id == "old-000001"


def test_an_export_for_training_has_a_row_for_each_student_turn(data: Path, tmp_path: Path) -> None:
    source, out = data / "dialogues" / "social-studies.jsonl", tmp_path / "out.jsonl"
    done = CliRunner().invoke(commands, ["export", str(source), "--to", "openai", "--out", str(out)])
    assert done.exit_code == 0, done.stderr
    turns = sum(
        turn.role is Role.STUDENT
        for line in source.read_text(encoding="utf-8").splitlines()
        for turn in Dialogue.from_line(line).turns
    )
    assert len(out.read_text(encoding="utf-8").splitlines()) == turns


def test_a_failed_conversion_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious\n", encoding="utf-8")
    source = tmp_path / "bad.jsonl"
    source.write_text('{"id": 1}\n', encoding="utf-8")
    done = CliRunner().invoke(commands, ["export", str(source), "--to", "dspy", "--out", str(out)])
    assert done.exit_code == 2
    assert f"{source}:1" in done.stderr
    assert out.read_text(encoding="utf-8") == "precious\n"
    assert [path.name for path in tmp_path.iterdir()].count(".out.jsonl.part") == 0


def test_unknown_words_on_the_command_line_say_what_would_be_right(tmp_path: Path) -> None:
    for arguments, message in (
        (["export", "--to", "xml", "--out", "x"], "expected one of dspy, openai"),
        (["import", "x", "--out", "y", "--assistant", "robot"], "expected student or teacher"),
        (["import", "x", "--out", "y", "--child", "bob"], "expected the name of a file in data/children"),
    ):
        done = CliRunner().invoke(commands, arguments)
        assert done.exit_code == 2
        assert message in " ".join(done.stderr.replace("│", " ").split()), done.stderr

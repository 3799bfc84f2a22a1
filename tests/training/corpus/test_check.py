"""The check finds each fault where it is, and nothing in what is right."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.models.prices import Price
from bot.student.records.dialogue import MoveKind, Stage
from training.corpus import check as checking
from training.corpus.check import Report, check
from training.corpus.command import data as commands
from training.corpus.consistency import Rules
from training.corpus.coverage import ELSEWHERE

Row = dict[str, Any]
Shipped = Callable[[str], Row]
IDS = ("2.NBT.B.5-subtract-mia", "2.NBT.B.5-subtract-ruby", "2.NBT.B.5-subtract-zoe")


def write(path: Path, rows: list[Row | bytes]) -> Path:
    lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def found(report: Report) -> list[str]:
    return [str(fault) for fault in report.faults]


# One dialogue by itself. Turns of the shipped row: 0 teacher asks 43 - 15, 1 student "I think it's 32." (holds),
# 2 teacher asks why, 3 "5 take away 3 is 2.", … 11 "28." (secure), 13 "I did it slow."


def turn(number: int, **changes: Any) -> Callable[[Row], None]:
    def plant(row: Row) -> None:
        row["turns"][number].update(changes)

    return plant


def thought(number: int, **changes: Any) -> Callable[[Row], None]:
    def plant(row: Row) -> None:
        row["turns"][number]["thought"].update(changes)

    return plant


def without(number: int, field: str) -> Callable[[Row], None]:
    def plant(row: Row) -> None:
        del row["turns"][number][field]

    return plant


def field(**changes: Any) -> Callable[[Row], None]:
    def plant(row: Row) -> None:
        row.update(changes)

    return plant


def says(number: int, content: str, words: int, **changes: Any) -> Callable[[Row], None]:
    def plant(row: Row) -> None:
        row["turns"][number]["content"] = content
        row["turns"][number]["thought"].update({"words": words, **changes})

    return plant


def teacher_first(row: Row) -> None:
    del row["turns"][0]


def twice_the_same_speaker(row: Row) -> None:
    del row["turns"][1]


def teacher_last(row: Row) -> None:
    del row["turns"][-1]


def said_before(row: Row) -> None:
    row["turns"][13] = row["turns"][3]


PLANTED: dict[str, tuple[Callable[[Row], None], str]] = {
    "no id": (field(id=""), "id: expected text"),
    "id is a number": (field(id=7), "id: expected text"),
    "no turns": (field(turns=[]), "turns: expected a list"),
    "unknown source": (
        field(source="found"),
        "source: expected one of authored, harvested, imported, got 'found'",
    ),
    "unknown field": (field(childs="mia"), "unknown key 'childs'; did you mean 'child'?"),
    "unknown field of a turn": (turn(0, mood="fine"), "turn 1: unknown key 'mood'"),
    "unknown role": (turn(0, role="parent"), "turn 1: role: expected one of teacher, student"),
    "empty content": (turn(1, content="  "), "turn 2: content: expected text that is not empty"),
    "unknown move": (turn(0, move="wonders"), "turn 1: move: expected one of"),
    "a student's move": (turn(1, move="asks"), "turn 2: move: only a teacher's turn"),
    "a teacher's thought": (turn(0, thought={"kind": "chat"}), "turn 1: thought: only a student's turn"),
    "unknown kind": (thought(1, kind="thinks"), "thought.kind: expected one of"),
    "unknown stage": (thought(1, stage="believes"), "thought.stage: expected one of"),
    "unknown mood": (thought(1, mood="grumpy"), "thought.mood: expected one of"),
    "unknown field of a thought": (thought(1, sure=True), "thought: unknown key 'sure'"),
    "words are not a number": (thought(1, words="4"), "thought.words: expected a whole number"),
    "no child": (field(child=None), "child: an authored dialogue names its child"),
    "unknown child": (field(child="Ruby"), "child: expected one of amara"),
    "unknown lesson": (field(lesson="2.NBT.B.5"), "lesson: expected the name of a file in data/lessons"),
    "the student begins": (teacher_first, "turn 1: role: a dialogue begins with the teacher"),
    "one speaker twice": (twice_the_same_speaker, "turn 2: role: expected the other one"),
    "the teacher has the last word": (teacher_last, "turn 13: role: the child answers last"),
    "no move": (without(2, "move"), "turn 3: move: an authored teacher turn has one"),
    "no thought": (without(3, "thought"), "turn 4: thought: an authored student turn has one"),
    "a parent whom the child has not": (
        turn(2, content="How would your father get there?"),
        "turn 3: content: Ruby has no dad that anybody knows of; expected one of: a little sister",
    ),
    "words miscounted": (thought(3, words=7), "turn 4: thought.words: '5 take away 3 is 2.' has 6, got 7"),
    "a misconception of another lesson": (
        thought(3, misconception="sun-sleeps"),
        "turn 4: thought.misconception: 2.NBT.B.5-subtract has smaller-from-larger",
    ),
    "a misconception without a stage": (
        thought(3, stage=None),
        "turn 4: thought.stage: a misconception needs",
    ),
    "a stage without a misconception": (thought(3, misconception=None), "the stage 'holds' needs one"),
    "an answer without what is believed": (
        says(1, "I think so.", 3, answer=None, reason="I think so"),
        "turn 2: thought.answer: 'answer' needs",
    ),
    "an explanation without a meaning": (thought(3, reason=None), "turn 4: thought.reason: 'explain' needs"),
    "not the bug's answer": (
        says(1, "I think it's 38.", 4, answer="38"),
        "turn 2: thought.answer: smaller-from-larger gives 32",
    ),
    "right while the idea holds": (
        says(1, "I think it's 28.", 4, answer="28"),
        "turn 2: thought.answer: smaller-from-larger gives 32",
    ),
    "neither right nor the bug's": (
        says(1, "I think it's 31.", 4, answer="31", stage="wavers"),
        "turn 2: thought.answer: expected 28 or, by smaller-from-larger, 32",
    ),
    "secure and wrong": (
        says(1, "I think it's 32.", 4, stage="secure"),
        "turn 2: thought.answer: who is secure says 28",
    ),
    "wrong for no reason": (
        thought(1, misconception=None, stage=None),
        "turn 2: thought.answer: 28 is right and no misconception is named",
    ),
    "says another number": (
        says(1, "I think it's 31.", 4),
        'turn 2: content: "I think it\'s 31." does not say',
    ),
    "says something else": (
        says(3, "My horse is brown.", 4),
        "does not say the thought: says something else",
    ),
    "grown-up words": (
        says(13, "Thank you, I did it slow.", 6),
        "does not say the thought: adult words: thank you",
    ),
    "longer than its thought": (
        says(13, " ".join(["I did it slow."] + ["And I like it."] * 5), 24),
        "turn 14: content: longer than its thought",
    ),
    "no capital": (turn(13, content="you did it slow."), "turn 14: content"),
    "no end mark": (
        turn(13, content="I did it slow"),
        "turn 14: content: Ruby is transcribed, so a mark ends",
    ),
    "said before": (said_before, "turn 14: content: '5 take away 3 is 2.' was said before"),
    "spaces": (turn(2, content="Can you tell me  how?"), "turn 3: content: expected one line"),
    "what cannot be seen": (
        turn(2, content="Can you\u200b tell me how?"),
        "turn 3: content: expected letters",
    ),
    "a teacher without end": (turn(2, content="How? " * 900 + "How?"), "expected at most 4000 characters"),
    "a child without end": (
        says(13, "I did it slow and " * 16 + "slow.", 81),
        "turn 14: content: expected 1 to 61 words from a child, got 81",
    ),
    "an e-mail address": (
        turn(2, content="Can you tell dana.h@school.org how?"),
        "turn 3: content: looks like a real person's data; take it out, such as 'Can you tell [email] how?'",
    ),
    "the program would answer": (
        turn(2, content="Ruby, are you a real child?"),
        "turn 3: content: the program answers this turn (honesty)",
    ),
    "a crisis that goes on": (turn(2, move="crisis"), "turn 3: move: after crisis the program answers"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_named_with_file_and_line(
    name: str, tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    plant, message = PLANTED[name]
    rows = [shipped(identifier) for identifier in IDS]
    plant(rows[1])
    path = write(tmp_path / "dialogues.jsonl", [*rows])
    faults = found(check([path], rules, prices))
    assert any(fault.startswith(f"{path}:2: ") and message in fault for fault in faults), faults
    assert all(fault.startswith(f"{path}:2: ") for fault in faults), faults


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not JSON"),
        (b'["id"]', "expected a JSON object in every line, got list"),
        (b"\xff\xfe", "expected UTF-8 text"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"id": "' + b"a" * 1_000_001 + b'"}', "expected a line of at most 1,000,000 bytes"),
    ],
)
def test_a_line_that_is_no_record_is_named(
    line: bytes, message: str, tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    path = write(tmp_path / "dialogues.jsonl", [shipped(IDS[0]), line, shipped(IDS[1])])
    report = check([path], rules, prices)
    assert report.coverage.dialogues == 2
    assert [fault.line for fault in report.faults] == [2]
    assert message in report.faults[0].message


def test_typed_children_do_not_write_like_books(
    tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    row = shipped("2.NBT.B.5-subtract-zoe")
    row["turns"][-1]["content"] = "Can i do a cartwheel now."
    path = write(tmp_path / "dialogues.jsonl", [row])
    assert "Zoe types" in found(check([path], rules, prices))[0]


def test_harvested_and_imported_dialogues_may_lack_moves_and_thoughts(
    tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    row = shipped(IDS[0])
    bare = {
        "id": "bare",
        "source": "imported",
        "turns": [{"role": each["role"], "content": each["content"]} for each in row["turns"]],
    }
    report = check([write(tmp_path / "dialogues.jsonl", [bare])], rules, prices)
    assert found(report) == []
    assert report.examples == 0
    assert report.coverage.without_thought == report.coverage.student_turns > 0


# Several dialogues together.


def test_the_same_id_and_the_same_talk_are_named(
    tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    path = write(tmp_path / "a.jsonl", [shipped(IDS[0]), shipped(IDS[1]), shipped(IDS[0])])
    faults = found(check([path], rules, prices))
    assert f"{path}:3: id: the same as {path}:1" in faults
    assert f"{path}:3: duplicate: word for word the same talk as {path}:1" in faults


def nearly(row: Row) -> Row:
    """The same dialogue with one turn told in other words."""
    row["id"] += "-again"
    row["turns"][13].update(content="I did it nice and slow.")
    row["turns"][13]["thought"].update(words=6, reason="I did it nice and slow")
    return row


def test_a_nearly_equal_dialogue_is_named_where_there_are_too_many(
    tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    path = write(tmp_path / "a.jsonl", [shipped(IDS[0]), shipped(IDS[1]), nearly(shipped(IDS[1]))])
    report = check([path], rules, prices)
    assert found(report) == [f"{path}:3: duplicate: 1 of 3, nearly the same talk as {path}:2"]


def test_a_leak_into_the_test_part_is_named_even_when_it_is_one(
    tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    write(tmp_path / "test.jsonl", [shipped(IDS[0]), shipped(IDS[1])])
    train = write(tmp_path / "train.jsonl", [nearly(shipped(IDS[1])), shipped(IDS[2])])
    faults = found(check([tmp_path / "test.jsonl", train], rules, prices))
    assert faults == [
        f"{train}:1: leak between train and test: nearly the same talk as {tmp_path / 'test.jsonl'}:2"
    ]


def rows_of(data: Path, name: str) -> list[Row]:
    lines = (data / "dialogues" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_talk_outside_a_band_is_named_with_the_child(
    data: Path, tmp_path: Path, rules: Rules, prices: dict[str, Price]
) -> None:
    rows = [row for row in rows_of(data, "mathematics") if row["child"] == "mia"]
    for row in rows:
        for each in row["turns"]:
            if each["role"] == "student":
                each["content"] += " I see."
    path = write(tmp_path / "a.jsonl", [*rows])
    faults = [fault for fault in found(check([path], rules, prices)) if ": talk:" in fault]
    assert any(
        fault.startswith(f"{path}: talk: % with a concession of mia: expected 0 to 5, got 100")
        for fault in faults
    )


def test_a_whole_folder_must_cover_children_lessons_ideas_and_moves(
    tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    write(tmp_path / "corpus" / "a.jsonl", [shipped(identifier) for identifier in IDS])
    faults = found(check([tmp_path / "corpus"], rules, prices))
    for message in (
        "expected at least 1,000 dialogues, got 3",
        "expected at least 6,000 student turns",
        "expected at least 40 dialogues with ruby, got",
        "expected at least 2 dialogues of the lesson 2.NBT.B.6-add-many, got 0",
        "expected at least 1 teacher turns of the move crisis, got 0",
    ):
        assert any(fault.startswith(f"{tmp_path / 'corpus'}: coverage: {message}") for fault in faults), (
            message
        )


def test_an_empty_file_is_no_corpus(tmp_path: Path, rules: Rules, prices: dict[str, Price]) -> None:
    path = write(tmp_path / "a.jsonl", [])
    assert found(check([path], rules, prices)) == [f"{path}: expected at least one dialogue, there is none"]


# The shipped corpus and the command.


AS_SHOWN = "python -m training data check data/dialogues"
"""The command in the README, which leaves it to this test."""


def test_the_shipped_corpus_is_right(data: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Report] = []

    def checked(*arguments: Any) -> Report:
        reports.append(check(*arguments))
        return reports[0]

    monkeypatch.setattr(checking, "check", checked)
    monkeypatch.chdir(data.parent)
    shown = CliRunner().invoke(commands, shlex.split(AS_SHOWN)[4:])
    assert shown.exit_code == 0, shown.output
    (report,) = reports
    assert found(report) == []
    assert report.whole
    coverage = report.coverage
    assert coverage.dialogues >= 1_000
    assert all(coverage.stages[stage.value] for stage in Stage)
    assert all(coverage.moves[move.value] for move in MoveKind if move not in ELSEWHERE)
    assert report.near < 0.01 * coverage.dialogues
    assert len(report.bands) == 1 + len(rules.children)
    assert all(band.judged and not band.outside for band in report.bands)
    assert report.examples == coverage.student_turns


def test_the_command_names_file_and_line_and_exits_1(tmp_path: Path, shipped: Shipped) -> None:
    row = shipped(IDS[1])
    row["turns"][1]["thought"]["answer"] = "33"
    path = write(tmp_path / "a.jsonl", [shipped(IDS[0]), row])
    shown = CliRunner().invoke(commands, ["check", str(path)])
    assert shown.exit_code == 1
    assert f"{path}:2: turn 2: thought.answer: smaller-from-larger gives 32" in shown.stdout
    printed = CliRunner().invoke(commands, ["check", "--json", str(path)])
    assert printed.exit_code == 1
    report = json.loads(printed.stdout)
    assert report["faults"][0]["file"] == str(path)
    assert report["faults"][0]["line"] == 2
    assert report["coverage"]["dialogues"] == 2


def test_the_command_prints_the_bands_and_exits_0_when_all_is_right(tmp_path: Path, shipped: Shipped) -> None:
    path = write(tmp_path / "a.jsonl", [shipped(IDS[0])])
    shown = CliRunner().invoke(commands, ["check", str(path)])
    assert shown.exit_code == 0
    assert "nothing is wrong" in shown.stdout
    assert "MATTR, window 50" in shown.stdout
    assert "0.62 to 0.73" in shown.stdout


def test_a_path_that_is_not_there_is_one_line_and_exit_2(tmp_path: Path) -> None:
    shown = CliRunner().invoke(commands, ["check", str(tmp_path / "nothing")])
    assert shown.exit_code == 2
    assert "no such file or folder" in shown.stderr


def test_an_unknown_price_is_unknown_and_not_0(
    tmp_path: Path, shipped: Shipped, rules: Rules, prices: dict[str, Price]
) -> None:
    path = write(tmp_path / "a.jsonl", [shipped(IDS[0])])
    known = {each.method: each for each in check([path], rules, prices).estimates or ()}
    assert known["dspy"].tokens > 1_000
    assert known["dspy"].cost_usd
    assert known["lora"].cost_usd is None
    unknown = {each.method: each for each in check([path], rules, {}).estimates or ()}
    assert unknown["dspy"].cost_usd is None
    assert unknown["openai"].cost_usd is None

"""The training files: what is trained is what is served, and what is wrong is found before anybody pays."""

from __future__ import annotations

import datetime as dt
import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bot.models.prices import price_of, read_prices
from bot.student.lessons import read_lessons
from bot.student.records.child import read_children
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue, Role, Thought, ThoughtKind, Turn
from bot.student.records.reading import DataError
from bot.student.voicing import prompt
from training.methods import openai_data, openai_terms
from training.methods.openai_tokens import Counter
from training.methods.rendering import parts

DATA = Path(__file__).parents[3] / "data"
CHILDREN = read_children(DATA / "children")
LESSONS = read_lessons(DATA / "lessons")
MODEL = "gpt-4o-mini-2024-07-18"
LESSON = "2.NBT.B.5-subtract"


@pytest.fixture(scope="module")
def counter() -> Counter:
    return Counter(MODEL)


def dialogue(exchanges: int, name: str = "one", *, thoughts: bool = True) -> Dialogue:
    turns = []
    for number in range(exchanges):
        thought = Thought(ThoughtKind.ANSWER, answer=str(number), words=1) if thoughts else None
        turns.append(Turn(Role.TEACHER, f"{name}: what comes before {number + 1}?"))
        turns.append(Turn(Role.STUDENT, f"it's {number}!", thought=thought))
    return Dialogue(name, tuple(turns), child="mia", lesson=LESSON)


def rows(given: Dialogue, **options: Any) -> list[tuple[openai_data.Message, ...]]:
    return [row.messages for row in openai_data.rows(given, CHILDREN, LESSONS, **options)]


def bare(messages: Any) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages]


@pytest.mark.parametrize("exchanges", [1, 7, 8, 9, 12, 13, 30])
def test_every_answer_is_trained_once_and_after_what_the_bot_would_have_shown(exchanges: int) -> None:
    given = dialogue(exchanges)
    trained: dict[str, list[tuple[str, str]]] = {}
    for messages in rows(given):
        assert {each["role"] for each in messages if "weight" in each} == {"assistant"}
        for place, message in enumerate(messages):
            if message.get("weight") == 1:
                assert message["content"] not in trained
                trained[message["content"]] = bare(messages[:place])
    assert list(trained) == [turn.content for turn in given.turns if turn.role is Role.STUDENT]
    for place in range(0, 2 * exchanges, 2):
        teacher, student = given.turns[place : place + 2]
        assert student.thought is not None
        cue = Cue(CHILDREN["mia"], LESSONS[LESSON], given.turns[:place], teacher.content, student.thought)
        assert trained[student.content] == bare(asdict(message) for message in prompt.render(cue))


def test_a_dialogue_is_one_row_until_the_bot_forgets_its_start() -> None:
    assert [len(rows(dialogue(count))) for count in (1, 8, 9, 12, 13)] == [1, 1, 2, 2, 3]


def test_examples_of_the_opening_are_shown_and_not_trained() -> None:
    (messages,) = rows(dialogue(2))
    opening = messages[: len(prompt.OPENING)]
    assert bare(opening) == bare(asdict(message) for message in prompt.OPENING)
    assert [each["weight"] for each in opening if each["role"] == "assistant"] == [0] * 5
    (unmarked,) = rows(dialogue(2), weights=False)
    assert bare(unmarked) == bare(messages)
    assert not any("weight" in each for each in unmarked)


def test_turns_without_a_thought_are_context_only() -> None:
    assert rows(dialogue(3, thoughts=False)) == []
    mixed = dialogue(1, "a", thoughts=False).with_turns(*dialogue(1, "b").turns)
    (messages,) = rows(mixed)
    assert [each["content"] for each in messages if each.get("weight") == 1] == ["it's 0!"]
    assert messages[-3]["weight"] == 0


def prepared(training: list[Dialogue], *, validation: Any = (), held_out: Any = ()) -> openai_data.Prepared:
    return openai_data.prepare(
        training, list(validation), list(held_out), children=CHILDREN, lessons=LESSONS, model=MODEL
    )


def test_the_shipped_dialogues_are_sound_and_written_as_counted(tmp_path: Path) -> None:
    every = openai_data.read_dialogues(
        path for path in (DATA / "dialogues").glob("*.jsonl") if path.name != "test.jsonl"
    )
    few = random.Random(1).sample(every, 80)
    training, validation = parts(few, 0.2)
    found = prepared(
        training,
        validation=validation,
        held_out=openai_data.read_dialogues([DATA / "dialogues" / "test.jsonl"]),
    )
    assert found.faults == ()
    assert found.left_out == 0
    assert found.exact
    assert 300 * len(found.training) < found.tokens[0] < found.tokens[1] < 1500 * len(found.training)
    paths = found.write(tmp_path)
    for path, expected in zip(paths, (found.training, found.validation), strict=True):
        written = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert written == [{"messages": list(row.messages)} for row in expected]


def test_too_few_rows_duplicates_and_leaks_are_named() -> None:
    nine = [dialogue(1, f"d{number}") for number in range(9)]
    assert prepared(nine).faults == ("training: 9 rows; OpenAI wants at least 10: add dialogues",)
    ten = [*nine, dialogue(1, "d9")]
    assert prepared(ten).faults == ()
    shouted = Dialogue(
        "again",
        tuple(Turn(t.role, t.content.upper(), thought=t.thought) for t in ten[3].turns),
        "mia",
        LESSON,
    )
    assert prepared([*ten, shouted]).faults == ("training row 11: the same as row 4: leave one out",)
    assert prepared(ten, validation=[ten[2]]).faults == ("dialogue d2: is in the validation set, too",)
    renamed = Dialogue("other", ten[2].turns, "mia", LESSON)
    assert prepared(ten, held_out=[renamed]).faults == (
        "dialogue d2: says the same as other in the test set",
    )
    assert prepared(ten, validation=[dialogue(1, "v")], held_out=[dialogue(1, "v")]).faults == (
        "dialogue v: is in the test set, too",
    )


USER = {"role": "user", "content": "What is 3 plus 3?"}
CHILD = {"role": "assistant", "content": "6", "weight": 1}


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([USER], "the last message must be the assistant's, and trained"),
        ([USER, {**CHILD, "weight": 0}], "the last message must be the assistant's, and trained"),
        ([], "the last message must be the assistant's, and trained"),
        (
            [{**USER, "role": "teacher"}, CHILD],
            "message 1: role: expected one of system, user, assistant; got 'teacher'",
        ),
        ([{**USER, "content": " "}, CHILD], "message 1: content: expected text that is not empty"),
        ([{**USER, "weight": 1}, CHILD], "message 1: weight: only an assistant's message has one, 0 or 1"),
        ([USER, {**CHILD, "weight": 2}], "message 2: weight: only an assistant's message has one, 0 or 1"),
        ([{**USER, "mood": "fine"}, CHILD], "message 1: unknown field 'mood'"),
        ([{**USER, "content": "six " * 16_400}, CHILD], "tokens; longer rows than 16385 are cut: split it"),
    ],
)
def test_bad_rows_are_named(counter: Counter, messages: list[dict[str, Any]], complaint: str) -> None:
    (fault,) = openai_data.faults([[{**USER, "content": "Hi"}, CHILD], messages], "training", counter)
    assert fault.startswith("training row 2: ")
    assert fault.endswith(complaint)


def test_tokens_are_counted_offline_with_the_models_own_table(counter: Counter) -> None:
    # Nine tokens by OpenAI's published table: "The| quick| brown| fox| jumps| over| the| lazy| dog".
    assert counter.row([{"role": "user", "content": "The quick brown fox jumps over the lazy dog"}]) == (
        9,
        16,
    )
    assert counter.row([{"role": "user", "content": "<|endoftext|>"}])[0] > 1
    assert (counter.table, counter.exact) == ("o200k_base", True)
    assert Counter("gpt-3.5-turbo-0125").table == "cl100k_base"
    other = Counter("meta-llama/Llama-3.1-8B-Instruct")
    assert (other.table, other.exact) == ("o200k_base", False)


def test_without_tables_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    with pytest.raises(DataError, match="holds no table for o200k_base"):
        Counter(MODEL)


def test_training_prices_and_dates_as_shipped() -> None:
    prices = read_prices(DATA / "prices.toml")
    known = {
        model: price.usd_per_million_training
        for model, price in prices.items()
        if price.usd_per_million_training
    }
    assert known[MODEL] == 3
    # What the project's first guide says: $0.008 for a thousand tokens.
    assert known["gpt-3.5-turbo"] == pytest.approx(0.008 * 1000)
    assert price_of("no-such-model", prices) is None
    terms = openai_terms.read_terms(DATA / "fine_tuning.toml")
    assert set(terms.answers_until) <= known.keys()
    early, late = terms.warnings(MODEL, dt.date(2026, 6, 1)), terms.warnings(MODEL, dt.date(2027, 1, 6))
    assert "no new jobs from 2027-01-06" in early[0]
    assert len(early) == 2
    assert "60 days before" in terms.warnings(MODEL, dt.date(2026, 7, 2))[1]
    assert late[0].startswith("OpenAI has taken no new fine-tuning jobs")
    assert "in 8 days" in late[1]
    assert terms.warnings(MODEL, dt.date(2027, 1, 14))[1] == (
        f"{MODEL} was shut down on 2027-01-14: nothing can be trained from it"
    )


def test_a_wrong_timetable_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fine_tuning.toml"
    text = (DATA / "fine_tuning.toml").read_text(encoding="utf-8")
    path.write_text(
        text.replace("all_closed_from = 2027-01-06", 'all_closed_from = "soon"'), encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"fine_tuning.toml: all_closed_from"):
        openai_terms.read_terms(path)


@pytest.mark.parametrize(
    ("asked", "rows_", "expected"),
    [(4, 500, (4, 4)), (None, 500, (1, 3)), (None, 20, (1, 5)), (None, 10, (1, 10)), (None, 1, (1, 25))],
)
def test_epochs_to_expect(asked: int | None, rows_: int, expected: tuple[int, int]) -> None:
    assert openai_terms.epochs_range(asked, rows_) == expected

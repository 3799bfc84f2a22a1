"""From dialogues to the files of a fine-tuning job, and what is wrong with them before anybody pays.

A row is a stretch of a dialogue as the live bot would show it to a model, through the one renderer, with the child's
words as the answers. It knows dialogues and rows, nothing of networks, prices and jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.student.records.child import Child
from bot.student.records.dialogue import Dialogue, Role
from bot.student.records.lesson import Lesson
from training.corpus.examples import examples
from training.corpus.read import sound
from training.methods.openai_tokens import Counter

FEWEST_ROWS = 10
"""OpenAI's own least number of training rows."""
MOST_ROW_TOKENS = 16_385
"""What a row may hold on the shortest of the chat models that were ever trained this way; longer ones are cut there."""
MOST_FILE_BYTES = 512_000_000
"""OpenAI's limit for one file."""
VALIDATION_SHARE = 0.1
ROLES = ("system", "user", "assistant")
SHOWN_FAULTS = 20

Message = dict[str, Any]
"""`role`, `content` and, for an assistant's message, perhaps `weight`: 0 is shown, 1 is trained."""


@dataclass(frozen=True, slots=True)
class Row:
    """One training example and the dialogue it comes from."""

    dialogue: str
    messages: tuple[Message, ...]

    def line(self) -> str:
        """The row as the API takes it, without the line end."""
        return json.dumps({"messages": list(self.messages)}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Both files' rows, what they weigh, and what is wrong. `tokens` are of one epoch: texts alone, and all told."""

    training: tuple[Row, ...]
    validation: tuple[Row, ...]
    tokens: tuple[int, int]
    exact: bool
    faults: tuple[str, ...]
    left_out: int
    """Child's turns that are not trained: no thought, no teacher's turn just before, or an unknown child or lesson."""

    def write(self, folder: Path) -> tuple[Path, Path]:
        """`training.jsonl` and `validation.jsonl` in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / "training.jsonl", folder / "validation.jsonl"
        for path, rows in zip(paths, (self.training, self.validation), strict=True):
            path.write_text("".join(f"{row.line()}\n" for row in rows), encoding="utf-8")
        return paths


def read_dialogues(paths: Iterable[Path]) -> list[Dialogue]:
    """Every dialogue of the files and folders; raise `DataError` naming file and line."""
    return [dialogue for _, dialogue in sound(paths)]


def prepare(  # noqa: PLR0913 - what a pair of files is made of
    training: Sequence[Dialogue],
    validation: Sequence[Dialogue],
    held_out: Sequence[Dialogue],
    *,
    children: Mapping[str, Child],
    lessons: Mapping[str, Lesson],
    model: str,
    weights: bool = True,
) -> Prepared:
    """Render and check everything; nothing is written. `held_out` is the test set, which no row may hold."""
    counter = Counter(model)
    rendered = [
        [row for dialogue in side for row in rows(dialogue, children, lessons, weights=weights)]
        for side in (training, validation)
    ]
    counts = [counter.row(row.messages) for row in rendered[0]]
    every = [*training, *validation]
    said = sum(turn.role is Role.STUDENT for dialogue in every for turn in dialogue.turns)
    trained = sum(1 for dialogue in every for _ in examples(dialogue, children, lessons))
    return Prepared(
        training=tuple(rendered[0]),
        validation=tuple(rendered[1]),
        tokens=(sum(bare for bare, _ in counts), sum(told for _, told in counts)),
        exact=counter.exact,
        faults=(
            *faults([row.messages for row in rendered[0]], "training", counter, fewest=FEWEST_ROWS),
            *faults([row.messages for row in rendered[1]], "validation", counter),
            *leaks(training, validation, "validation"),
            *leaks(every, held_out, "test"),
        ),
        left_out=said - trained,
    )


def rows(
    dialogue: Dialogue, children: Mapping[str, Child], lessons: Mapping[str, Lesson], *, weights: bool = True
) -> list[Row]:
    """The dialogue as the live bot shows it, in as few rows as hold every one of the child's turns once.

    A turn goes into the row of the turn before as long as that row is the very start of what the model is shown; when
    the bot forgets the oldest exchanges, a new row begins. With `weights` only the child's turns that no row before
    held are trained; without, for servers that know no weights, every answer is.
    """
    found: list[list[Message]] = []
    for example in examples(dialogue, children, lessons):
        shown: list[Message] = [asdict(message) for message in example.messages]
        row = found[-1] if found else None
        if row is None or _bare(shown[: len(row)]) != _bare(row):
            if weights:
                shown = [{**each, "weight": 0} if each["role"] == "assistant" else each for each in shown]
            found.append(row := shown)
        else:
            later = shown[len(row) :]
            row += [
                {**each, "weight": 0} if weights and each["role"] == "assistant" else each for each in later
            ]
        row.append({"role": "assistant", "content": example.answer, **({"weight": 1} if weights else {})})
    return [Row(dialogue.id, tuple(row)) for row in found]


def faults(
    found: Sequence[Sequence[Mapping[str, object]]], name: str, counter: Counter, *, fewest: int = 0
) -> list[str]:
    """What the API would refuse, or take and train badly; each a line that names file and row."""
    problems = []
    if len(found) < fewest:
        problems.append(f"{name}: {len(found)} rows; OpenAI wants at least {fewest}: add dialogues")
    seen: dict[str, int] = {}
    size = 0
    for number, messages in enumerate(found, start=1):
        where = f"{name} row {number}"
        problems += [f"{where}: {problem}" for problem in _row_faults(messages)]
        if not all(isinstance(message.get("content"), str) for message in messages):
            continue
        tokens = counter.row(messages)[1]
        if tokens > MOST_ROW_TOKENS:
            problems.append(f"{where}: {tokens} tokens; longer rows than {MOST_ROW_TOKENS} are cut: split it")
        text = json.dumps([_said(message) for message in messages]).casefold()
        if (first := seen.setdefault(text, number)) != number:
            problems.append(f"{where}: the same as row {first}: leave one out")
        size += len(json.dumps(list(messages), ensure_ascii=False).encode()) + 16
    if size > MOST_FILE_BYTES:
        problems.append(f"{name}: {size} bytes; a file may have {MOST_FILE_BYTES}")
    return problems


def leaks(training: Sequence[Dialogue], kept_apart: Sequence[Dialogue], name: str) -> list[str]:
    """Dialogues that are on both sides, by id or by what is said in them: such a measure would measure memory."""
    ids = {dialogue.id for dialogue in kept_apart}
    texts = {_talk(dialogue): dialogue.id for dialogue in kept_apart}
    problems = []
    for dialogue in training:
        if dialogue.id in ids:
            problems.append(f"dialogue {dialogue.id}: is in the {name} set, too")
        elif (other := texts.get(_talk(dialogue))) is not None:
            problems.append(f"dialogue {dialogue.id}: says the same as {other} in the {name} set")
    return problems


def _row_faults(messages: Sequence[Mapping[str, object]]) -> list[str]:
    problems = []
    for number, message in enumerate(messages, start=1):
        role, content, weight = message.get("role"), message.get("content"), message.get("weight")
        if role not in ROLES:
            problems.append(f"message {number}: role: expected one of {', '.join(ROLES)}; got {role!r}")
        if not isinstance(content, str) or not content.strip():
            problems.append(f"message {number}: content: expected text that is not empty")
        if weight is not None and (role != "assistant" or weight not in {0, 1}):
            problems.append(f"message {number}: weight: only an assistant's message has one, 0 or 1")
        if unknown := set(message) - {"role", "content", "weight"}:
            problems.append(f"message {number}: unknown field {min(unknown)!r}")
    last = messages[-1] if messages else {}
    if last.get("role") != "assistant" or last.get("weight") == 0:
        problems.append("the last message must be the assistant's, and trained")
    return problems


def _bare(messages: Iterable[Mapping[str, object]]) -> list[tuple[object, object]]:
    return [_said(message) for message in messages]


def _said(message: Mapping[str, object]) -> tuple[object, object]:
    return message.get("role"), message.get("content")


def _talk(dialogue: Dialogue) -> str:
    return "\n".join(" ".join(turn.content.casefold().split()) for turn in dialogue.turns)

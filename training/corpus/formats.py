"""The forms in which course teams keep dialogues, in and out.

| name | row |
|---|---|
| dspy | {"dialogue": [{"role": "teacher" or "student", "content"}, …]} |
| openai | {"messages": [{"role", "content"}, …]}, the student is the assistant |
| lora | {"instruction", "output"}: a teacher's turn and the child's answer |
| prompt-completion, question-answer | the same under older names |

A form holds what it holds: `lost` compares a dialogue with what comes back. It knows no files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bot.student.records.dialogue import Dialogue, DialogueError, Role, Turn
from bot.student.records.reading import Said, parse
from bot.student.voicing.prompt import OPENING
from training.corpus.examples import Example

Row = dict[str, Any]

PLAYS = "You play a child in second grade."
"""Begins the system message of our own OpenAI rows; lines with child and lesson follow."""
_NAMED = re.compile(r"^(child|lesson): (.+)$", re.M)
_TEACHER = re.compile(
    r"\b(?:teacher|tutor|educator|instructor|professor)s?\b|\b(student|child|pupil|kid|boy|girl|grader)s?\b"
    r"(?! teacher)",
    re.I,
)


def write(dialogue: Dialogue, form: str) -> list[Row]:
    """The rows of `dialogue` in a form of `FORMS`; none where the form can hold nothing of it."""
    return FORMS[form].write(dialogue)


def training_row(example: Example, form: str) -> Row:
    """One student turn, rendered as the live bot renders it; raise `DialogueError` where a form has no place."""
    make = FORMS[form].training
    if make is None:
        able = ", ".join(name for name, each in FORMS.items() if each.training)
        raise DialogueError(f"{form} rows have no place for a prompt of several messages; choose {able}")
    return make(example)


def read(row: Row, *, assistant: Role | None = None) -> Dialogue:
    """The dialogue of a row in any of the forms, told by its fields; raise `DialogueError`.

    `assistant` says who speaks as assistant, output, completion or answer; without it the system message
    must tell, and rows without one are the student's. The id is "" where the row has none.
    """
    for form in FORMS.values():
        if form.fields <= set(row):
            dialogue = form.read(row, assistant)
            identifier = row.get("id")
            return replace(dialogue, id=identifier) if isinstance(identifier, str) else dialogue
    known = "; ".join(" and ".join(sorted(form.fields)) for form in FORMS.values())
    raise DialogueError(f"expected one of the fields {known}; got {', '.join(sorted(row)) or 'none'}")


def lost(before: Dialogue, after: list[Dialogue]) -> set[str]:
    """What of `before` is not in the dialogues that came back, in words for a person."""
    gone = {
        name
        for name in ("id", "child", "lesson", "source")
        if getattr(before, name) is not None
        and any(getattr(each, name) != getattr(before, name) for each in after)
    }
    turns = [turn for dialogue in after for turn in dialogue.turns]
    if len(after) != 1:
        gone.add("which exchanges belong together")
    if [(turn.role, turn.content) for turn in turns] != [(turn.role, turn.content) for turn in before.turns]:
        gone.add("turns that have no partner")
    for name in ("move", "thought"):
        kept = sum(getattr(turn, name) is not None for turn in turns)
        if kept < sum(getattr(turn, name) is not None for turn in before.turns):
            gone.add(f"{name}s")
    return gone


# Dialogues as they are.


def _write_dspy(dialogue: Dialogue) -> list[Row]:
    return [{"dialogue": [{"role": turn.role.value, "content": turn.content} for turn in dialogue.turns]}]


def _small_role(raw: object) -> object:
    return (
        {**raw, "role": role.lower()}
        if isinstance(raw, dict) and isinstance(role := raw.get("role"), str)
        else raw
    )


@dataclass(frozen=True, slots=True)
class _Talk:
    """A row of dspy. What python -m bot replay wrote has moves and thoughts in the same places as our records."""

    dialogue: Annotated[tuple[Annotated[Turn, BeforeValidator(_small_role)], ...], Field(min_length=1)]
    child: str | None = None
    lesson: str | None = None


def _read_dspy(row: Row, assistant: Role | None) -> Dialogue:
    _refuse_assistant(assistant)
    found = parse(_Talk, row, known_only=False, error=DialogueError)
    return Dialogue("", found.dialogue, found.child, found.lesson, "imported")


# Chat messages.


def assistant_of(system: str) -> Role | None:
    """Whom a system message makes the assistant: the first it names of teacher and student; None for neither."""
    found = _TEACHER.search(system)
    if found is None:
        return None
    return Role.STUDENT if found.group(1) else Role.TEACHER


def _write_openai(dialogue: Dialogue) -> list[Row]:
    named = [f"{name}: {value}" for name in ("child", "lesson") if (value := getattr(dialogue, name))]
    messages = [{"role": "system", "content": "\n".join([PLAYS, *named])}]
    for turn in dialogue.turns:
        messages.append(
            {"role": "user" if turn.role is Role.TEACHER else "assistant", "content": turn.content}
        )
    return [{"messages": messages}]


@dataclass(frozen=True, slots=True)
class _Message:
    role: Literal["system", "developer", "user", "assistant"]
    content: Said


@dataclass(frozen=True, slots=True)
class _Chat:
    """A row of openai."""

    messages: tuple[_Message, ...]


def _read_openai(row: Row, assistant: Role | None) -> Dialogue:
    messages = parse(_Chat, row, known_only=False, error=DialogueError).messages
    systems = [each.content for each in messages if each.role in ("system", "developer")]
    system = "\n".join(systems)
    _refuse_rendered(system)
    if assistant is None:
        assistant = assistant_of(system)
        if assistant is Role.TEACHER:
            raise DialogueError(
                "messages: the assistant is the teacher here, and we train the student; "
                "--assistant teacher takes the rows with the roles turned round"
            )
        if assistant is None:
            raise DialogueError(
                "messages: no system message says who the assistant is; say --assistant student or teacher"
            )
    user = Role.STUDENT if assistant is Role.TEACHER else Role.TEACHER
    roles = {"user": user, "assistant": assistant}
    turns = [Turn(roles[each.role], each.content) for each in messages if each.role in roles]
    if not turns:
        raise DialogueError("messages: expected at least one message of user or assistant")
    named = dict(_NAMED.findall(system)) if system.startswith(PLAYS) else {}
    return Dialogue("", tuple(turns), named.get("child"), named.get("lesson"), "imported")


def _train_openai(example: Example) -> Row:
    # Without a weight of 0 the examples and the older turns, which every row repeats, would be trained each time.
    messages: list[Row] = [
        {"role": each.role, "content": each.content, **({"weight": 0} if each.role == "assistant" else {})}
        for each in example.messages
    ]
    return {"messages": [*messages, {"role": "assistant", "content": example.answer, "weight": 1}]}


# Pairs.


def _pairs(dialogue: Dialogue) -> Iterator[tuple[str, str]]:
    """Each student turn with all that the teacher said just before it."""
    teacher: list[str] = []
    for turn in dialogue.turns:
        if turn.role is Role.TEACHER:
            teacher.append(turn.content)
        elif teacher:
            yield "\n".join(teacher), turn.content
            teacher = []


def _pair_form(asks: str, answers: str, training: Callable[[Example], Row] | None) -> Form:
    def write_pair(dialogue: Dialogue) -> list[Row]:
        return [{asks: teacher, answers: student} for teacher, student in _pairs(dialogue)]

    def read_pair(row: Row, assistant: Role | None) -> Dialogue:
        asked, answered = row[asks], row[answers]
        if isinstance(asked, list) and isinstance(answered, list):
            return _read_openai({"messages": [*asked, *answered]}, assistant)
        answering = assistant or Role.STUDENT
        asking = Role.TEACHER if answering is Role.STUDENT else Role.STUDENT
        said = [{"role": asking, "content": asked}, {"role": answering, "content": answered}]
        first, second = Dialogue.from_json({"id": "row", "turns": said}).turns
        _refuse_rendered(first.content)
        if isinstance(more := row.get("input"), str) and more.strip():
            first = replace(first, content=f"{first.content}\n{more}")
        return Dialogue("", (first, second), source="imported")

    return Form(frozenset({asks, answers}), write_pair, read_pair, training)


def _train_lora(example: Example) -> Row:
    prompt = "\n\n".join(f"{message.role}: {message.content}" for message in example.messages)
    return {"instruction": prompt, "output": example.answer}


def _train_prompt(example: Example) -> Row:
    """The form of prompt and completion that TRL's trainer reads: loss on the completion alone."""
    return {
        "prompt": [{"role": each.role, "content": each.content} for each in example.messages],
        "completion": [{"role": "assistant", "content": example.answer}],
    }


# All of them.


@dataclass(frozen=True, slots=True)
class Form:
    """One form: the fields that tell it, the way out, the way in, and the row of one rendered turn."""

    fields: frozenset[str]
    write: Callable[[Dialogue], list[Row]]
    read: Callable[[Row, Role | None], Dialogue]
    training: Callable[[Example], Row] | None


def _refuse_rendered(text: str) -> None:
    if OPENING[0].content in text:
        raise DialogueError(
            "this row was rendered for training and holds pieces of a dialogue many times; "
            "import the dialogues it was made from"
        )


def _refuse_assistant(assistant: Role | None) -> None:
    if assistant is not None:
        raise DialogueError("dialogue records say teacher and student themselves; leave --assistant out")


def _read_own(row: Row, assistant: Role | None) -> Dialogue:
    _refuse_assistant(assistant)
    return Dialogue.from_json({"id": "row", **row})


def _write_own(dialogue: Dialogue) -> list[Row]:
    return [dialogue.to_json()]


FORMS: dict[str, Form] = {
    "dspy": Form(frozenset({"dialogue"}), _write_dspy, _read_dspy, None),
    "openai": Form(frozenset({"messages"}), _write_openai, _read_openai, _train_openai),
    "lora": _pair_form("instruction", "output", _train_lora),
    "prompt-completion": _pair_form("prompt", "completion", _train_prompt),
    "question-answer": _pair_form("question", "answer", None),
    "record": Form(frozenset({"turns"}), _write_own, _read_own, None),
}

__all__ = ["FORMS", "assistant_of", "lost", "read", "training_row", "write"]

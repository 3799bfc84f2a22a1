"""What is said: turns, the thought behind a child's turn, and the dialogue record.

This is the format of `data/dialogues/*.jsonl`, of harvests and of replays. It knows nothing of
lessons, models or platforms: whether a move or a misconception exists is checked elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, with_config

from bot.student.records.reading import Expected, Said, Whole, parse, parse_json, wrong

T = TypeVar("T")
Source = Literal["authored", "harvested", "imported"]

MAX_TURN_CHARACTERS = 4_000
"""Longer teacher turns are cut where they enter: Slack's limit, and twice Discord's."""
MOST_ANSWERS = 2
"""Children who answer one turn of a teacher at most."""
MOST_WORDS = 100
"""No real turn was longer than 61 words."""


class Stage(StrEnum):
    """How firmly a misconception sits."""

    HOLDS = "holds"
    WAVERS = "wavers"
    REVISES = "revises"
    SECURE = "secure"


class ThoughtKind(StrEnum):
    """What a child's turn does."""

    ANSWER = "answer"
    EXPLAIN = "explain"
    ASK = "ask"
    UNSURE = "unsure"
    REJECT = "reject"
    CHAT = "chat"
    OFF_TASK = "off_task"
    UPSET = "upset"


class MoveKind(StrEnum):
    """What a teacher's turn does, as the child hears it."""

    ASKS = "asks"
    ASKS_WHY = "asks_why"
    TRANSFER = "transfer"
    SAYS_RIGHT = "says_right"
    SAYS_WRONG = "says_wrong"
    TELLS = "tells"
    FALSE_HINT = "false_hint"
    HELPS = "helps"
    HELPS_OTHER = "helps_other"
    REINFORCES = "reinforces"
    REVOICES = "revoices"
    PRAISES = "praises"
    SMALL_TALK = "small_talk"
    MANAGES = "manages"
    OUT_OF_GRADE = "out_of_grade"
    INSTRUCTS_MACHINE = "instructs_machine"
    ASKS_IF_REAL = "asks_if_real"
    UNSAFE = "unsafe"
    CRISIS = "crisis"
    PUPIL_DATA = "pupil_data"
    OTHER = "other"


class Mood(StrEnum):
    """How the child feels."""

    FINE = "fine"
    HAPPY = "happy"
    SILLY = "silly"
    TIRED = "tired"
    FRUSTRATED = "frustrated"


class DialogueError(ValueError):
    """A record is not a dialogue; the message names the field and what would be right."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Thought:
    """What the child means to say. `words` is the target length of the turn in words.

    Without answer and reason it is open: kind and mood say how the child takes the turn, the words are the model's own.
    """

    kind: ThoughtKind
    answer: str | None = None
    reason: str | None = None
    misconception: str | None = None
    stage: Stage | None = None
    words: Annotated[
        Whole, Field(ge=1, le=MOST_WORDS), Expected(f"a whole number from 1 to {MOST_WORDS}")
    ] = 5
    mood: Annotated[Mood, BeforeValidator(lambda raw: raw or Mood.FINE)] = Mood.FINE

    @property
    def open(self) -> bool:
        """Whether what is said is left to the model."""
        return self.answer is None and self.reason is None

    def to_json(self) -> dict[str, Any]:
        """Every field, with null for what is absent, so that a reader need not guess."""
        return {
            "kind": self.kind.value,
            "answer": self.answer,
            "reason": self.reason,
            "misconception": self.misconception,
            "stage": self.stage.value if self.stage else None,
            "words": self.words,
            "mood": self.mood.value,
        }

    @classmethod
    def from_json(cls, raw: object) -> Thought:
        """Parse one; raise `DialogueError` naming the field that is wrong."""
        return parse(cls, raw, place="thought", error=DialogueError)


class Role(StrEnum):
    """Who speaks."""

    TEACHER = "teacher"
    STUDENT = "student"


def _only_of(role: Role) -> AfterValidator:
    def check(value: T, turn: ValidationInfo) -> T:
        if value and turn.data.get("role") not in (role, None):
            raise wrong(f"only a {role}'s turn has one")
        return value

    return AfterValidator(check)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a dialogue; teachers have moves, students have thoughts, both optional.

    `move` is what a teacher's turn mainly does, `also` what else it does.
    """

    role: Role
    content: Said
    move: Annotated[MoveKind | None, _only_of(Role.TEACHER)] = None
    thought: Annotated[Thought | None, _only_of(Role.STUDENT)] = None
    also: Annotated[tuple[MoveKind, ...], _only_of(Role.TEACHER)] = ()

    def to_json(self) -> dict[str, Any]:
        """The record's form; optional fields are left out when absent."""
        row: dict[str, Any] = {"role": self.role.value, "content": self.content}
        if self.move is not None:
            row["move"] = self.move.value
        if self.also:
            row["also"] = [move.value for move in self.also]
        if self.thought is not None:
            row["thought"] = self.thought.to_json()
        return row

    @classmethod
    def from_json(cls, raw: object) -> Turn:
        """Parse one; raise `DialogueError` naming the field that is wrong."""
        return parse(cls, raw, known_only=False, error=DialogueError)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One practice conversation. A record that does not say its source is imported."""

    id: Said
    turns: Annotated[tuple[Turn, ...], Field(min_length=1)]
    child: str | None = None
    lesson: str | None = None
    source: Source = "authored"

    def to_json(self) -> dict[str, Any]:
        """The record of `data/dialogues/*.jsonl`."""
        row: dict[str, Any] = {"id": self.id}
        if self.child is not None:
            row["child"] = self.child
        if self.lesson is not None:
            row["lesson"] = self.lesson
        return {**row, "source": self.source, "turns": [turn.to_json() for turn in self.turns]}

    @classmethod
    def from_json(cls, raw: object, *, known_only: bool = False) -> Dialogue:
        """Parse one record; raise `DialogueError` naming the turn and field that is wrong.

        Unknown fields are passed over, but for those of a thought, unless `known_only`.
        """
        row = {"source": "imported", **raw} if isinstance(raw, dict) else raw
        return parse(cls, row, known_only=known_only, error=DialogueError)

    def to_line(self) -> str:
        """One JSON line, without the line end."""
        return json.dumps(self.to_json(), ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> Dialogue:
        """Parse one JSON line; raise `DialogueError`."""
        return cls.from_json(parse_json(line, error=DialogueError))

    def with_turns(self, *turns: Turn) -> Dialogue:
        """The same dialogue with `turns` added at its end."""
        return replace(self, turns=self.turns + turns)

"""What is said: turns, the thought behind a child's turn, and the dialogue record.

This is the format of `data/dialogues/*.jsonl`, of harvests and of replays. It knows nothing of
lessons, models or platforms: whether a move or a misconception exists is checked elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)

MAX_TURN_CHARACTERS = 4_000
"""Longer teacher turns are cut where they enter: Slack's limit, and twice Discord's."""
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


@dataclass(frozen=True, slots=True)
class Thought:
    """What the child means to say. `words` is the target length of the turn in words."""

    kind: ThoughtKind
    answer: str | None = None
    reason: str | None = None
    misconception: str | None = None
    stage: Stage | None = None
    words: int = 5
    mood: Mood = Mood.FINE

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
        if not isinstance(raw, dict):
            raise DialogueError('thought: expected an object such as {"kind": "answer"}')
        unknown = set(raw) - {"kind", "answer", "reason", "misconception", "stage", "words", "mood"}
        if unknown:
            raise DialogueError(f"thought: unknown field {min(unknown)!r}")
        words = raw.get("words", 5)
        if not isinstance(words, int) or isinstance(words, bool) or not 1 <= words <= MOST_WORDS:
            raise DialogueError(
                f"thought.words: expected a whole number from 1 to {MOST_WORDS}, got {words!r}"
            )
        stage = raw.get("stage")
        return cls(
            kind=_member(ThoughtKind, raw.get("kind"), "thought.kind"),
            answer=_text_or_none(raw.get("answer"), "thought.answer"),
            reason=_text_or_none(raw.get("reason"), "thought.reason"),
            misconception=_text_or_none(raw.get("misconception"), "thought.misconception"),
            stage=None if stage is None else _member(Stage, stage, "thought.stage"),
            words=words,
            mood=_member(Mood, raw.get("mood") or "fine", "thought.mood"),
        )


class Role(StrEnum):
    """Who speaks."""

    TEACHER = "teacher"
    STUDENT = "student"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a dialogue; teachers have moves, students have thoughts, both optional."""

    role: Role
    content: str
    move: MoveKind | None = None
    thought: Thought | None = None

    def to_json(self) -> dict[str, Any]:
        """The record's form; optional fields are left out when absent."""
        row: dict[str, Any] = {"role": self.role.value, "content": self.content}
        if self.move is not None:
            row["move"] = self.move.value
        if self.thought is not None:
            row["thought"] = self.thought.to_json()
        return row

    @classmethod
    def from_json(cls, raw: object) -> Turn:
        """Parse one; raise `DialogueError` naming the field that is wrong."""
        if not isinstance(raw, dict):
            raise DialogueError('turn: expected an object with "role" and "content"')
        role = _member(Role, raw.get("role"), "role")
        content = raw.get("content")
        if not isinstance(content, str) or not content.strip():
            raise DialogueError("content: expected text that is not empty")
        move, thought = raw.get("move"), raw.get("thought")
        if move is not None and role is not Role.TEACHER:
            raise DialogueError("move: only a teacher's turn has one")
        if thought is not None and role is not Role.STUDENT:
            raise DialogueError("thought: only a student's turn has one")
        return cls(
            role=role,
            content=content,
            move=None if move is None else _member(MoveKind, move, "move"),
            thought=None if thought is None else Thought.from_json(thought),
        )


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One practice conversation. `source` is authored, harvested or imported."""

    id: str
    turns: tuple[Turn, ...]
    child: str | None = None
    lesson: str | None = None
    source: str = "authored"

    def to_json(self) -> dict[str, Any]:
        """The record of `data/dialogues/*.jsonl`."""
        row: dict[str, Any] = {"id": self.id}
        if self.child is not None:
            row["child"] = self.child
        if self.lesson is not None:
            row["lesson"] = self.lesson
        return {**row, "source": self.source, "turns": [turn.to_json() for turn in self.turns]}

    @classmethod
    def from_json(cls, raw: object) -> Dialogue:
        """Parse one record; raise `DialogueError` naming the turn and field that is wrong."""
        if not isinstance(raw, dict):
            raise DialogueError('expected an object with "id" and "turns"')
        identifier, turns = raw.get("id"), raw.get("turns")
        if not isinstance(identifier, str) or not identifier.strip():
            raise DialogueError("id: expected text that is not empty")
        if not isinstance(turns, list) or not turns:
            raise DialogueError("turns: expected a list of at least one turn")
        source = raw.get("source", "imported")
        if source not in ("authored", "harvested", "imported"):
            raise DialogueError(f"source: expected authored, harvested or imported, got {source!r}")
        parsed = []
        for number, turn in enumerate(turns, start=1):
            try:
                parsed.append(Turn.from_json(turn))
            except DialogueError as error:
                raise DialogueError(f"turn {number}: {error}") from None
        return cls(
            id=identifier,
            turns=tuple(parsed),
            child=_text_or_none(raw.get("child"), "child"),
            lesson=_text_or_none(raw.get("lesson"), "lesson"),
            source=source,
        )

    def to_line(self) -> str:
        """One JSON line, without the line end."""
        return json.dumps(self.to_json(), ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> Dialogue:
        """Parse one JSON line; raise `DialogueError`."""
        try:
            raw = json.loads(line)
        except json.JSONDecodeError as error:
            raise DialogueError(f"not JSON: {error.msg} at column {error.colno}") from None
        except (RecursionError, ValueError):
            raise DialogueError("not a record: nested too deep, or a number too long") from None
        return cls.from_json(raw)

    def with_turns(self, *turns: Turn) -> Dialogue:
        """The same dialogue with `turns` added at its end."""
        return replace(self, turns=self.turns + turns)


def _member(kind: type[E], value: object, field: str) -> E:
    try:
        return kind(value)  # type: ignore[arg-type]
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise DialogueError(f"{field}: expected one of {allowed}; got {value!r}") from None


def _text_or_none(value: object, field: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise DialogueError(f"{field}: expected text or null, got {value!r}")

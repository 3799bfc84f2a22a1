"""Rows of a made-up practice, for what is read from rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.debrief.build import Practice, build
from bot.debrief.record import Debrief
from bot.store.rows import ConversationRow, TurnRow
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MoveKind, Role, Stage, Thought, ThoughtKind
from tests.fakes.students import shipped

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IDEA = "smaller-from-larger"
NIGHT = timedelta(hours=8)
Said = tuple[str, MoveKind | None] | tuple[str, Thought]
"""A teacher's turn with its move, or a child's with its thought."""


def scene(lesson: str = "2.NBT.B.5-subtract") -> Scene:
    children, curriculum = shipped()
    return Scene(children["mia"], curriculum.lessons[lesson], curriculum)


def thought(
    stage: Stage | None = Stage.HOLDS,
    answer: str | None = None,
    kind: ThoughtKind = ThoughtKind.ANSWER,
    reason: str | None = None,
) -> Thought:
    return Thought(kind, answer, reason, IDEA if stage else None, stage)


def practice(
    said: Sequence[Said], *, author: str = "ann", others: Sequence[int] = (), gap: timedelta | None = None
) -> Practice:
    """The turns in order; those whose numbers are in `others` are somebody else's, `gap` lies before the last two."""
    rows = []
    for number, (text, mark) in enumerate(said, start=1):
        late = gap if gap is not None and number > len(said) - 2 else timedelta()
        rows.append(
            TurnRow(
                id=100 + number,
                conversation_id=7,
                number=number,
                role=Role.STUDENT if isinstance(mark, Thought) else Role.TEACHER,
                content=text,
                said_at=BEGAN + timedelta(minutes=number) + late,
                author_hash=None if isinstance(mark, Thought) else "bob" if number in others else author,
                platform_message_id=None,
                move=None if isinstance(mark, Thought) else mark,
                thought=mark if isinstance(mark, Thought) else None,
                voiced=None,
                model=None,
                model_version=None,
                prompt_version=None,
                child="mia",
                lesson="2.NBT.B.5-subtract",
                seed=None,
                prompt_tokens=None,
                completion_tokens=None,
                cost_usd=None,
                latency_ms=None,
                consent=None,
                flag=None,
            )
        )
    conversation = ConversationRow(
        7,
        "discord",
        "room",
        None,
        None,
        "mia",
        None,
        None,
        len(rows),
        BEGAN,
        BEGAN,
        None,
        BEGAN,
        None,
        None,
        None,
    )
    return Practice(conversation, rows, {})


def debrief(said: Sequence[Said], *, mind: bool = True, **more: object) -> Debrief:
    return build(practice(said, **more), "ann", scene(), NIGHT, mind=mind)  # type: ignore[arg-type]

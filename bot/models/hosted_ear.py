"""A hosted model asked what a teacher's turn does, in place of the trained ear: structured, quick, or not at all.

It knows a chat model and the moves. Where it has no answer in time, whoever asks goes on with the trained reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from bot.models.base import ModelUnavailable, Reply
from bot.models.chat import Ask, ChatModel
from bot.student.hearing.heard import Context
from bot.student.records.dialogue import MoveKind
from bot.student.said import Said

SECONDS = 1.5
"""How long a teacher waits for it at most, before the child begins to think."""
MOST_TOKENS = 60
MEANS: Mapping[MoveKind, str] = {
    MoveKind.ASKS: "asks a question or poses a problem that has an answer",
    MoveKind.ASKS_WHY: "asks how the child knows or got there, or to explain or show its thinking",
    MoveKind.SAYS_RIGHT: "says that the child's answer is right",
    MoveKind.SAYS_WRONG: "says that it is wrong or doubts it, without teaching why",
    MoveKind.TELLS: "states the right answer to the question on the table",
    MoveKind.FALSE_HINT: "offers another, wrong answer to it",
    MoveKind.HELPS: "has the child meet what contradicts its wrong idea: material, counterexample, a telling question",
    MoveKind.HELPS_OTHER: "teaches, but nothing that touches that wrong idea",
    MoveKind.REINFORCES: "teaches or confirms the wrong idea itself",
    MoveKind.REVOICES: "says again what the child said",
    MoveKind.PRAISES: "praises or encourages",
    MoveKind.SMALL_TALK: "greets, or talks about the child's life",
    MoveKind.MANAGES: "organises: begin, wait, behave, go on",
    MoveKind.OUT_OF_GRADE: "asks for what later grades teach",
    MoveKind.OTHER: "anything else",
}
"""What each move is, in words for a model."""


class _Answer(BaseModel):
    main: MoveKind
    sure: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Told:
    """A reader that was told what to read: the moves with their likelihood."""

    likely: Mapping[str, float]

    def read(self, features: Mapping[str, float]) -> dict[str, float]:  # noqa: ARG002 - the protocol's name
        """What was told, whatever the features."""
        return dict(self.likely)


async def ask(model: ChatModel, said: Said, context: Context) -> tuple[Told, Reply]:
    """What `said` does, and what asking took; raise `ModelUnavailable` or `ModelRefused`, also when it is too late."""
    settings = Ask(
        model.version,
        MOST_TOKENS,
        0.0,
        more={"response_format": {"type": "json_schema", "json_schema": _SCHEMA}},
    )
    try:
        async with asyncio.timeout(SECONDS):
            reply = await model.complete(_messages(said, context), seed=7, ask=settings)
    except TimeoutError:
        raise ModelUnavailable(f"{model.name}: did not hear within {SECONDS:g} s") from None
    try:
        answer = _Answer.model_validate_json(reply.text)
    except ValidationError:
        raise ModelUnavailable(f"{model.name}: heard no move") from None
    rest = (1 - answer.sure) / (len(MEANS) - 1)
    likely = {move.value: answer.sure if move is answer.main else rest for move in MEANS}
    if answer.main not in MEANS:
        raise ModelUnavailable(f"{model.name}: heard {answer.main.value!r}, which is not its to hear")
    return Told(likely), reply


_SCHEMA = {
    "name": "move",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {
            "main": {"type": "string", "enum": [move.value for move in MEANS]},
            "sure": {"type": "number"},
        },
        "required": ["main", "sure"],
        "additionalProperties": False,
    },
}
_TASK = (
    "A teacher in training talks with a second grader. Say what the teacher's last turn mainly does for this child, "
    "and how sure you are from 0 to 1. The moves:\n"
    + "\n".join(f"{move.value}: {what}" for move, what in MEANS.items())
)


def _messages(said: Said, context: Context) -> list[dict[str, str]]:
    idea = context.active[0].belief if context.active else "none"
    told = (
        f"The child's wrong idea: {idea}\nQuestion on the table: {context.question or 'none'}\n"
        f"Its right answer: {context.right[0] if context.right else 'none'}\n"
        f"The child just said: {context.child or '-'}\n"
        f"The teacher's turn: {said.text}"
    )
    return [{"role": "system", "content": _TASK}, {"role": "user", "content": told}]

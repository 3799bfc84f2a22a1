"""What people think of the child: ratings of a conversation, thumbs and better lines for a single turn.

It knows the store and what is kept there. How people are asked is the platform's business.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from bot.messages import CommandError, Place, Shown
from bot.store.rows import FeedbackKind
from bot.student.guard import safeguard
from bot.student.records.dialogue import Role

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import ConversationRow

RUBRIC = (
    "vocabulary",
    "sentence form",
    "reasoning",
    "misconception fidelity",
    "response to teaching",
    "conversation flow",
    "emotion and attention",
    "curriculum fit",
    "engagement",
)
"""What professors rate, each from 1 to 5."""

UNFIT = (
    "that is not a line for a child, so it was not kept; please write what a second grader would have said"
)
REAL = "that line holds what looks like a real person's data, so it was not kept; please write it without"


class Opinions:
    """Each is kept with its provenance. A `StoreError` passes through."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # A thumb and its taking back may come in one burst, and must not overtake each other.
        self._judging = asyncio.Lock()

    async def rate_line(self, place: Place, author_hash: str, line: str) -> Shown:
        """Rate from text: nine scores in the rubric's order, then a comment."""
        scores: list[int] = []
        rest = line.strip()
        while len(scores) < len(RUBRIC) and (score := re.match(r"([1-5])(?:[\s,;]+|$)", rest)):
            scores.append(int(score.group(1)))
            rest = rest[score.end() :]
        if len(scores) < len(RUBRIC):
            raise CommandError(
                f"give {len(RUBRIC)} scores from 1 to 5, in this order: {', '.join(RUBRIC)}; then a comment"
            )
        return await self.rate(place, author_hash, dict(zip(RUBRIC, scores, strict=True)), rest or None)

    async def rate(
        self, place: Place, author_hash: str, scores: dict[str, int], comment: str | None
    ) -> Shown:
        """Store one person's rating of the conversation that runs in a place."""
        conversation = await self._store.conversation(place.platform, place.channel, place.thread)
        return await self.rate_conversation(conversation, author_hash, scores, comment)

    async def rate_conversation(
        self, conversation: ConversationRow, author_hash: str, scores: dict[str, int], comment: str | None
    ) -> Shown:
        """Store one person's rating of this conversation with its provenance."""
        if set(scores) != set(RUBRIC) or not all(1 <= score <= 5 for score in scores.values()):  # noqa: PLR2004
            raise CommandError(f"give each of {', '.join(RUBRIC)} a score from 1 to 5")
        turns = [turn for turn in await self._store.turns(conversation.id, limit=20) if turn.model]
        if not turns:
            raise CommandError("there is nothing to rate yet: talk with the child first")
        await self._store.add_rating(
            conversation.id,
            author_hash,
            scores,
            comment and safeguard.redact(comment)[0],
            model=turns[-1].model,
            model_version=turns[-1].model_version,
        )
        return Shown("Thank you: your rating is kept with this conversation.")

    async def line_in(self, message_id: str) -> str | None:
        """What the child said in this message of the platform; None for every other message."""
        turn = await self._store.find_turn(message_id)
        return turn.content if turn is not None and turn.role is Role.STUDENT and turn.content else None

    async def feedback(self, message_id: str, author_hash: str, kind: str, text: str | None = None) -> bool:
        """Keep "up", "down" or a "suggestion" (with `text`) on the child's turn in this message of the platform.

        False when the message is none of the child's. The newest of one person and kind counts. Raise `CommandError`
        for a line that is not to be put into a child's mouth.
        """
        async with self._judging:
            turn = await self._store.find_turn(message_id)
            if turn is None or turn.role is not Role.STUDENT:
                return False
            if text and safeguard.redact(text)[1]:
                raise CommandError(REAL)
            if text and safeguard.check(text) is not None:
                raise CommandError(UNFIT)
            await self._store.add_feedback(turn.id, author_hash, FeedbackKind(kind), text)
            return True

    async def take_back(self, message_id: str, author_hash: str, kind: str) -> bool:
        """Take "up" or "down" back from the turn in this message; False when this person's is not there."""
        async with self._judging:
            turn = await self._store.find_turn(message_id)
            return turn is not None and await self._store.take_back_feedback(
                turn.id, author_hash, FeedbackKind(kind)
            )

"""All that a message takes, done once and undone: its statements are made before anybody waits for them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import claims, conversations, outbox, turns
from bot.store.rows import ClaimedMessage, Spoken, StudentTurn, TeacherTurn
from bot.student.records.dialogue import Thought, ThoughtKind


class Undone(Exception):
    """Ends the transaction, so that nothing of it stays."""


async def message(connection: AsyncConnection) -> None:
    """Claim a message of nobody's, read what was said, put an answer into the outbox, log both; raise `Undone`."""
    key, now = f"rehearsal:{uuid4()}", datetime.now(UTC)
    await claims.claim(connection, ClaimedMessage(key, "rehearsal", key, None, "", "", key, now))
    place = await conversations.begin(connection, "rehearsal", key, None, {})
    asked = TeacherTurn("Hi.", now, "")
    answer = StudentTurn("Hi.", now, Thought(ThoughtKind.CHAT, reason="hi", words=1), "", "", "", "", "", "")
    spoken = Spoken("", "Hi.", None, True, place.id, asked, answer, None, None, now)
    await outbox.speak(connection, key, "", spoken)
    await claims.answered(connection, key, place.id)
    await turns.log(connection, place.id, asked, answer, None, None)
    await turns.last(connection, place.id, 2)
    raise Undone

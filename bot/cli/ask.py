"""`ask`: one question and one answer, in a conversation of its own."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from bot.app import App, opened, warm_up
from bot.cli.exits import fail
from bot.config import Settings
from bot.messages import Answer, Message, Place
from bot.replay import Silent


async def ask(settings: Settings, text: str, seed: int | None) -> Answer:
    """What the child says to `text`."""
    async with opened(settings) as parts:
        await warm_up(parts)
        key = uuid.uuid4().hex
        place = Place("ask", key, None)
        await seat(parts, place)
        message = Message(
            key=f"ask:{key}",
            platform=place.platform,
            channel=place.channel,
            thread=None,
            author="terminal",
            text=text,
            sent_at=datetime.now(UTC),
        )
        answer = await parts.classroom.receive(message, Silent(), seed=seed)
    if answer is None:
        fail("there is no answer, or it could not be kept; run python -m bot check")
    return answer


async def seat(parts: App, place: Place) -> None:
    """Write down who sits in a new conversation, so that later settings do not change it."""
    conversation = await parts.store.conversation(place.platform, place.channel, place.thread)
    student = parts.settings.student
    await parts.store.update_conversation(
        conversation.id, child=student.child, lesson=student.lesson, model=student.model
    )

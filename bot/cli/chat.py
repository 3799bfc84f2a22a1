"""`chat`: a conversation in this terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App, opened, warm_up, watching
from bot.cli.ask import seat
from bot.config import Settings
from bot.messages import Place
from bot.platforms.console import ConsoleChat

TERMINALS = frozenset({"console", "ask", "replay"})
"""Whose messages nobody waits for once their program is gone."""


async def chat(settings: Settings, seed: int | None) -> None:
    """Talk until the teacher leaves."""
    async with opened(settings) as parts:
        await warm_up(parts)
        await _give_up_stale(parts)
        place = Place("console", "terminal", None)
        await parts.store.new_conversation(place.platform, place.channel, place.thread)
        await seat(parts, place)
        talk = ConsoleChat(
            parts.classroom,
            parts.commands,
            place,
            parts.classroom.author_hash("console", "terminal"),
            history=history_of(settings),
        )
        room, student = parts.classroom, settings.student
        async with watching(parts.models):
            await talk.serve(room.children[student.child], room.curriculum.lessons[student.lesson], seed)


def history_of(settings: Settings) -> Path:
    """Where the terminal keeps the lines typed into it."""
    return Path(settings.database).with_name("chat_history")


async def _give_up_stale(parts: App) -> None:
    """Nobody waits any more for what a killed terminal left; what another one has in hand is younger."""
    limits = parts.settings.classroom
    oldest = datetime.now(UTC) - timedelta(seconds=limits.reply_seconds + 2 * limits.send_seconds)
    for waiting in await parts.store.unanswered():
        if waiting.platform in TERMINALS and waiting.created_at < oldest:
            await parts.store.mark_failed(waiting.key, "left unanswered by a terminal")

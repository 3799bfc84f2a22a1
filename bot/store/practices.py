"""What a debrief asks of the log: one conversation whole, with what people said of its turns.

It knows no lesson and no platform. Methods raise `StoreError`.
"""

from __future__ import annotations

from bot.store import claims, conversations, opinions, turns
from bot.store.database import Database, chunks
from bot.store.rows import ConversationRow, FeedbackRow, TurnRow


class Practices:
    """The conversations of an open database, the current ones and those that ended."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(
        self, platform: str, channel: str, thread: str | None, author_hash: str | None = None
    ) -> ConversationRow | None:
        """The newest conversation of a place in which that person spoke, or anybody where none is named; None of
        none."""
        async with self._database.reading() as connection:
            return await conversations.newest(connection, platform, channel, thread, author_hash)

    async def of(self, author_hash: str, most: int) -> list[ConversationRow]:
        """The newest conversations, wherever they were, in which that person said something that is still there, newest
        first."""
        async with self._database.reading() as connection:
            return await conversations.of_person(connection, author_hash, most)

    async def get(self, conversation_id: int) -> ConversationRow | None:
        """The conversation of that id, or None."""
        async with self._database.reading() as connection:
            return await conversations.of_id(connection, conversation_id)

    async def said(
        self, conversation_id: int, most: int
    ) -> tuple[list[TurnRow], dict[int, list[FeedbackRow]]]:
        """Its last `most` turns, newest last, without forgotten ones, and what people said of each, by its id."""
        async with self._database.reading() as connection:
            found = await turns.last(connection, conversation_id, most)
            judged: dict[int, list[FeedbackRow]] = {}
            for chunk in chunks([each.id for each in found]):
                judged.update(await opinions.of_turns(connection, chunk))
        return found, judged

    async def unanswered(self, conversation_id: int) -> int:
        """How many messages said in it got no answer, and so are none of its turns."""
        async with self._database.reading() as connection:
            return await claims.failed_in(connection, conversation_id)

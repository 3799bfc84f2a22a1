"""Which scenario is practised where, and another try from an earlier turn.

It knows ids and states of mind as text; what a scenario is, and what a state holds, is the business of others.
"""

from __future__ import annotations

from bot.store import branches, conversations
from bot.store.database import Database, Work
from bot.store.rows import ConversationRow, Moment
from bot.store.whole import whole


class Tries:
    """The tries in one database. Methods raise `StoreError`."""

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work

    @whole
    async def assignment(self, platform: str, channel: str) -> str | None:
        """The scenario with which every conversation in the channel and its threads begins, or None."""
        async with self._database.reading() as connection:
            return await conversations.assignment(connection, platform, channel)

    @whole
    async def assign(self, platform: str, channel: str, scenario: str | None) -> None:
        """Let every conversation in the channel and its threads begin with it; None takes it off."""
        async with self._database.writing() as connection:
            await conversations.assign(connection, platform, channel, scenario)

    @whole
    async def moments(self, conversation: ConversationRow) -> list[Moment]:
        """Every turn of a teacher so far, also of the conversations that this one goes on from, oldest first."""
        async with self._database.reading() as connection:
            return await branches.moments(connection, conversation)

    @whole
    async def mind_at(self, moment: Moment) -> str | None:
        """The child's state at that moment; None at the beginning, and where it is not kept."""
        async with self._database.reading() as connection:
            return await branches.mind_at(connection, moment)

    @whole
    async def branch(self, current: ConversationRow, moment: Moment, mind: str | None) -> ConversationRow:
        """End `current`, and begin a conversation in its place that goes on at that moment with that state."""
        async with self._database.writing() as connection:
            return await branches.branch(connection, current, moment, mind)

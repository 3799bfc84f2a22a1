"""Another try: a conversation that goes on behind an earlier turn of another one.

Works inside a transaction of `store`. Nothing is copied but the child's state: what was said before is read from where
it was said, so that who is forgotten there is forgotten here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import conversations, turns
from bot.store.database import StoreError, chunks, insert, name_of
from bot.store.rows import ConversationRow, Moment, TurnRow
from bot.store.tables import conversations as table
from bot.store.tables import turns as said
from bot.student.records.dialogue import Role


async def told(connection: AsyncConnection, conversation: ConversationRow, limit: int) -> list[TurnRow]:
    """The last `limit` turns of a conversation with those before it that it goes on from, newest last."""
    found: list[TurnRow] = []
    for place, up_to in await _chain(connection, conversation):
        found = await turns.last(connection, place, limit - len(found), up_to=up_to) + found
        if len(found) >= limit:
            break
    return found


async def moments(connection: AsyncConnection, conversation: ConversationRow) -> list[Moment]:
    """Every turn of a teacher in a conversation and in those it goes on from, oldest first, also those taken out."""
    found: list[Moment] = []
    spoken: datetime | None = None
    for place, up_to in reversed(await _chain(connection, conversation)):
        rows = await connection.execute(
            select(said.c.number, said.c.role, said.c.content, said.c.said_at, said.c.lesson)
            .where(said.c.conversation_id == place, said.c.number <= up_to)
            .order_by(said.c.number)
        )
        for row in rows:
            if row.role == Role.TEACHER:
                found.append(Moment(place, row.number, row.content, row.said_at, spoken))
                continue
            spoken = row.said_at
            if found and found[-1].number == row.number - 1:
                found[-1] = replace(found[-1], lesson=row.lesson)
    return found


async def mind_at(connection: AsyncConnection, moment: Moment) -> str | None:
    """The child's state at that moment; None at the beginning, and where it is not kept."""
    here = (said.c.conversation_id == moment.conversation_id, said.c.number == moment.number)
    found: str | None = await connection.scalar(select(said.c.mind).where(*here))
    return found


async def branch(
    connection: AsyncConnection, current: ConversationRow, moment: Moment, mind: str | None
) -> ConversationRow:
    """End the current conversation of a place, and begin one there that goes on at that moment with that state."""
    await conversations.end(connection, current.id)
    now = datetime.now(UTC)
    await connection.execute(
        insert(connection, table)
        .values(
            platform=current.platform,
            channel=current.channel,
            thread=current.thread or "",
            model=current.model,
            child=current.child,
            lesson=moment.lesson or current.lesson,
            scenario=current.scenario,
            mind=mind,
            turns=moment.number - 1,
            created_at=now,
            updated_at=now,
            branch_of=moment.conversation_id,
            branch_at=moment.number - 1,
        )
        .on_conflict_do_nothing()
    )
    place = (current.platform, current.channel, current.thread)
    row = await conversations.current(connection, *place)
    if row is None or row.branch_of != moment.conversation_id:
        raise StoreError(f"{name_of(connection)}: another conversation began here meanwhile; try again")
    return row


async def family(connection: AsyncConnection, ids: Sequence[int]) -> list[int]:
    """Those conversations and all that go on from them, however far."""
    found, newest = set(ids), sorted(set(ids))
    while newest:
        later: set[int] = set()
        for chunk in chunks(newest):
            rows = await connection.execute(select(table.c.id).where(table.c.branch_of.in_(chunk)))
            later.update(rows.scalars())
        newest = sorted(later - found)
        found.update(newest)
    return sorted(found)


async def _chain(connection: AsyncConnection, conversation: ConversationRow) -> list[tuple[int, int]]:
    """The conversation and those it goes on from, newest first, each with the number of the last turn that counts."""
    found = [(conversation.id, turns.MOST)]
    place, up_to = conversation.branch_of, conversation.branch_at
    while place is not None and up_to is not None:
        found.append((place, up_to))
        row = (
            await connection.execute(select(table.c.branch_of, table.c.branch_at).where(table.c.id == place))
        ).one_or_none()
        place, up_to = (row.branch_of, row.branch_at) if row else (None, None)
    return found

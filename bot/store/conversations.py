"""Conversations: one current one for each place, and the scenario with which all in a channel begin.

Works inside a transaction of `store`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Row, and_, bindparam, case, delete, func, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import StoreError, insert, missing
from bot.store.rows import ConversationChanges, ConversationRow
from bot.store.tables import assignments, conversations, turns
from bot.student.records.dialogue import Role

# Of every message, so they are made but once.
_CURRENT = select(conversations).where(
    conversations.c.platform == bindparam("platform"),
    conversations.c.channel == bindparam("channel"),
    conversations.c.thread == bindparam("thread"),
    conversations.c.ended_at.is_(None),
)
_GONE = or_(
    conversations.c.ended_at.is_not(None),
    and_(bindparam("had_mind", type_=Boolean), conversations.c.mind.is_(None)),
)
_LENGTHEN = (
    update(conversations)
    .where(conversations.c.id == bindparam("place"))
    .values(
        turns=conversations.c.turns + bindparam("by"),
        mind=case((_GONE, null()), else_=bindparam("new_mind", type_=conversations.c.mind.type)),
        updated_at=bindparam("now"),
        spoken_at=case(
            (bindparam("spoke", type_=Boolean), bindparam("now", type_=conversations.c.spoken_at.type)),
            else_=conversations.c.spoken_at,
        ),
    )
    .returning(conversations.c.turns, conversations.c.mind)
)


async def current(
    connection: AsyncConnection, platform: str, channel: str, thread: str | None
) -> ConversationRow | None:
    """The current conversation of a place, or None."""
    place = {"platform": platform, "channel": channel, "thread": thread or ""}
    row = (await connection.execute(_CURRENT, place)).one_or_none()
    return None if row is None else _conversation(row)


async def places(
    connection: AsyncConnection, platform: str, since: datetime | None
) -> list[tuple[str, str | None]]:
    """Channels and threads where something was said, newest first; with `since`, said no longer ago."""
    newest_of_all = func.max(conversations.c.updated_at)
    found = (
        select(conversations.c.channel, conversations.c.thread)
        .where(conversations.c.platform == platform, conversations.c.turns > 0, conversations.c.channel != "")
        .group_by(conversations.c.channel, conversations.c.thread)
        .order_by(newest_of_all.desc())
    )
    if since is not None:
        found = found.having(newest_of_all >= since)
    return [(row.channel, row.thread or None) for row in await connection.execute(found)]


async def newest(
    connection: AsyncConnection, platform: str, channel: str, thread: str | None, author_hash: str | None
) -> ConversationRow | None:
    """The newest conversation of a place in which that person said something that is still there, or anybody where
    none is named; None of none."""
    said = select(turns.c.id).where(
        turns.c.conversation_id == conversations.c.id, turns.c.role == Role.TEACHER, turns.c.content != ""
    )
    if author_hash is not None:
        said = said.where(turns.c.author_hash == author_hash)
    found = await connection.execute(
        select(conversations)
        .where(
            conversations.c.platform == platform,
            conversations.c.channel == channel,
            conversations.c.thread == (thread or ""),
            said.exists(),
        )
        .order_by(conversations.c.id.desc())
        .limit(1)
    )
    row = found.one_or_none()
    return None if row is None else _conversation(row)


async def of_id(connection: AsyncConnection, conversation_id: int) -> ConversationRow | None:
    """The conversation of that id, or None."""
    found = await connection.execute(select(conversations).where(conversations.c.id == conversation_id))
    row = found.one_or_none()
    return None if row is None else _conversation(row)


async def of_person(connection: AsyncConnection, author_hash: str, most: int) -> list[ConversationRow]:
    """The newest conversations in which that person said something that is still there, newest first."""
    said = select(turns.c.conversation_id).where(turns.c.author_hash == author_hash, turns.c.content != "")
    found = await connection.execute(
        select(conversations)
        .where(conversations.c.id.in_(said))
        .order_by(conversations.c.id.desc())
        .limit(most)
    )
    return [_conversation(row) for row in found]


async def begin(
    connection: AsyncConnection,
    platform: str,
    channel: str,
    thread: str | None,
    settings: Mapping[str, str | None],
) -> ConversationRow:
    """The new current conversation of a place; a scenario that is assigned to its channel comes before any other."""
    now = datetime.now(UTC)
    if assigned := await assignment(connection, platform, channel):
        settings = {**settings, "scenario": assigned}
    await connection.execute(
        insert(connection, conversations)
        .values(
            platform=platform,
            channel=channel,
            thread=thread or "",
            turns=0,
            created_at=now,
            updated_at=now,
            **settings,
        )
        .on_conflict_do_nothing()  # another program was faster: its conversation is as good
    )
    row = await current(connection, platform, channel, thread)
    if row is None:
        raise StoreError(f"the conversation in {platform} {channel} ended while it began; try again")
    return row


async def begin_anew(
    connection: AsyncConnection, platform: str, channel: str, thread: str | None
) -> ConversationRow:
    """End the current conversation of a place and begin one with the same model, child, lesson and scenario."""
    old = await current(connection, platform, channel, thread)
    settings: dict[str, str | None] = {}
    if old is not None:
        settings = {
            "model": old.model,
            "child": old.child,
            "lesson": old.lesson,
            "scenario": old.scenario,
        }
        await end(connection, old.id)
    return await begin(connection, platform, channel, thread, settings)


async def end(connection: AsyncConnection, conversation_id: int) -> None:
    """End a conversation."""
    await connection.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(ended_at=datetime.now(UTC))
    )


async def assignment(connection: AsyncConnection, platform: str, channel: str) -> str | None:
    """The scenario with which every conversation in the channel begins, or None."""
    here = (assignments.c.platform == platform, assignments.c.channel == channel)
    found: str | None = await connection.scalar(select(assignments.c.scenario).where(*here))
    return found


async def assign(connection: AsyncConnection, platform: str, channel: str, scenario: str | None) -> None:
    """Let every conversation in the channel begin with that scenario; None takes it off."""
    here = (assignments.c.platform == platform, assignments.c.channel == channel)
    await connection.execute(delete(assignments).where(*here))
    if scenario is not None:
        values = {"platform": platform, "channel": channel, "scenario": scenario}
        await connection.execute(insert(connection, assignments).values(**values).on_conflict_do_nothing())


async def change(
    connection: AsyncConnection, conversation_id: int, changes: ConversationChanges
) -> ConversationRow:
    """Change what is named, keep the rest. Raises `StoreError` for no such id."""
    found = await connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(**changes, updated_at=datetime.now(UTC))
        .returning(conversations)
    )
    row = found.one_or_none()
    if row is None:
        raise missing(connection, "conversation", conversation_id)
    return _conversation(row)


async def lengthen(  # noqa: PLR0913 - what one exchange changes
    connection: AsyncConnection,
    conversation_id: int,
    by: int,
    mind: str | None,
    mind_before: str | None,
    *,
    spoke: bool,
) -> tuple[int, bool]:
    """Count `by` more turns and keep the child's state; gives the number of the last one, and whether it was kept.
    `spoke` says whether one of them is the child's. Raises `StoreError`.

    This locks the row: two programs cannot give two turns the same number.
    """
    values = {
        "place": conversation_id,
        "by": by,
        "new_mind": mind,
        "had_mind": mind_before is not None,
        "spoke": spoke,
        "now": datetime.now(UTC),
    }
    row = (await connection.execute(_LENGTHEN, values)).one_or_none()
    if row is None:
        raise missing(connection, "conversation", conversation_id)
    return row.turns, row.mind is not None


async def check(connection: AsyncConnection, conversation_id: int) -> None:
    """Raise `StoreError` for no such id."""
    found = select(conversations.c.id).where(conversations.c.id == conversation_id)
    if await connection.scalar(found) is None:
        raise missing(connection, "conversation", conversation_id)


def _conversation(row: Row[Any]) -> ConversationRow:
    return ConversationRow(**{**row._mapping, "thread": row.thread or None})  # noqa: SLF001 - its public name

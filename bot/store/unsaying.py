"""A message that was deleted where it was said leaves the log, too. Works inside a transaction of `store`."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import claims, leaving
from bot.store.database import one_at_a_time
from bot.store.tables import candidates, turns
from bot.store.turns import answered_by
from bot.student.records.dialogue import Role

DELETED = "deleted"


async def unsay(connection: AsyncConnection, message_id: str) -> int:
    """Blank the turn of that message, with the answers to a teacher's; give up on one that waits. Candidates with it
    are blanked. Gives how many turns are blank now."""
    await one_at_a_time(connection, leaving.PEOPLE)
    await claims.fail(connection, message_id, DELETED)
    found = await connection.execute(
        select(turns.c.id, turns.c.conversation_id, turns.c.number, turns.c.role).where(
            turns.c.platform_message_id == message_id, turns.c.content != ""
        )
    )
    blank: list[int] = []
    for said in found.all():
        blank.append(said.id)
        if said.role == Role.TEACHER:
            answers = await connection.execute(answered_by(turns.c.id == said.id))
            blank += list(answers.scalars())
        # The child remembers it in its states since.
        since = (turns.c.conversation_id == said.conversation_id, turns.c.number > said.number)
        await connection.execute(update(turns).where(*since).values(mind=None))
        kept = await connection.execute(
            select(candidates.c.key, candidates.c.lineage).where(
                candidates.c.conversation_id == said.conversation_id, candidates.c.lineage.is_not(None)
            )
        )
        theirs = [row.key for row in kept if not set(blank).isdisjoint(row.lineage["turns"])]
        await leaving.blank(connection, theirs)
    await connection.execute(
        update(turns).where(turns.c.id.in_(blank)).values(content="", thought=None, flag=DELETED)
    )
    return len(blank)

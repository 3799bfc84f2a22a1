"""How candidates for training go: their people withdraw or are forgotten, or they became too old.

Works inside a transaction of `store`. The harvested files are `harvested`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import chunks, one_at_a_time
from bot.store.rows import CandidateState
from bot.store.tables import candidate_people, candidates, reviews

PEOPLE = "people"
"""Held by whatever stores words of people, or takes them away: nobody's come back behind a farewell."""


async def withdraw(connection: AsyncConnection, author_hash: str) -> int:
    """Withdraw every pending candidate with this person in it; count them."""
    await one_at_a_time(connection, PEOPLE)
    mine = select(candidate_people.c.candidate_key).where(candidate_people.c.author_hash == author_hash)
    gone = await connection.execute(
        update(candidates)
        .where(candidates.c.key.in_(mine), candidates.c.state == CandidateState.PENDING)
        .values(state=CandidateState.WITHDRAWN)
    )
    return gone.rowcount


async def forget(connection: AsyncConnection, author_hash: str) -> tuple[list[str], int]:
    """Blank every candidate with this person in it, and delete what reviewers made of it.

    Gives the keys of the candidates, and how many reviews are gone.
    """
    found = await connection.execute(
        select(candidate_people.c.candidate_key).where(candidate_people.c.author_hash == author_hash)
    )
    keys = list(found.scalars())
    return keys, await blank(connection, keys)


async def blank(connection: AsyncConnection, keys: Sequence[str]) -> int:
    """Blank these candidates and delete what reviewers made of them; count the reviews."""
    gone = 0
    for chunk in chunks(keys):
        deleted = await connection.execute(delete(reviews).where(reviews.c.candidate_key.in_(chunk)))
        gone += deleted.rowcount
        await connection.execute(delete(candidate_people).where(candidate_people.c.candidate_key.in_(chunk)))
        await connection.execute(
            update(candidates)
            .where(candidates.c.key.in_(chunk))
            .values(state=CandidateState.FORGOTTEN, record=None, lineage=None)
        )
    return gone


async def purge(connection: AsyncConnection, before: datetime) -> int:
    """Delete what was harvested before that time and never published, reviewed or not; count it."""
    return await drop(connection, and_(candidates.c.created_at < before, candidates.c.published.is_(None)))


async def drop(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Delete these candidates with their reviews; count them."""
    gone = select(candidates.c.key).where(which)
    await connection.execute(delete(reviews).where(reviews.c.candidate_key.in_(gone)))
    await connection.execute(delete(candidate_people).where(candidate_people.c.candidate_key.in_(gone)))
    return (await connection.execute(delete(candidates).where(which))).rowcount

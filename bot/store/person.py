"""What the store keeps of one person: handed out on request, and taken out on request.

Works inside a transaction that `store` opens.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, RowMapping, Update, and_, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import branches, courses, leaving, tables
from bot.store.claims import GONE
from bot.store.database import chunks, one_at_a_time
from bot.store.rows import ClaimState, ForgetReport
from bot.store.tables import (
    assignments,
    candidate_people,
    candidates,
    claims,
    consents,
    conversations,
    feedback,
    members,
    ratings,
    shares,
    turns,
)
from bot.store.turns import answered_by, answers_to

NEVER_SENT_AGAIN = timedelta(days=1)
"""After so long no platform sends a message again, and none is looked up in a channel's history."""


async def export(connection: AsyncConnection, author_hash: str) -> dict[str, Any]:
    """Everything kept of a person, ready for JSON."""
    answers = turns.alias()
    said = await connection.execute(
        select(
            turns.c.conversation_id,
            turns.c.number,
            turns.c.said_at,
            turns.c.content,
            turns.c.move,
            turns.c.flag,
            turns.c.consent,
            turns.c.platform_message_id,
            answers.c.content.label("answer"),
        )
        .select_from(turns.outerjoin(answers, answers_to(turns, answers)))
        .where(turns.c.author_hash == author_hash)
        .order_by(turns.c.conversation_id, turns.c.number, answers.c.number)
    )
    exported: dict[str, Any] = {"author_hash": author_hash, "turns": _turns(said.mappings())}
    for table in (feedback, ratings, consents, members, shares, tables.courses):
        columns = [column for column in table.c if column.name != "author_hash"]
        kept = select(*columns).where(table.c.author_hash == author_hash).order_by(table.c.at)
        exported[table.name] = [_plain(row) for row in (await connection.execute(kept)).mappings()]
    waiting = select(claims.c.payload).where(claims.c.author_hash == author_hash)
    exported["candidates"] = await _candidates(connection, author_hash)
    exported["waiting"] = list((await connection.execute(waiting)).scalars())
    return exported


async def forget(connection: AsyncConnection, author_hash: str) -> tuple[ForgetReport, list[str]]:
    """Blank or delete everything of a person; count the rows of each kind, and name the candidates."""

    async def count(statement: Update | Delete) -> int:
        return (await connection.execute(statement)).rowcount

    await one_at_a_time(connection, leaving.PEOPLE)
    # Claims first: who is just being answered is waited for, and nothing of them is logged any more.
    waiting = await count(
        update(claims)
        .where(claims.c.author_hash == author_hash)
        .values(state=ClaimState.FAILED, reason="forgotten", **GONE)
    )
    other = turns.alias()
    shared = (
        select(other.c.id)
        .where(other.c.conversation_id == conversations.c.id, other.c.author_hash != author_hash)
        .exists()
    )
    mine = select(turns.c.conversation_id).where(turns.c.author_hash == author_hash).distinct()
    # Another try goes on with the state of the one before. Named one by one, so that none is searched for.
    together = chunks(await branches.family(connection, list((await connection.execute(mine)).scalars())))
    for ids in together:
        await count(update(conversations).where(conversations.c.id.in_(ids)).values(mind=None))
        remembered = (turns.c.conversation_id.in_(ids), turns.c.mind.is_not(None))
        await count(update(turns).where(*remembered).values(mind=None))
    now = literal(datetime.now(UTC), conversations.c.ended_at.type)
    # A direct message's channel is as good as a name: where nobody else spoke, the place is forgotten, too.
    await count(delete(assignments).where(_their_own(author_hash)))
    for ids in together:
        await count(
            update(conversations)
            .where(conversations.c.id.in_(ids), ~shared)
            .values(channel="", thread="", ended_at=func.coalesce(conversations.c.ended_at, now))
        )
    # The ids of messages that no platform will send again.
    said = select(turns.c.platform_message_id).where(turns.c.author_hash == author_hash)
    long_ago = claims.c.claimed_at < datetime.now(UTC) - NEVER_SENT_AGAIN
    await count(delete(claims).where(claims.c.message_key.in_(said), long_ago))
    # Answers first: they are found through the questions, which lose their author.
    answers = (await connection.execute(answered_by(turns.c.author_hash == author_hash))).scalars()
    blank = {"content": "", "thought": None, "platform_message_id": None}
    student_turns = 0
    for few in chunks(list(answers)):
        student_turns += await count(update(turns).where(turns.c.id.in_(few)).values(blank))
    joined = await courses.forget(connection, author_hash)
    keys, reviewed = await leaving.forget(connection, author_hash)
    report = ForgetReport(
        student_turns=student_turns,
        teacher_turns=await count(
            update(turns)
            .where(turns.c.author_hash == author_hash)
            .values(content="", author_hash=None, platform_message_id=None)
        ),
        feedback=await count(delete(feedback).where(feedback.c.author_hash == author_hash)),
        ratings=await count(delete(ratings).where(ratings.c.author_hash == author_hash)),
        consents=await count(delete(consents).where(consents.c.author_hash == author_hash)),
        claims=waiting,
        candidates=len(keys),
        reviews=reviewed,
        courses=joined,
    )
    return report, keys


def _their_own(author_hash: str) -> ColumnElement[bool]:
    """Whether the channel of an assignment is one in which this person spoke and nobody else did."""
    other = turns.alias()
    here = and_(
        conversations.c.platform == assignments.c.platform, conversations.c.channel == assignments.c.channel
    )
    spoke = select(turns.c.id).join(conversations).where(here, turns.c.author_hash == author_hash)
    others = (
        select(other.c.id)
        .join(conversations, conversations.c.id == other.c.conversation_id)
        .where(here, other.c.author_hash != author_hash)
    )
    return and_(spoke.exists(), ~others.exists())


async def _candidates(connection: AsyncConnection, author_hash: str) -> list[dict[str, Any]]:
    """Which candidates hold the person's words, ready for JSON."""
    found = await connection.execute(
        select(
            candidates.c.key,
            candidates.c.conversation_id,
            candidates.c.state,
            candidates.c.published,
            candidates.c.created_at,
        )
        .join(candidate_people)
        .where(candidate_people.c.author_hash == author_hash)
        .order_by(candidates.c.key)
    )
    return [{**row, "created_at": row["created_at"].isoformat()} for row in found.mappings()]


def _plain(row: RowMapping) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _turns(said: Iterable[RowMapping]) -> list[dict[str, Any]]:
    """The turns, each once, with the answers of all children that gave one, line by line."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for row in said:
        key = (row["conversation_id"], row["number"])
        if key in found:
            found[key]["answer"] += f"\n{row['answer']}"
        else:
            found[key] = _plain(row)
    return list(found.values())

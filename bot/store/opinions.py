"""What people think of it: feedback on a turn, ratings of a conversation. Works inside a transaction of `store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import conversations, leaving
from bot.store.database import StoreError, insert, missing, one_at_a_time
from bot.store.rows import FeedbackKind, FeedbackRow, RatingRow
from bot.store.tables import feedback, ratings, turns

SCORES = range(1, 6)


async def judge(
    connection: AsyncConnection, turn_id: int, author_hash: str, kind: FeedbackKind, text: str | None
) -> None:
    """Note one person's judgement of a turn; saying it again replaces it, and up replaces down.

    Raises `StoreError` for no such turn.
    """
    opposite = {FeedbackKind.UP: FeedbackKind.DOWN, FeedbackKind.DOWN: FeedbackKind.UP}.get(kind)
    said = {"text": text, "at": datetime.now(UTC)}
    # On PostgreSQL no key holds the turn until this is stored: this does.
    await one_at_a_time(connection, leaving.PEOPLE)
    if await connection.scalar(select(turns.c.id).where(turns.c.id == turn_id)) is None:
        raise missing(connection, "turn", turn_id)
    await connection.execute(
        delete(feedback).where(
            feedback.c.turn_id == turn_id,
            feedback.c.author_hash == author_hash,
            feedback.c.kind == opposite,
        )
    )
    await connection.execute(
        insert(connection, feedback)
        .values(turn_id=turn_id, author_hash=author_hash, kind=kind, **said)
        .on_conflict_do_update(index_elements=["turn_id", "author_hash", "kind"], set_=said)
    )


async def take_back(connection: AsyncConnection, turn_id: int, author_hash: str, kind: FeedbackKind) -> bool:
    """Remove one person's judgement of that kind from a turn; False when there is none."""
    gone = await connection.execute(
        delete(feedback).where(
            feedback.c.turn_id == turn_id,
            feedback.c.author_hash == author_hash,
            feedback.c.kind == kind,
        )
    )
    return gone.rowcount == 1


async def of_turns(connection: AsyncConnection, turn_ids: Sequence[int]) -> dict[int, list[FeedbackRow]]:
    """What people think of each of these turns, oldest first."""
    found: dict[int, list[FeedbackRow]] = {each: [] for each in turn_ids}
    judged = await connection.execute(
        select(feedback).where(feedback.c.turn_id.in_(found)).order_by(feedback.c.at)
    )
    for row in judged:
        values = {**row._mapping, "kind": FeedbackKind(row.kind)}  # noqa: SLF001 - its public name
        found[row.turn_id].append(FeedbackRow(**values))
    return found


async def rate(  # noqa: PLR0913 - one per column
    connection: AsyncConnection,
    conversation_id: int,
    author_hash: str,
    scores: Mapping[str, int],
    comment: str | None,
    *,
    model: str | None,
    model_version: str | None,
) -> int:
    """Note one person's rating of a conversation; give its id. Raises `StoreError` for other scores than 1 to 5, or
    no such conversation."""
    for name, score in scores.items():
        if score not in SCORES:
            raise StoreError(f"rating {name!r}: expected a whole number from 1 to 5, got {score!r}")
    await conversations.check(connection, conversation_id)
    added = await connection.execute(
        insert(connection, ratings)
        .values(
            conversation_id=conversation_id,
            author_hash=author_hash,
            scores=dict(scores),
            comment=comment,
            at=datetime.now(UTC),
            model=model,
            model_version=model_version,
        )
        .returning(ratings.c.id)
    )
    return int(added.scalar_one())


async def rated(connection: AsyncConnection, conversation_id: int | None) -> list[RatingRow]:
    """The ratings of a conversation, or of all, oldest first."""
    chosen = select(ratings).order_by(ratings.c.id)
    if conversation_id is not None:
        chosen = chosen.where(ratings.c.conversation_id == conversation_id)
    found = await connection.execute(chosen)
    return [RatingRow(**row._mapping) for row in found]  # noqa: SLF001 - its public name

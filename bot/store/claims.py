"""Messages: each claimed once, by one program, then answered or given up. Works inside a transaction of `store`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import insert
from bot.store.rows import ClaimedMessage, ClaimState
from bot.store.tables import claims, storable

# Of every message, so it is made but once.
_ANSWER = (
    update(claims)
    .where(claims.c.message_key == bindparam("key"), claims.c.state == ClaimState.CLAIMED)
    .values(state=ClaimState.ANSWERED, conversation_id=bindparam("place"), payload=None, author_hash=None)
)


async def probe(connection: AsyncConnection) -> None:
    """Write a claim of nobody's and delete it."""
    key = f"probe:{uuid4()}"
    await connection.execute(
        insert(connection, claims).values(
            message_key=key, claimed_at=datetime.now(UTC), state=ClaimState.FAILED
        )
    )
    await connection.execute(delete(claims).where(claims.c.message_key == key))


async def claim(connection: AsyncConnection, message: ClaimedMessage) -> bool:
    """Take the message; False when this or another program already did, ever."""
    payload = {
        **asdict(message),
        "text": storable(message.text),
        "created_at": message.created_at.astimezone(UTC).isoformat(),
    }
    values = {
        "message_key": message.key,
        "author_hash": message.author_hash,
        "payload": payload,
        "claimed_at": datetime.now(UTC),
        "state": ClaimState.CLAIMED,
    }
    result = await connection.execute(insert(connection, claims).on_conflict_do_nothing(), values)
    return result.rowcount == 1


async def unanswered(connection: AsyncConnection) -> list[ClaimedMessage]:
    """Messages claimed but neither answered nor failed, oldest first."""
    found = await connection.execute(
        select(claims.c.payload)
        .where(claims.c.state == ClaimState.CLAIMED)
        .order_by(claims.c.claimed_at, claims.c.message_key)
    )
    return [_message(payload) for payload in found.scalars()]


async def fail(connection: AsyncConnection, key: str, reason: str) -> None:
    """Give up on a claimed message, and let go of its text; one already answered stays answered."""
    await connection.execute(
        update(claims)
        .where(claims.c.message_key == key, claims.c.state == ClaimState.CLAIMED)
        .values(state=ClaimState.FAILED, reason=reason, payload=None, author_hash=None)
    )


async def answer(connection: AsyncConnection, key: str, conversation_id: int) -> bool:
    """Mark a message as answered; False when it does not wait for an answer."""
    waiting = await connection.execute(_ANSWER, {"key": key, "place": conversation_id})
    return waiting.rowcount == 1


def _message(payload: Mapping[str, Any]) -> ClaimedMessage:
    return ClaimedMessage(**{**payload, "created_at": datetime.fromisoformat(payload["created_at"])})

"""Messages: each claimed once, by one program, then answered or given up. Works inside a transaction of `store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import StoreError, chunks, insert, name_of
from bot.store.rows import ClaimedMessage, ClaimState
from bot.store.tables import claims, storable

WAITS = (ClaimState.CLAIMED, ClaimState.SPOKEN)
"""The states of a message that waits for its answer."""
GONE = {"payload": None, "spoken": None, "author_hash": None, "program": None, "not_before": None}
"""What is let go of when it waits no more."""

# Of every message, so it is made but once.
_ANSWER = (
    update(claims)
    .where(claims.c.message_key == bindparam("key"), claims.c.state.in_(WAITS))
    .values(state=ClaimState.ANSWERED, conversation_id=bindparam("place"), **GONE)
)
_GO_ON = (
    update(claims)
    .where(claims.c.message_key == bindparam("key"), claims.c.state.in_(WAITS))
    .values(state=ClaimState.SPOKEN, spoken=bindparam("said", type_=claims.c.spoken.type), not_before=None)
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


async def claim(connection: AsyncConnection, message: ClaimedMessage, program: str | None = None) -> bool:
    """Take the message for `program`; False when this or another program already did, ever."""
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
        "program": program,
    }
    result = await connection.execute(insert(connection, claims).on_conflict_do_nothing(), values)
    return result.rowcount == 1


async def refuse(connection: AsyncConnection, key: str, reason: str) -> bool:
    """Note that a message is not taken; False when it already was."""
    values = {
        "message_key": key,
        "claimed_at": datetime.now(UTC),
        "state": ClaimState.FAILED,
        "reason": reason,
    }
    result = await connection.execute(insert(connection, claims).on_conflict_do_nothing(), values)
    return result.rowcount == 1


async def known(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Which of these messages were taken by whomever, ever."""
    found: set[str] = set()
    for chunk in chunks(keys):
        rows = await connection.execute(select(claims.c.message_key).where(claims.c.message_key.in_(chunk)))
        found.update(rows.scalars())
    return found


async def unanswered(connection: AsyncConnection) -> list[ClaimedMessage]:
    """Messages claimed but neither answered nor failed, oldest first."""
    found = await connection.execute(
        select(claims.c.payload)
        .where(claims.c.state.in_(WAITS))
        .order_by(claims.c.claimed_at, claims.c.message_key)
    )
    return [message(payload) for payload in found.scalars()]


async def failed_in(connection: AsyncConnection, conversation_id: int) -> int:
    """How many messages said in that conversation were given up."""
    found = select(func.count()).where(
        claims.c.conversation_id == conversation_id, claims.c.state == ClaimState.FAILED
    )
    return (await connection.execute(found)).scalar_one()


async def fail(
    connection: AsyncConnection, key: str, reason: str, conversation_id: int | None = None
) -> None:
    """Give up on a claimed message, and let go of its text; one already answered stays answered."""
    await connection.execute(
        update(claims)
        .where(claims.c.message_key == key, claims.c.state.in_(WAITS))
        .values(state=ClaimState.FAILED, reason=reason, conversation_id=conversation_id, **GONE)
    )


async def answered(
    connection: AsyncConnection, key: str, conversation_id: int, then: object | None = None
) -> None:
    """Mark a message as answered, or keep it waiting for what is to be said `then`. Raises `StoreError` when it does
    not wait for an answer."""
    if then is None:
        done = await connection.execute(_ANSWER, {"key": key, "place": conversation_id})
    else:
        done = await connection.execute(_GO_ON, {"key": key, "said": then})
    if done.rowcount != 1:
        raise StoreError(
            f"{name_of(connection)}: message {key} does not wait for an answer, so nothing was logged",
            final=True,
        )


def message(payload: Mapping[str, Any]) -> ClaimedMessage:
    """What was claimed, as it was."""
    return ClaimedMessage(**{**payload, "created_at": datetime.fromisoformat(payload["created_at"])})

"""Messages: each claimed once, by one program, then answered or given up. Works inside a transaction of `store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import StoreError, chunks, insert, name_of
from bot.store.rows import ClaimedMessage, ClaimState, Standing
from bot.store.tables import claims, storable

WAITS = (ClaimState.CLAIMED, ClaimState.SPOKEN)
"""The states of a message that waits for its answer."""
WAITING = claims.c.state.in_(
    bindparam("waits", [str(each) for each in WAITS], expanding=True, literal_execute=True)
)
"""Written out in the statement, or SQLite would not know that it may look into the index of what waits."""
GONE = dict.fromkeys(("payload", "spoken", "author_hash", "program", "not_before", "place", "in_hand"))
"""What is let go of when it waits no more."""

# Of every message, so it is made but once.
_ANSWER = (
    update(claims)
    .where(claims.c.message_key == bindparam("key"), WAITING)
    .values(state=ClaimState.ANSWERED, conversation_id=bindparam("conversation"), **GONE)
)
_GO_ON = (
    update(claims)
    .where(claims.c.message_key == bindparam("key"), WAITING)
    .values(state=ClaimState.SPOKEN, spoken=bindparam("said", type_=claims.c.spoken.type), not_before=None)
)

_other = claims.alias("other")
_IN_HAND = case(
    (exists().where(_other.c.place == bindparam("line", type_=Text)), null()),
    else_=bindparam("line", type_=Text),
)
"""Of a message that comes: it is in hand at once where no other one waits in its conversation."""
_BEGIN = (
    update(claims)
    .where(
        claims.c.message_key == bindparam("key"),
        claims.c.program == bindparam("mine"),
        WAITING,
        ~exists().where(
            _other.c.place == claims.c.place,
            _other.c.message_key != claims.c.message_key,
            or_(
                _other.c.in_hand.is_not(None),
                # A program keeps the order of its own queue; of all else, what came before goes before.
                and_(
                    bindparam("in_order", type_=Boolean),
                    _other.c.message_key.not_in(bindparam("queue", expanding=True)),
                    tuple_(_other.c.claimed_at, _other.c.message_key)
                    < tuple_(claims.c.claimed_at, claims.c.message_key),
                ),
            ),
        ),
    )
    .values(in_hand=claims.c.place)
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


async def claim(connection: AsyncConnection, message: ClaimedMessage, program: str | None = None) -> Standing:
    """Take the message for `program`, and see whether it may be answered at once; `NONE` when this or another program
    already took it, ever."""
    line = place(message)
    payload = {
        **asdict(message),
        "text": storable(message.text),
        "created_at": message.created_at.astimezone(UTC).isoformat(),
    }
    values: dict[str, Any] = {
        "message_key": message.key,
        "author_hash": message.author_hash,
        "payload": payload,
        "state": ClaimState.CLAIMED,
        "program": program,
        "place": line,
    }
    taken = insert(connection, claims).on_conflict_do_nothing()
    if connection.dialect.name == "postgresql":
        # The order of a conversation must not hang on whose machine's clock is right.
        taken = taken.values(claimed_at=func.clock_timestamp())
    else:
        values["claimed_at"] = datetime.now(UTC)
    at_once = taken.values(in_hand=_IN_HAND).returning(claims.c.in_hand)
    row = (await connection.execute(at_once, {**values, "line": line})).one_or_none()
    if row is not None:
        return Standing.NOW if row.in_hand else Standing.WAITS
    # It was taken before; or another program began one of the same conversation at this very moment.
    later = (await connection.execute(taken.returning(claims.c.message_key), values)).one_or_none()
    return Standing.NONE if later is None else Standing.WAITS


def place(message: ClaimedMessage) -> str:
    """The conversation in whose queue it stands."""
    return f"{message.platform}:{message.channel}:{message.thread or ''}"


async def begin(
    connection: AsyncConnection, key: str, program: str, queue: Sequence[str], *, in_order: bool
) -> Standing:
    """Take a waiting message of `program` in hand, if it is its turn in its conversation. `queue` is what that program
    has in its own queue there; `in_order` says whether what else was claimed before goes before, or only what is in
    hand."""
    asked = {"key": key, "mine": program, "queue": [key, *queue], "in_order": in_order}
    if (await connection.execute(_BEGIN, asked)).rowcount:
        return Standing.NOW
    mine = select(claims.c.place).where(claims.c.message_key == key, claims.c.program == program, WAITING)
    row = (await connection.execute(mine)).one_or_none()
    if row is None:
        return Standing.NONE
    # A program answers the first of its queue: what else of its own is said to be in hand there was a dead one's.
    freed = await connection.execute(
        update(claims)
        .where(
            claims.c.place == row.place,
            claims.c.program == program,
            claims.c.message_key != key,
            claims.c.in_hand.is_not(None),
        )
        .values(in_hand=None)
    )
    if freed.rowcount and (await connection.execute(_BEGIN, asked)).rowcount:
        return Standing.NOW
    answering = select(claims.c.message_key).where(claims.c.in_hand == row.place)
    return Standing.WAITS if await connection.scalar(answering) else Standing.BEHIND


async def set_aside(connection: AsyncConnection, key: str) -> None:
    """Let a waiting message hold nobody up any more; it waits for the next program."""
    await connection.execute(
        update(claims).where(claims.c.message_key == key, WAITING).values(place=None, in_hand=None)
    )


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
        select(claims.c.payload).where(WAITING).order_by(claims.c.claimed_at, claims.c.message_key)
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
        .where(claims.c.message_key == key, WAITING)
        .values(state=ClaimState.FAILED, reason=reason, conversation_id=conversation_id, **GONE)
    )


async def answered(
    connection: AsyncConnection, key: str, conversation_id: int, then: object | None = None
) -> None:
    """Mark a message as answered, or keep it waiting for what is to be said `then`. Raises `StoreError` when it does
    not wait for an answer."""
    if then is None:
        done = await connection.execute(_ANSWER, {"key": key, "conversation": conversation_id})
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

"""Consent: what people answered, with all earlier answers. Works inside a transaction of `store`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import chunks, insert
from bot.store.rows import Consent
from bot.store.tables import consents


async def add(connection: AsyncConnection, author_hash: str, consent: Consent) -> None:
    """Note that a person gave or took back consent; earlier answers stay as history."""
    await connection.execute(
        insert(connection, consents).values(author_hash=author_hash, state=consent, at=datetime.now(UTC))
    )


def newest_of(author_hash: str | ColumnElement[str]) -> ScalarSelect[str]:
    """The person's newest answer as a part of a statement; nothing for who never gave one."""
    answers = consents.alias()
    return (
        select(answers.c.state)
        .where(answers.c.author_hash == author_hash)
        .order_by(answers.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


async def newest(connection: AsyncConnection, author_hash: str) -> Consent | None:
    """The person's newest answer, or None who never gave one."""
    state = await connection.scalar(select(newest_of(author_hash)))
    return None if state is None else Consent(state)


async def history(connection: AsyncConnection) -> dict[str, list[tuple[datetime, Consent]]]:
    """Everybody's answers with their times, the newest last."""
    found: dict[str, list[tuple[datetime, Consent]]] = {}
    for row in await connection.execute(select(consents).order_by(consents.c.id)):
        found.setdefault(row.author_hash, []).append((row.at, Consent(row.state)))
    return found


async def refusing(
    connection: AsyncConnection, people: Iterable[str], *, silence_is_consent: bool
) -> set[str]:
    """Those of `people` whose newest answer allows nothing."""
    everybody = set(people)
    allowed = set(everybody) if silence_is_consent else set()
    for chunk in chunks(sorted(everybody)):
        latest = (
            select(func.max(consents.c.id))
            .where(consents.c.author_hash.in_(chunk))
            .group_by(consents.c.author_hash)
        )
        for row in await connection.execute(select(consents).where(consents.c.id.in_(latest))):
            (allowed.add if row.state == Consent.ON else allowed.discard)(row.author_hash)
    return everybody - allowed

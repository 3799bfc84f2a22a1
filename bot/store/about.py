"""What the database knows of itself, by name. Works inside a transaction of `store`."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import insert
from bot.store.tables import about

FINGERPRINT = "fingerprint"
"""The fingerprint of the secret under which its people are hashed."""


async def read(connection: AsyncConnection, name: str) -> str | None:
    """What is known under that name."""
    found: str | None = await connection.scalar(select(about.c.value).where(about.c.name == name))
    return found


async def write(connection: AsyncConnection, name: str, value: str, *, anew: bool) -> None:
    """Note it; what is known already stays, unless it is to be noted `anew`."""
    row = insert(connection, about).values(name=name, value=value)
    if anew:
        await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
    else:
        await connection.execute(row.on_conflict_do_nothing())

"""What the database knows of itself, by name: under which secret its people are hashed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, Work, insert
from bot.store.tables import about
from bot.store.whole import whole

FINGERPRINT = "fingerprint"
"""The fingerprint of the secret under which its people are hashed."""


class About:
    """That of one database. Methods raise `StoreError`."""

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work

    async def knows_secret(self, fingerprint: str) -> bool:
        """Whether the people in here are hashed under the secret of that fingerprint; the first one is noted."""
        async with self._database.reading() as connection:
            known = await _read(connection, FINGERPRINT)
        if known is None:
            known = await self.take_secret(fingerprint, anew=False)
        return known == fingerprint

    @whole
    async def take_secret(self, fingerprint: str, *, anew: bool = True) -> str:
        """From now on people are hashed under that secret; gives the fingerprint that holds."""
        async with self._database.writing() as connection:
            await _write(connection, FINGERPRINT, fingerprint, anew=anew)
            return await _read(connection, FINGERPRINT) or fingerprint


async def _read(connection: AsyncConnection, name: str) -> str | None:
    """What is known under that name."""
    found: str | None = await connection.scalar(select(about.c.value).where(about.c.name == name))
    return found


async def _write(connection: AsyncConnection, name: str, value: str, *, anew: bool) -> None:
    """Note it; what is known already stays, unless it is to be noted `anew`."""
    row = insert(connection, about).values(name=name, value=value)
    if anew:
        await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
    else:
        await connection.execute(row.on_conflict_do_nothing())

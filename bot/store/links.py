"""Which sign-in links were used: each works once, whichever program is asked. It knows no person."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete

from bot.store.database import Database, Work, insert
from bot.store.tables import used_links
from bot.store.whole import whole


class UsedLinks:
    """The used links of one database. Methods raise `StoreError`."""

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work

    @whole
    async def use(self, nonce: str, expires_at: datetime) -> bool:
        """Use the link of that nonce; False when it was used before. What has expired is let go of."""
        async with self._database.writing() as connection:
            await connection.execute(delete(used_links).where(used_links.c.expires_at < datetime.now(UTC)))
            added = await connection.execute(
                insert(connection, used_links)
                .values(nonce=nonce, expires_at=expires_at)
                .on_conflict_do_nothing()
            )
            return added.rowcount == 1
